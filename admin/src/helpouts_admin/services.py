"""Operator actions that belong to no part of the business: each writes its audit entry, none commits."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.models import Job
from helpouts.plugins.models import PluginFailure


def retry_job(db: Session, job: Job, reason: str, actor: Actor) -> None:
    """Let the worker try a job again that it had given up.

    :raises Conflict: when the job is not given up.
    """
    if job.state != "dead":
        raise Conflict(_l("Only a job that was given up can be tried again."))
    job.state, job.attempts, job.run_at, job.finished_at = "ready", 0, clock.now(), None
    record(db, actor, "job.retry", job, reason, kind=job.kind)


def clear_failures(db: Session, plugin: str, actor: Actor) -> int:
    """Forget the failures of a plugin's hooks that somebody has looked at; returns how many there were."""
    count = db.scalar(select(func.count()).where(PluginFailure.plugin == plugin)) or 0
    db.execute(delete(PluginFailure).where(PluginFailure.plugin == plugin))
    record(db, actor, "plugin.clear_failures", plugin=plugin, count=count)
    return count
