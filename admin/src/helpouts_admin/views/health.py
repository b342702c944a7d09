"""Health: the checks that plugins bring, the live nodes, the worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.calendars import health as calendars
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.models import Job
from helpouts.plugins.records import HealthCheck, Problem
from helpouts.plugins.service import read_settings
from helpouts.sessions import nodes
from helpouts.sessions.models import LiveNode
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import current_actor
from helpouts_admin.views.base import Answer, Page, expose, log, trace

#: A live node that has not been heard of for longer is shown as silent.
SILENT = timedelta(seconds=30)
#: Work that waits longer than this says that no worker runs.
LATE = timedelta(minutes=5)


def core_problems(db: Session) -> list[Problem]:
    """What the core itself can see."""
    found: list[Problem] = []
    waiting = db.scalar(select(func.count()).where(Job.state == "ready", Job.run_at < clock.now() - LATE)) or 0
    if waiting:
        found.append(
            Problem(
                "error",
                _l("%(count)s jobs have been waiting for more than five minutes.", count=waiting),
                _l("Start a worker: helpouts worker"),
            )
        )
    alive = clock.now() - SILENT
    if not db.scalar(select(func.count()).where(LiveNode.heartbeat_at > alive)):
        found.append(
            Problem("error", _l("No live process answers: nobody can enter a room."), _l("Start one: helpouts live"))
        )
    return [*found, *calendars.problems(db)]


def run_check(db: Session, plugin: str, check: HealthCheck) -> Sequence[Problem]:
    """Run a plugin's check; one that raises is itself a finding."""
    try:
        return list(check.check(db, read_settings(db, plugin)))
    except Exception as error:
        log.error("health check failed", plugin=plugin, check=check.name, trace=trace(error))
        return [
            Problem(
                "error",
                _l("The check itself failed: %(kind)s", kind=type(error).__name__),
                _l("See the log of the server."),
            )
        ]


class HealthView(Page):
    """``/console/health/``."""

    @expose("/")
    def index(self) -> str:
        """Run all checks of enabled plugins, now."""
        db, registry = current_db(), current_runtime().registry
        enabled = registry.enabled(db)
        checks = [
            (plugin, check, run_check(db, plugin, check))
            for plugin, check in registry.surface("helpouts_health_checks", HealthCheck)
            if plugin in enabled
        ]
        return self.render(
            "console/health.html",
            core=core_problems(db),
            checks=checks,
            nodes=list(db.scalars(select(LiveNode).order_by(LiveNode.name))),
            alive=clock.now() - SILENT,
        )

    @expose("/drain/", methods=("POST",))
    def drain(self) -> Answer:
        """Have a live process take no new rooms and end with its last call, or call that off."""
        self.require("drain")
        db, name, draining = current_db(), request.form.get("node", ""), request.form.get("draining") == "1"
        nodes.set_draining(db, name, draining, current_actor("operator"))
        db.commit()
        message = (
            _("“%(name)s” takes no new rooms and ends when its calls are over.", name=name)
            if draining
            else _("“%(name)s” takes new rooms again.", name=name)
        )
        return self.done(message, ".index")
