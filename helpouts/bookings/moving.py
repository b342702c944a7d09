"""Moving a booking to another time.

| who      | when                                | what happens                                                  |
|----------|-------------------------------------|---------------------------------------------------------------|
| customer | until the policy's limit            | moved at once, without charge                                 |
| customer | after it, before the session begins | proposed; moved when the expert agrees, else nothing changes  |
| expert   | before the session begins           | proposed; the customer agrees, or declines and cancels freely |
| operator | before the session begins           | moved at once; soft rules may be waived, an overlap may not   |

The two people may move a booking :data:`MOST_MOVES` times.  The same row moves, so the old time is kept until the
transaction that takes the new one is committed; the database guards the new time as it does that of a new booking.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.bookings import announce
from helpouts.bookings.changing import LONGEST_REASON, cancel
from helpouts.bookings.models import Booking, BookingMove
from helpouts.bookings.placing import lock
from helpouts.bookings.policy import free_until
from helpouts.bookings.states import MOVE
from helpouts.bookings.writing import clear_way, refused, take_turns
from helpouts.calendars.invitations import changed
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import changes
from helpouts.scheduling import service as scheduling
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up

MOST_MOVES = 3


def at_once(booking: Booking, actor: Actor) -> bool:
    """Whether the actor may move the booking without asking the other side."""
    if actor.kind == "customer":
        return clock.now() <= free_until(booking.cancellation_policy, booking.pricing, booking.starts_at)
    return actor.kind == "operator"


def can_move(booking: Booking) -> bool:
    """Whether its two people can still move it, or ask to."""
    return booking.state == "confirmed" and booking.starts_at > clock.now() and booking.moves < MOST_MOVES


def other_starts(db: Session, booking: Booking, start: datetime, end: datetime) -> list[datetime]:
    """Starts (UTC, ascending) in [start, end) to which the booking can be moved: the host is free, and the customer."""
    length = booking.ends_at - booking.starts_at
    free = scheduling.free_slots(
        db,
        booking.listing,
        start,
        end,
        length_minutes=length // timedelta(minutes=1),
        host_id=booking.host_id,
        without=booking.id,
    )
    own = _sessions_of(db, booking, start, end + length)
    return [
        moment
        for moment in free
        if moment != booking.starts_at and not any(since < moment + length and until > moment for since, until in own)
    ]


def reschedule(
    db: Session, booking: Booking, starts_at: datetime, actor: Actor, reason: str = "", *, waive: bool = False
) -> BookingMove:
    """Move the booking, or propose to (see the table above); the move's state tells which: "done" or "proposed".

    :param waive: an operator's: the host's soft rules do not count.
    :raises Conflict: the time is not free, the session has begun or is off, it was moved too often, or the other
        side's proposal waits for an answer.
    """
    _check_reason(reason)
    _lock_for_move(db, booking, actor)
    if starts_at == booking.starts_at:
        raise HelpoutsError(_l("It is at this time already. Choose another."), field="start")
    if waive and actor.kind != "operator":
        raise NotAllowed(_l("Only an operator can set the rules of a time aside."))
    if not waive and not _fits(db, booking, starts_at):
        raise Conflict(_l("This time is not free any more. Please choose another."), field="start")
    now = at_once(booking, actor)
    _clear_proposal(db, booking, actor, now)
    move = BookingMove(
        booking_id=booking.id,
        state=MOVE.initial,
        side=actor.kind,
        asked_by=actor.user_id,
        old_starts_at=booking.starts_at,
        starts_at=starts_at,
        reason=reason,
    )
    db.add(move)
    db.flush()
    if now:
        _do(db, booking, move, actor)
    else:
        clear_way(db, booking.host_id, booking.customer_id, starts_at, _end(booking, starts_at), booking.id)
        announce.promise(db, booking, "move_proposed", move=move.id)
    return move


def accept(db: Session, booking: Booking, actor: Actor) -> BookingMove:
    """The other side agrees to the proposed time; the booking is moved.

    :raises Conflict: there is nothing to agree to any more, or the time was taken meanwhile.
    :raises NotAllowed: it is one's own proposal.
    """
    lock(db, booking)
    move = _to_answer(db, booking, actor)
    _check_standing(booking)
    minutes = booking.minutes
    problems = scheduling.soft_problems(db, booking.host_id, move.starts_at, minutes, without=booking.id)
    if {problem.code for problem in problems} - {"notice"}:  # both want it: how soon it is, is theirs to say
        raise Conflict(_l("The proposed time is not free any more."))
    _do(db, booking, move, actor)
    return move


def decline(db: Session, booking: Booking, actor: Actor, reason: str = "") -> BookingMove:
    """The other side does not want the proposed time.

    A customer who declines what the expert proposes cancels free of charge: the expert cannot keep the old time.
    When an expert declines, the booking stays as it is.
    """
    _check_reason(reason)
    lock(db, booking)
    move = _to_answer(db, booking, actor)
    MOVE.apply(db, move, "decline", actor, reason)
    move.decided_at = clock.now()
    if actor.kind == "customer":
        cancel(db, booking, reason, actor, waived=True)
    else:
        announce.promise(db, booking, "move_declined", move=move.id, reason=reason)
    return move


def withdraw(db: Session, booking: Booking, actor: Actor) -> None:
    """Take back one's own proposal; the booking stays as it is."""
    lock(db, booking)
    move = proposal(db, booking)
    if move is None or move.side != actor.kind:
        raise Conflict(_l("There is no proposal of yours to take back."))
    MOVE.apply(db, move, "withdraw", actor)
    move.decided_at = clock.now()


def proposal(db: Session, booking: Booking) -> BookingMove | None:
    """The other time that waits for an answer, if there is one and it is still to come."""
    query = select(BookingMove).where(BookingMove.booking_id == booking.id, BookingMove.state == "proposed")
    move = db.scalar(query)
    return move if move is not None and booking.state == "confirmed" and move.starts_at > clock.now() else None


def moves_of(db: Session, booking: Booking) -> Sequence[BookingMove]:
    """All that was proposed and done, in order."""
    query = select(BookingMove).where(BookingMove.booking_id == booking.id).order_by(BookingMove.id)
    return db.scalars(query).all()


def _do(db: Session, booking: Booking, move: BookingMove, actor: Actor) -> None:
    """Move the row; the database has the last word."""
    ends_at = _end(booking, move.starts_at)
    take_turns(db, booking.host_id, booking.customer_id)
    clear_way(db, booking.host_id, booking.customer_id, move.starts_at, ends_at, booking.id)
    try:
        with db.begin_nested():
            booking.starts_at, booking.ends_at = move.starts_at, ends_at
            if move.side != "operator":
                booking.moves += 1
            changed(booking)
            db.flush()
    except DBAPIError as error:
        raise refused(error) from None
    MOVE.apply(db, move, "do", actor, move.reason)
    move.decided_at = clock.now()
    db.flush()
    announce.promise(db, booking, "moved", move=move.id, by=actor.user_id)
    changes.touch(db, [booking.host_id, booking.customer_id])


def _lock_for_move(db: Session, booking: Booking, actor: Actor) -> None:
    take_turns(db, booking.host_id, booking.customer_id)
    lock(db, booking)
    _check_standing(booking)
    if booking.moves >= MOST_MOVES and actor.kind != "operator":
        raise Conflict(_l("This booking was moved %(most)s times already. Cancel it and book again.", most=MOST_MOVES))


def _check_standing(booking: Booking) -> None:
    if booking.state != "confirmed":
        raise Conflict(_l("This booking does not stand any more."))
    if booking.starts_at <= clock.now():
        raise Conflict(_l("This session has begun; it cannot be moved."))


def _fits(db: Session, booking: Booking, starts_at: datetime) -> bool:
    minutes = booking.minutes
    return bool(
        scheduling.free_hosts(
            db, booking.listing, starts_at, length_minutes=minutes, host_id=booking.host_id, without=booking.id
        )
    )


def _clear_proposal(db: Session, booking: Booking, actor: Actor, now: bool) -> None:
    """Only one proposal stands: one's own gives way to the newer, the other side's has to be answered."""
    query = select(BookingMove).where(BookingMove.booking_id == booking.id, BookingMove.state == "proposed")
    standing = db.scalar(query)
    if standing is None:
        return
    if not now and standing.side != actor.kind and standing.starts_at > clock.now():
        raise Conflict(_l("The other side has proposed a time. Answer that first."))
    MOVE.apply(db, standing, "withdraw", actor)
    standing.decided_at = clock.now()
    db.flush()


def _to_answer(db: Session, booking: Booking, actor: Actor) -> BookingMove:
    move = proposal(db, booking)
    if move is None:
        raise Conflict(_l("There is no proposal to answer any more."))
    if move.side == actor.kind:
        raise NotAllowed(_l("This is your own proposal; the other side answers it."))
    return move


def _sessions_of(db: Session, booking: Booking, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When the customer has other sessions, in whichever part."""
    return [
        (from_minute(since), from_minute(until))
        for since, until in scheduling.busy_of(db, booking.customer_id, start, end)
        if (since, until) != (to_minute(booking.starts_at), to_minute_up(booking.ends_at))
    ]


def _end(booking: Booking, starts_at: datetime) -> datetime:
    return starts_at + (booking.ends_at - booking.starts_at)


def _check_reason(reason: str) -> None:
    if len(reason) > LONGEST_REASON:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=LONGEST_REASON), field="reason")
