"""What a session leaves behind for its two people: chat with files, notes, snapshots, who was there when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.sessions import notes
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
    names = {booking.host_id: booking.host.name, booking.customer_id: booking.customer.name}
    rows = (
        select(RoomMessage, RoomFile)
        .outerjoin(RoomFile, RoomFile.message_id == RoomMessage.id)
        .where(RoomMessage.session_id == session.id)
        .order_by(RoomMessage.seq)
    )
    lines = [
        Line(names.get(line.user_id, ""), line.user_id == user_id, line.created_at, line.body, file)
        for line, file in db.execute(rows)
    ]
    stays = [
        Stay(names.get(person, ""), came, left)
        for person, spans in intervals(db, session.id, clock.now()).items()
        for came, left in _joined(spans)
    ]
    return History(
        lines,
        notes.current(db, session.id)[1],
        [line.file for line in lines if line.file is not None and line.file.kind == "snapshot"],
        sorted(stays, key=lambda stay: stay.came),
    )


def _joined(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    out: list[tuple[datetime, datetime]] = []
    for came, left in sorted(spans):
        if out and came - out[-1][1] <= BLINK:
            out[-1] = (out[-1][0], max(out[-1][1], left))
        else:
            out.append((came, left))
    return out
