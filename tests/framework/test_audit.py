"""The audit trail: written with the action, chained, so that an edit shows."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry
from helpouts.audit.service import first_broken, record
from helpouts.runtime import Runtime


def fill(runtime: Runtime, count: int = 5) -> list[int]:
    with runtime.database.write() as db:
        return [record(db, SYSTEM, "test.act", reason="why not", n=n, more=[1, {"ä": None}]).id for n in range(count)]


def test_an_untouched_trail_fits_together(runtime: Runtime) -> None:
    fill(runtime)
    with runtime.database.read() as db:
        assert first_broken(db) is None


@pytest.mark.parametrize(
    "change", [{"reason": "changed"}, {"actor": "somebody else"}, {"action": "test.other"}, {"detail": {"n": 99}}]
)
def test_an_edited_row_is_found(runtime: Runtime, change: dict[str, object]) -> None:
    ids = fill(runtime)
    with runtime.database.write() as db:
        db.execute(update(AuditEntry).where(AuditEntry.id == ids[2]).values(**change))
    with runtime.database.read() as db:
        assert first_broken(db) == ids[2]


def test_a_row_that_was_removed_is_found_at_the_next(runtime: Runtime) -> None:
    ids = fill(runtime)
    with runtime.database.write() as db:
        db.execute(text("DELETE FROM audit_entry WHERE id = :id"), {"id": ids[1]})
    with runtime.database.read() as db:
        assert first_broken(db) == ids[2]


def test_the_entry_names_subject_and_actor_and_goes_with_the_action(runtime: Runtime) -> None:
    with runtime.database.session(write=True) as db:
        user = User(email="somebody@example.org", name="Somebody")
        db.add(user)
        db.flush()
        entry = record(db, Actor("operator", user.id, "olga@example.org"), "user.block", user, "spam", days=3)
        assert (entry.subject_type, entry.subject_id, entry.actor_id) == ("user", str(user.id), user.id)
        assert (entry.actor, entry.detail, entry.reason) == ("olga@example.org", {"days": 3}, "spam")
        db.rollback()
    with runtime.database.read() as db:
        assert db.scalars(select(AuditEntry)).all() == []


def test_writers_at_the_same_time_make_one_chain(runtime: Runtime) -> None:
    def write() -> None:
        for _ in range(5):
            runtime.database.run(_one)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with runtime.database.read() as db:
        assert len(db.scalars(select(AuditEntry.id)).all()) == 20
        assert first_broken(db) is None


def _one(db: Session) -> None:
    record(db, SYSTEM, "test.act")
