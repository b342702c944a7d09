"""Calls for an operator: one of two people in a room asks somebody of the site in; the first to take it enters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_security import current_user
from sqlalchemy.orm import Session, joinedload

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import support
from helpouts.sessions.models import Session as Room
from helpouts.sessions.support_models import SupportRequest
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import NoForm
from helpouts_admin.loading import people_of
from helpouts_admin.views.base import Records
from helpouts_admin.views.bookings import presence


def _take(db: Session, call: SupportRequest, form: Any, actor: Actor) -> None:
    support.take(db, call, actor)


def _may_enter(call: SupportRequest) -> bool:
    mine: bool = call.operator_id == current_user.id
    return call.state == "open" or (call.state == "taken" and mine)


def _room(call: SupportRequest) -> str:
    back = url_for("console_calls.details_view", id=call.id)
    return url_for("support.room", room_id=call.session.room_id, back=back)


TAKE = Action(
    "take",
    _l("Enter the room"),
    _take,
    NoForm,
    when=_may_enter,
    explain=_l(
        "You come into their chat, by name. You read what is written from the request on; you see and hear no call."
    ),
    primary=True,
    leads_to=_room,
)


class CallsView(Records):
    """All of them, newest first."""

    shows = SupportRequest
    endpoint_name = "console_calls"
    empty = _l("Nobody asks for an operator at the moment.")
    intro = _l("People in a session who ask somebody of this site into their chat. Whoever takes a call first has it.")
    column_list = ("reason", "asker", "booking", "state", "operator", "created_at")
    column_details_list = (
        "reason", "asker", "booking", "created_at", "operator", "taken_at", "entered_at", "ended_at",
    )  # fmt: skip
    column_sortable_list = ("created_at",)
    column_default_sort = ("id", True)
    column_filters = (
        Choice(SupportRequest.state, _l("State"), lambda: words.options("open", "taken", "withdrawn", "closed")),
    )
    column_labels = {
        "reason": _l("Reason"),
        "asker": _l("Asked by"),
        "booking": _l("Session"),
        "state": _l("State"),
        "operator": _l("Operator"),
        "created_at": _l("Asked"),
        "taken_at": _l("Taken"),
        "entered_at": _l("Entered"),
        "ended_at": _l("Over"),
    }
    column_formatters = {
        "reason": columns.short(),
        "asker": columns.called("asker"),
        "operator": columns.called("operator"),
        "booking": columns.called("session.booking.title"),
        "state": columns.state,
        "created_at": columns.instant,
    }
    column_formatters_detail = {
        **{name: shown for name, shown in column_formatters.items() if name != "reason"},
        "taken_at": columns.instant,
        "entered_at": columns.instant,
        "ended_at": columns.instant,
    }
    details_template = "console/call.html"

    def get_query(self) -> Any:
        """With the people and the booking, without what hangs on them."""
        return (
            super()
            .get_query()
            .options(
                joinedload(SupportRequest.asker).lazyload(User.roles),
                joinedload(SupportRequest.operator).lazyload(User.roles),
                *people_of(joinedload(SupportRequest.session).joinedload(Room.booking)),
            )
        )

    def title_of(self, record: SupportRequest) -> str:
        """Its number: people quote it."""
        return _("Call %(number)s", number=record.id)

    def actions(self, record: SupportRequest) -> Sequence[Action]:
        """Take it, and enter."""
        return (TAKE,)

    def context(self, db: Session, record: SupportRequest) -> dict[str, Any]:
        """Who was there when, and what became of it."""
        return {
            "presence": presence(db, record.session),
            "history": history.transitions(db, "support_request", record.id),
        }
