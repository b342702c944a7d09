"""Doing promised work inside a test's own transaction, which the worker cannot see."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.service import handler


def do_jobs(db: Session, *kinds: str) -> int:
    """Do the jobs of these kinds that are due, and those of these kinds that they promise; how many."""
    done = 0
    due = select(Job).where(Job.kind.in_(kinds), Job.state == "ready", Job.run_at <= clock.now()).order_by(Job.id)
    while (job := db.scalars(due.limit(1)).first()) is not None:
        found = (handler.looks[job.kind](db, job.payload),) if job.kind in handler.looks else ()
        handler.plain[job.kind](db, job.payload, *found)
        db.execute(update(Job).where(Job.id == job.id).values(state="done", finished_at=clock.now()))
        done += 1
    return done
