"""Live rooms: who is connected, how the call is, what it costs so far; ending one for a reason that both are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpouts import formatting
from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import operating, recording, support
from helpouts.sessions.models import Session as Room
from helpouts.web.db import current_db
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import ReasonForm, ToldReasonForm
from helpouts_admin.loading import people_of
from helpouts_admin.views.base import Records
from helpouts_admin.views.bookings import presence


def _end(db: Session, room: Room, form: Any, actor: Actor) -> None:
    operating.end(db, room, form.reason.data, actor)


END = Action(
    "end",
    _l("End the session"),
    _end,
    ToldReasonForm,
    when=lambda room: room.state == "open",
    danger=True,
    explain=_l("Closes the room for both, tells them the reason, and settles the time that they had."),
    done=_l("The session is over."),
)


def _again(db: Session, room: Room, form: Any, actor: Actor) -> None:
    operating.try_film_again(db, room, form.reason.data, actor)


AGAIN = Action(
    "film",
    _l("Make the film again"),
    _again,
    ReasonForm,
    when=lambda room: bool(recording.to_try_again(current_db(), room)),
    explain=_l("The film of this session could not be made. What was recorded is still there: the worker tries again."),
    done=_l("The worker makes the film again. It takes some minutes."),
)


def _since(view: Any, context: Any, record: Room, name: str) -> str:
    if record.opened_at is None:
        return ""
    return formatting.in_words((record.ended_at or clock.now()) - record.opened_at)


def _here(record: Room) -> list[operating.Here]:
    """Who is connected to the room now; one query for all open rooms of the page."""
    if "rooms_here" not in g:
        is_open = select(Room.id).where(Room.state == "open")
        db = current_db()
        g.rooms_here = operating.here(db, list(db.scalars(is_open)))
    found: list[operating.Here] = g.rooms_here.get(record.id, [])
    return found


def _people(view: Any, context: Any, record: Room, name: str) -> str:
    if record.state != "open":
        return ""
    return ", ".join(person.name for person in _here(record)) or _("Nobody")


def _quality(view: Any, context: Any, record: Room, name: str) -> Any:
    grades = [person.quality.grade for person in _here(record) if person.quality is not None]
    worst = next((grade for grade in ("lost", "poor", "fair", "good") if grade in grades), None)
    return words.badge(worst) if worst else ""


def _cost(view: Any, context: Any, record: Room, name: str) -> str:
    return str(formatting.money(operating.cost_so_far(current_db(), record), record.booking.currency))


class RoomsView(Records):
    """Rooms by their state; what is said in a room is not for operators to read."""

    shows = Room
    endpoint_name = "console_rooms"
    intro = _l(
        "Open rooms and those of the past. What is said in them stays between the two people, "
        "until one of them asks an operator in."
    )
    column_list = (
        "booking",
        "customer",
        "host",
        "state",
        "here",
        "quality",
        "opened_at",
        "length",
        "node",
    )
    column_details_list = (
        "booking",
        "customer",
        "host",
        "state",
        "transport",
        "node",
        "opened_at",
        "ended_at",
        "end_reason",
        "end_note",
        "connected_seconds",
        "cost",
    )
    column_default_sort = ("id", True)
    column_filters = (Choice(Room.state, _l("State"), lambda: words.options("open", "scheduled", "ended")),)
    column_labels = {
        "booking": _l("Session"),
        "customer": _l("Customer"),
        "host": _l("Expert"),
        "state": _l("State"),
        "opened_at": _l("Opened"),
        "length": _l("Length"),
        "here": _l("Connected now"),
        "quality": _l("Quality"),
        "node": _l("Live process"),
        "transport": _l("Video"),
        "ended_at": _l("Ended"),
        "end_reason": _l("Ended by"),
        "end_note": _l("Reason"),
        "cost": _l("Costs so far"),
        "connected_seconds": _l("Connected"),
    }
    column_formatters = {
        "booking": columns.called("booking.title"),
        "customer": columns.called("booking.customer"),
        "host": columns.called("booking.host"),
        "state": columns.state,
        "opened_at": columns.instant,
        "length": _since,
        "here": _people,
        "quality": _quality,
    }
    column_formatters_detail = {
        **column_formatters,
        "ended_at": columns.instant,
        "end_reason": columns.plain,
        "cost": _cost,
        "connected_seconds": lambda view, context, record, name: (
            formatting.in_words(timedelta(seconds=record.connected_seconds))
            if record.connected_seconds is not None
            else ""
        ),
    }
    list_template = "console/rooms.html"
    details_template = "console/room.html"

    def get_query(self) -> Any:
        """With the booking and its people."""
        return super().get_query().options(*people_of(joinedload(Room.booking)))

    def title_of(self, record: Room) -> str:
        """What was booked."""
        return _("Room: %(title)s", title=record.booking.title)

    def actions(self, record: Room) -> Sequence[Action]:
        """An open room can be closed, a film that failed be made again."""
        return (END, AGAIN)

    def context(self, db: Session, record: Room) -> dict[str, Any]:
        """Who was there when."""
        here = operating.here(db, [record.id]).get(record.id, []) if record.state == "open" else []
        return {
            "here": here,
            "call": support.standing(db, record.id) if record.state == "open" else None,
            "presence": presence(db, record),
            "recordings": recording.recordings_of(db, record),
            "history": history.transitions(db, "session", record.id),
        }
