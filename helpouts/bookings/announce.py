"""Telling everybody what became of a booking: one job, written with the change, does it after the commit.

Mails with their calendar files, the closing of the room and the events for plugins take longer to
make than the booking itself, and nobody who books has to wait for them.  The job table is the outbox: the promise
stands or falls with the change.  What is told of one booking is told in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts import events
from helpouts.audit.actor import Actor
from helpouts.bookings import mails
from helpouts.bookings.models import Booking, BookingExtension, BookingMove
from helpouts.jobs.service import enqueue, handler, promise_all
from helpouts.notices import bookings as notices
from helpouts.sessions.service import session_of

#: The room is closed so long after the booked end.
CLOSES_AFTER = timedelta(minutes=15)


def promise(db: Session, booking: Booking, what: str, **values: Any) -> None:
    """Have ``what`` happened to the booking told to both people and the plugins, after the commit.

    :param what: a key of :data:`TELLS`; ``values`` are what its function takes besides, as JSON.
    """
    payload = {"booking": booking.id, "what": what, "values": values}
    promise_all(db, [{"kind": "booking.announce", "payload": payload, "serial_key": f"booking:{booking.id}"}])


def confirmed(db: Session, booking: Booking) -> None:
    """It is booked: mails with the invitation, the end of the room, the event."""
    if booking.state in ("confirmed", "in_session"):
        mails.confirmed(db, booking)
    _close_later(db, booking)
    events.emit(db, "booking_confirmed", booking_id=booking.id)


def cancelled(db: Session, booking: Booking, *, charge: int, by: int | None, reason: str) -> None:
    """It does not take place: mails with the calendar's cancellation, the event."""
    mails.cancelled(db, booking, charge, Actor("system", by))
    events.emit(db, "booking_cancelled", booking_id=booking.id, reason=reason)


def moved(db: Session, booking: Booking, *, move: int, by: int | None) -> None:
    """It takes place at another time: mails with the updated invitation, the end of the room, the event."""
    done = db.get_one(BookingMove, move)
    if booking.state in ("confirmed", "in_session"):
        mails.moved(db, booking, done, by)
    _close_later(db, booking)
    events.emit(db, "booking_moved", booking_id=booking.id, from_start=done.old_starts_at, to_start=done.starts_at)


def move_proposed(db: Session, booking: Booking, *, move: int) -> None:
    """Somebody would like another time: a mail to the other side, with links to answer."""
    wanted = db.get_one(BookingMove, move)
    if wanted.state == "proposed" and booking.state == "confirmed":
        mails.move_proposed(db, booking, wanted)


def move_declined(db: Session, booking: Booking, *, move: int, reason: str) -> None:
    """The expert cannot at the time that the customer would like: a mail to the customer."""
    if booking.state == "confirmed":
        mails.move_declined(db, booking, db.get_one(BookingMove, move), reason)


def extended(db: Session, booking: Booking, *, extension: int) -> None:
    """It ends later: mails with the updated invitation (the room's closing waits for the new end by itself)."""
    mails.extended(db, booking, db.get_one(BookingExtension, extension))


def offered(db: Session, booking: Booking) -> None:
    """A slot is held for somebody who did not ask for this one: a mail with a link to take it or pass."""
    if booking.state == "held":
        mails.offered(db, booking)


#: What can be told of a booking.
TELLS: dict[str, Callable[..., None]] = {
    "confirmed": confirmed,
    "cancelled": cancelled,
    "moved": moved,
    "move_proposed": move_proposed,
    "move_declined": move_declined,
    "extended": extended,
    "offered": offered,
}


@handler("booking.announce")
def tell(db: Session, payload: Mapping[str, Any]) -> None:
    """Keep a promise of :func:`promise`."""
    booking = db.get_one(Booking, payload["booking"])
    TELLS[payload["what"]](db, booking, **payload["values"])
    notices.tell(db, booking, payload["what"], payload["values"])


def _close_later(db: Session, booking: Booking) -> None:
    session = session_of(db, booking)
    if session is not None:
        enqueue(db, "session.close", {"session": session.id}, run_at=booking.ends_at + CLOSES_AFTER)
