"""Whose free time has changed is told once, to everybody who listens."""

from __future__ import annotations

import pytest

from helpouts.scheduling import changes
from helpouts.testing.factories import make_customer


@pytest.fixture
def heard(monkeypatch):
    calls = []
    monkeypatch.setattr(changes, "_listeners", [])
    changes.listen(lambda _db, user_ids: calls.append(sorted(user_ids)))
    return calls


def test_listeners_hear_of_everybody_once(db, heard):
    first, second = make_customer(db, "Ada L").id, make_customer(db, "Ben M").id
    changes.touch(db, [first, second])
    changes.touch(db, [first])
    changes.tell(db, {})
    changes.tell(db, {})
    assert heard == [sorted([first, second])]


def test_nobody_touched_is_nobody_told(db, heard):
    changes.touch(db, [])
    changes.tell(db, {})
    assert heard == []
