"""Separate processes accept the same ring while others book the same time: exactly one wins, on both databases.

A few rounds; ``python -m benchmarks.races --paths "instant accept"`` runs a hundred.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpouts.payments.verify import violations

sys.path.insert(0, str(Path(__file__).parents[2]))  # the benchmarks are no part of the distribution

from benchmarks import races, races_instant  # needs the line above

ROUNDS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database, which the race fills itself."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/race.sqlite3"
        return
    server = request.getfixturevalue("postgres")
    yield server.create("race_instant")
    server.drop("race_instant")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_exactly_one_process_gets_the_expert(url, tmp_path):
    assert races_instant.instant is races.PATHS["instant accept"]
    with races.race(url, str(tmp_path), rivals=6) as running:
        for _ in range(ROUNDS):
            told, live = running.round("instant accept")
            assert races.good(told, live), (told, live)
        with running.runtime.database.read() as db:
            assert violations(db) == ()
