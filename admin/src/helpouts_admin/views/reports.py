"""Reports about people in sessions: what happened, who was there, what was said; resolved with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, request
from sqlalchemy.orm import Session, joinedload

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record as audit
from helpouts.errors import NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import files, reports
from helpouts.sessions.file_views import download
from helpouts.sessions.history import history as kept_of
from helpouts.sessions.models import Session as Room
from helpouts.sessions.tool_models import SessionReport
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import current_actor
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import ReasonForm
from helpouts_admin.loading import people_of
from helpouts_admin.views.base import Answer, Records, expose
from helpouts_admin.views.bookings import presence


def _resolve(db: Session, report: SessionReport, form: Any, actor: Actor) -> None:
    reports.resolve(db, report, form.reason.data, actor)


ACTIONS = (
    Action(
        "resolve",
        _l("Resolve"),
        _resolve,
        ReasonForm,
        when=lambda report: report.state == "open",
        explain=_l("Say what was found and done. Neither of the two is told."),
        done=_l("The report is resolved."),
    ),
)


def _reason(view: Any, context: Any, record: SessionReport, name: str) -> str:
    return str(reports.REASONS.get(record.reason, record.reason))


def _note(what: str, report: SessionReport, **values: Any) -> None:
    """Audit that somebody has looked; a page that is only read has no transaction of its own that could keep it."""
    with current_runtime().database.write() as db:
        audit(db, current_actor("operator"), what, report, **values)


class ReportsView(Records):
    """All reports, newest first."""

    shows = SessionReport
    endpoint_name = "console_reports"
    empty = _l("Nobody has been reported.")
    intro = _l("People who were reported in a session. Those whom it is about are told nothing.")
    column_list = ("reason", "about", "reporter", "booking", "state", "created_at")
    column_details_list = ("reason", "text", "about", "reporter", "booking", "created_at", "resolution", "resolved_at")
    column_sortable_list = ("created_at",)
    column_default_sort = ("id", True)
    column_filters = (Choice(SessionReport.state, _l("State"), lambda: words.options("open", "resolved")),)
    column_labels = {
        "reason": _l("About"),
        "text": _l("Text"),
        "about": _l("Reported"),
        "reporter": _l("By"),
        "booking": _l("Session"),
        "state": _l("State"),
        "created_at": _l("Written"),
        "resolution": _l("What was done"),
        "resolved_at": _l("Resolved"),
    }
    column_formatters = {
        "reason": _reason,
        "about": columns.called("about"),
        "reporter": columns.called("reporter"),
        "booking": columns.called("session.booking.title"),
        "state": columns.state,
        "created_at": columns.instant,
    }
    column_formatters_detail = {**column_formatters, "resolved_at": columns.instant}
    details_template = "console/report.html"

    def get_query(self) -> Any:
        """With the people and the booking, without what hangs on them."""
        return (
            super()
            .get_query()
            .options(
                joinedload(SessionReport.reporter).lazyload(User.roles),
                joinedload(SessionReport.about).lazyload(User.roles),
                *people_of(joinedload(SessionReport.session).joinedload(Room.booking)),
            )
        )

    def title_of(self, record: SessionReport) -> str:
        """Its number: people quote it."""
        return str(_l("Report %(number)s", number=record.id))

    def actions(self, record: SessionReport) -> Sequence[Action]:
        """Resolve it."""
        return ACTIONS

    def context(self, db: Session, record: SessionReport) -> dict[str, Any]:
        """Who was there when, what was said; that an operator has read it is audited."""
        room = record.session
        if request.method == "GET":  # else it was read before, and the form on it was refused
            _note("report.read", record)
        return {
            "room": room,
            "kept": kept_of(db, room, room.booking),
            "presence": presence(db, room),
            "history": history.transitions(db, "session_report", record.id),
        }

    @expose("/<int:record_id>/files/<public_id>")
    def file(self, record_id: int, public_id: str) -> Answer:
        """A file of the reported session; that an operator has fetched it is audited."""
        report = self._found(record_id)
        try:
            row = files.find(current_db(), report.session_id, public_id)
        except NotFound:
            abort(404)
        _note("report.file", report, file=public_id)
        return download(row)
