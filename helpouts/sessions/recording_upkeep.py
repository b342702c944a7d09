"""What the worker does with recordings now and then: deletes what is old, says what failed, sweeps."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.service import handler
from helpouts.runtime import Runtime
from helpouts.sessions import recording
from helpouts.sessions.recording_jobs import failed, scratch
from helpouts.sessions.recording_models import Recording

log = structlog.get_logger("helpouts.recording")
#: What an earlier version left in the folder for unsealed films, and nobody has touched for so long, is removed.
LEFT_OVER = timedelta(hours=12)


@handler("recording.expire", every_seconds=600)
def expire(db: DbSession, _payload: Mapping[str, Any]) -> None:
    """Delete what has been kept for as long as the site keeps recordings."""
    due = select(Recording).where(Recording.state.in_(recording.KEPT), Recording.delete_at <= clock.now())
    for row in db.scalars(due.limit(100)).all():
        recording.remove(db, row, SYSTEM, "kept long enough")


@handler("recording.stuck", every_seconds=300)
def give_up(db: DbSession, _payload: Mapping[str, Any]) -> None:
    """Say that a film failed when the worker died at every attempt: then nobody was left to say it."""
    dead = select(Job).where(Job.kind == "recording.convert", Job.state == "dead")
    promised = select(Job).where(Job.kind == "recording.convert", Job.state.in_(("ready", "leased")))
    under_way = {job.payload.get("recording") for job in db.scalars(promised)}
    for job in db.scalars(dead):
        row = db.get(Recording, job.payload.get("recording"), with_for_update={"of": Recording})
        if row is not None and row.state == "preparing" and row.id not in under_way:
            failed(row.id, job.last_error)(db)


@handler("recording.sweep", outside=True, every_seconds=24 * 3600)
def sweep(runtime: Runtime, _job_id: int, _payload: Mapping[str, Any]) -> None:
    """Remove unsealed files that conversions of an earlier version have left when they were killed."""
    old = clock.now().timestamp() - LEFT_OVER.total_seconds()
    for left in scratch(runtime).iterdir():
        if left.lstat().st_mtime < old:
            log.warning("what a killed conversion left is removed", name=left.name)
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
