"""More minutes for a session that runs: one side asks, the other agrees, and the same booking gets a later end.

The money for them is held first, in the same transaction: at the minute rate, or the same part of a fixed price; a free
session stays free.  The database guards the longer time as it does any other: whoever booked it first has it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.audit.actor import Actor
from helpouts.bookings import announce
from helpouts.bookings.lapse import expire_lapsed
from helpouts.bookings.models import Booking, BookingExtension
from helpouts.bookings.placing import lock
from helpouts.bookings.states import EXTENSION
from helpouts.bookings.writing import LIVE, clear_way, refused, take_turns
from helpouts.calendars.invitations import changed
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import Declined, NotSupported, rounding
from helpouts.payments import service as money
from helpouts.scheduling import changes
from helpouts.sessions.service import lock_session, session_of, tell

#: What can be asked for, minutes.
CHOICES = (5, 10, 15, 30)
#: How long after the booked end a session can still be extended: its room is open so long.
LATEST = announce.CLOSES_AFTER


def price_of(booking: Booking, minutes: int) -> int:
    """What is held on top for so many minutes more, minor units."""
    if booking.pricing == "free":
        return 0
    if booking.pricing == "per_minute":
        return booking.price_minor * minutes
    length = (booking.ends_at - booking.starts_at) // timedelta(seconds=1)
    return rounding.half_even(booking.price_minor * minutes * 60, length)


def open_extension(db: Session, booking: Booking) -> BookingExtension | None:
    """What was asked for and waits for an answer."""
    query = select(BookingExtension).where(
        BookingExtension.booking_id == booking.id, BookingExtension.state == "proposed"
    )
    return db.scalar(query)


def most_minutes(db: Session, booking: Booking) -> int:
    """For how many of :data:`CHOICES` both people are free: the largest, 0 when none."""
    found = _in_the_way(db, booking, CHOICES[-1])
    left = CHOICES[-1] if found is None else (found[0] - booking.ends_at) // timedelta(minutes=1)
    return max((minutes for minutes in CHOICES if minutes <= left), default=0)


def obstacle(db: Session, booking: Booking) -> object:
    """Why nobody can ask for more minutes however free both are, for people; "" when they can."""
    try:
        money.lacking(db, booking, 0)
    except NotSupported as error:
        return error.message
    return ""


def ask(db: Session, booking: Booking, minutes: int, actor: Actor) -> BookingExtension:
    """The expert offers, or the customer asks for, more minutes; a newer wish of the same side replaces an older one.

    :raises HelpoutsError: for a length that is not one of :data:`CHOICES`.
    :raises Conflict: the session does not run, or one of the two has something else then.
    :raises Declined: the customer's money does not reach.
    :raises NotSupported: the payment cannot hold more.
    """
    if minutes not in CHOICES:
        raise HelpoutsError(_l("Choose one of the lengths that are offered."), field="minutes")
    _begin(db, booking)
    standing = open_extension(db, booking)
    if standing is not None and standing.side != actor.kind:
        raise Conflict(_l("The other side has asked already. Answer that first."))
    extra = price_of(booking, minutes)
    _check_free(db, booking, minutes, actor)
    if actor.kind == "customer":
        _check_money(db, booking, extra, actor)
    elif extra:
        money.lacking(db, booking, extra)  # a payment that cannot be raised says so before the customer is asked
    if standing is not None:
        _decide(db, standing, "withdraw", actor)
    extension = BookingExtension(
        booking_id=booking.id,
        state=EXTENSION.initial,
        side=actor.kind,
        asked_by=actor.user_id,
        minutes=minutes,
        amount_minor=extra,
        old_ends_at=booking.ends_at,
    )
    db.add(extension)
    db.flush()
    _tell(db, booking)
    return extension


def agree(db: Session, booking: Booking, extension_id: int, actor: Actor) -> BookingExtension:
    """The other side agrees: the money is held, the session ends later, everybody is told.

    :param extension_id: what the person has read; a newer wish is not agreed to unseen.
    :raises Conflict: it is answered or taken back already, or the time was taken meanwhile.
    :raises NotAllowed: it is one's own wish.
    :raises Declined: the customer's money does not reach; nothing was changed.
    """
    _begin(db, booking)
    extension = _to_answer(db, booking, extension_id, actor)
    _check_free(db, booking, extension.minutes, actor)
    if extension.amount_minor:
        _check_money(db, booking, extension.amount_minor, actor)
        money.raise_hold(db, booking, extension.amount_minor, actor)
    ends_at = booking.ends_at + timedelta(minutes=extension.minutes)
    clear_way(db, booking.host_id, booking.customer_id, booking.ends_at, ends_at, booking.id)
    try:
        with db.begin_nested():
            booking.ends_at = ends_at
            booking.amount_minor += extension.amount_minor
            if booking.pricing == "fixed":
                booking.price_minor += extension.amount_minor
            changed(booking)
            db.flush()
    except DBAPIError as error:
        raise refused(error) from None
    _decide(db, extension, "do", actor)
    announce.promise(db, booking, "extended", extension=extension.id)
    changes.touch(db, [booking.host_id, booking.customer_id])
    _tell(db, booking)
    return extension


def decline(db: Session, booking: Booking, extension_id: int, actor: Actor) -> BookingExtension:
    """The other side does not want it, or the one who asked takes it back; the session ends as booked."""
    _begin(db, booking)
    extension = open_extension(db, booking)
    if extension is None or extension.id != extension_id:
        raise Conflict(_l("There is nothing to answer any more."))
    _decide(db, extension, "withdraw" if extension.side == actor.kind else "decline", actor)
    _tell(db, booking)
    return extension


def last_extension(db: Session, booking: Booking) -> BookingExtension | None:
    """The newest wish, whatever became of it."""
    query = select(BookingExtension).where(BookingExtension.booking_id == booking.id)
    return db.scalar(query.order_by(BookingExtension.id.desc()).limit(1))


def _begin(db: Session, booking: Booking) -> None:
    """Take session, people and booking for this transaction, in the order in which others take them."""
    session = session_of(db, booking)
    if session is not None:
        lock_session(db, session)
    take_turns(db, booking.host_id, booking.customer_id)
    lock(db, booking)
    if session is None or session.state != "open" or booking.state != "in_session":
        raise Conflict(_l("Only a session that runs can be extended."))
    if clock.now() >= booking.ends_at + LATEST:
        raise Conflict(_l("The time of this session is over. Book another one."))


def _in_the_way(db: Session, booking: Booking, minutes: int) -> tuple[datetime, bool, bool] | None:
    """(start, whether the host is in it, whether the customer is) of the first session that the minutes would reach."""
    people = (booking.host_id, booking.customer_id)
    query = (
        select(Booking.starts_at, Booking.host_id, Booking.customer_id)
        .where(
            LIVE,
            or_(Booking.host_id.in_(people), Booking.customer_id.in_(people)),
            Booking.id != booking.id,
            Booking.starts_at < booking.ends_at + timedelta(minutes=minutes),
            Booking.ends_at > booking.ends_at,
        )
        .order_by(Booking.starts_at)
        .limit(1)
    )
    row = db.execute(query).first()
    return None if row is None else (row[0], booking.host_id in row[1:], booking.customer_id in row[1:])


def _check_free(db: Session, booking: Booking, minutes: int, actor: Actor) -> None:
    expire_lapsed(db, booking.host_id, booking.customer_id)
    found = _in_the_way(db, booking, minutes)
    if found is None:
        return
    start, hosts, books = found
    mine = hosts if actor.user_id == booking.host_id else books
    if not mine:
        raise Conflict(_l("The other side has another session then."), field="minutes")
    left = (start - booking.ends_at) // timedelta(minutes=1)
    fitting = [choice for choice in CHOICES if choice <= left]
    if fitting:
        text = _l("Your next session begins then: at most %(minutes)s more minutes fit.", minutes=fitting[-1])
        raise Conflict(text, field="minutes")
    raise Conflict(_l("Your next session begins then."), field="minutes")


def _check_money(db: Session, booking: Booking, extra: int, actor: Actor) -> None:
    lacks = money.lacking(db, booking, extra) if extra else 0
    if not lacks:
        return
    if actor.kind != "customer":
        raise Declined(_l("The customer's money does not reach for it at the moment."))
    raise Declined(
        _l("Your wallet lacks %(amount)s. Top it up, then try again.", amount=formatting.money(lacks, booking.currency))
    )


def _to_answer(db: Session, booking: Booking, extension_id: int, actor: Actor) -> BookingExtension:
    extension = open_extension(db, booking)
    if extension is None or extension.id != extension_id:
        raise Conflict(_l("There is nothing to answer any more."))
    if extension.side == actor.kind:
        raise NotAllowed(_l("You have asked for it yourself; the other side answers."))
    return extension


def _decide(db: Session, extension: BookingExtension, event: str, actor: Actor) -> None:
    EXTENSION.apply(db, extension, event, actor)
    extension.decided_at = clock.now()
    db.flush()


def _tell(db: Session, booking: Booking) -> None:
    session = session_of(db, booking)
    if session is not None:
        tell(db, session, {"type": "extension"})
