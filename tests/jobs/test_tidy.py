"""Done jobs go after a while, periodic ones soon; dead and waiting ones stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from helpouts.clock import clock
from helpouts.jobs import tidy
from helpouts.jobs.models import Job, JobSchedule
from helpouts.jobs.service import enqueue

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("kind", "state", "hours", "stays"),
    [
        ("mail.send", "done", 2, True),
        ("mail.send", "done", 24 * 15, False),
        ("beat", "done", 0.5, True),
        ("beat", "done", 2, False),
        ("beat", "dead", 24 * 100, True),
        ("mail.send", "ready", 24 * 100, True),
    ],
)
def test_what_is_deleted(db, kind, state, hours, stays):
    db.add(JobSchedule(kind="beat", last_tick_at=clock.now()))
    job = enqueue(db, kind)
    finished = clock.now() - timedelta(hours=hours)
    db.execute(update(Job).where(Job.id == job.id).values(state=state, finished_at=finished))
    tidy.tidy(db, {})
    assert (db.scalar(select(Job.id).where(Job.kind == kind)) is not None) is stays


def test_a_great_heap_is_cleared_in_several_steps(db, monkeypatch):
    monkeypatch.setattr(tidy, "BATCH", 2)
    for _ in range(3):
        enqueue(db, "old")
    db.execute(update(Job).values(state="done", finished_at=clock.now() - timedelta(days=30)))
    tidy.tidy(db, {})
    assert db.scalars(select(Job.kind).order_by(Job.id)).all() == ["old", "jobs.tidy"]
    tidy.tidy(db, {})
    assert db.scalars(select(Job.kind)).all() == ["jobs.tidy"]
