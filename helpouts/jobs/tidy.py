"""Jobs that are done are kept for a while, for whoever asks what happened; those that died stay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.jobs.models import Job, JobSchedule
from helpouts.jobs.service import enqueue, handler

#: Periodic jobs run every few seconds; all others are a trace of what people did.
KEEP_PERIODIC, KEEP = timedelta(hours=1), timedelta(days=14)
#: Deleted in one transaction, so that nobody waits for it.
BATCH = 1000


@handler("jobs.tidy", every_seconds=600)
def tidy(db: Session, _payload: Mapping[str, Any]) -> None:
    """Delete jobs that were done long ago; goes on at once while there are more."""
    now = clock.now()
    periodic = Job.kind.in_(select(JobSchedule.kind))
    old = or_(Job.finished_at < now - KEEP, and_(periodic, Job.finished_at < now - KEEP_PERIODIC))
    ids = db.scalars(select(Job.id).where(Job.state == "done", old).order_by(Job.id).limit(BATCH)).all()
    if ids:
        db.execute(delete(Job).where(Job.id.in_(ids)))
    if len(ids) == BATCH:
        enqueue(db, "jobs.tidy")
