"""What a session leaves behind for its two people: chat with files, notes, snapshots, who was there when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import notes
from helpouts.sessions.chat import NOTICES
from helpouts.sessions.models import RoomMessage, Session
from helpouts.sessions.service import intervals
from helpouts.sessions.tool_models import RoomFile

#: A connection that came back within this time was not away, for who reads it later.
BLINK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the chat, with the file that came with it."""

    who: str
    mine: bool
    at: datetime
    body: str
    file: RoomFile | None
    #: it tells what has happened, and ``body`` is the whole sentence
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody was in the room from when to when."""

    who: str
    came: datetime
    left: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was kept; empty where there was nothing."""

    lines: list[Line]
    notes: str
    snapshots: list[RoomFile]
    stays: list[Stay]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.lines or self.notes or self.stays)


def history(db: DbSession, session: Session, booking: Booking, user_id: int | None = None) -> History:
    """What was kept of a session.

    :param user_id: whose lines are marked as one's own.
    """
    rows = (
        select(RoomMessage, RoomFile, User.name)
        .join(User, User.id == RoomMessage.user_id)
        .outerjoin(RoomFile, RoomFile.message_id == RoomMessage.id)
        .where(RoomMessage.session_id == session.id)
        .order_by(RoomMessage.seq)
    )
    lines = [_line(line, file, name, user_id) for line, file, name in db.execute(rows)]
    connected = intervals(db, session.id, clock.now())
    names = {booking.host_id: booking.host.name, booking.customer_id: booking.customer.name}
    if others := connected.keys() - names.keys():
        found = db.execute(select(User.id, User.name).where(User.id.in_(others)))
        names |= {row.id: str(_l("Operator %(name)s", name=row.name)) for row in found}
    stays = [Stay(names[person], came, left) for person, spans in connected.items() for came, left in _joined(spans)]
    return History(
        lines,
        notes.current(db, session.id)[1],
        [line.file for line in lines if line.file is not None and line.file.kind == "snapshot"],
        sorted(stays, key=lambda stay: stay.came),
    )


def _line(line: RoomMessage, file: RoomFile | None, name: str, user_id: int | None) -> Line:
    mine, body, notice = line.user_id == user_id, line.body, NOTICES.get(line.kind)
    if notice is not None:
        return Line("", mine, line.created_at, str(notice) % {"name": name, "reason": body}, None, notice=True)
    who = str(_l("Operator %(name)s", name=name)) if line.kind == "operator" else name
    return Line(who, mine, line.created_at, body, file)


def _joined(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    out: list[tuple[datetime, datetime]] = []
    for came, left in sorted(spans):
        if out and came - out[-1][1] <= BLINK:
            out[-1] = (out[-1][0], max(out[-1][1], left))
        else:
            out.append((came, left))
    return out
