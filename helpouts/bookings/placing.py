"""Placing a booking: hold the slot, confirm it with the money.

``prepare``  checks, in a transaction that reads
``reserve``  the row, guarded by the database; lapsed holds in its way expire first
``confirm``  money into escrow (nothing when free), state confirmed, room, and the promise to tell everybody
``place``    both at once, as one row
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import announce
from helpouts.bookings.drafts import Draft, check_bookable, draft, key_of
from helpouts.bookings.models import Booking
from helpouts.bookings.standing import CHANGED, Now, look_again
from helpouts.bookings.states import BOOKING
from helpouts.bookings.writing import clear_way, refused, take_turns, write
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.db import keys
from helpouts.db.later import write_now
from helpouts.db.objects import new
from helpouts.db.once import carry
from helpouts.db.prepared import Prepared
from helpouts.errors import Conflict, NotAllowed, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import service as money
from helpouts.scheduling import changes
from helpouts.sessions.service import prepare_session
from helpouts.states import Change

_row = Booking.__table__.c
_BY_KEY = Prepared(select(_row.id).where(_row.idempotency_key == bindparam("key")))
#: What others may change of a booking while it stands.
_CHANGING = (
    *("state", "held_until", "starts_at", "ends_at", "ical_sequence", "confirmed_at", "closed_at"),
    *("price_minor", "amount_minor"),
)


def prepare(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    answers: Mapping[str, Any] | None,
    *,
    idempotency_key: str,
    **wish: Any,
) -> Draft | Booking:
    """A :func:`~helpouts.bookings.drafts.draft`, or the booking that the same request has made already.

    :raises HelpoutsError: as for a draft.
    """
    before = placed_before(db, customer.id, idempotency_key)
    if before is not None:
        return before
    try:
        return draft(db, listing, customer, starts_at, answers, idempotency_key=idempotency_key, **wish)
    except Conflict:
        before = placed_before(db, customer.id, idempotency_key)  # a second click: it was made in this moment
        if before is None:
            raise
        return before


def reserve(db: Session, made: Draft, actor: Actor, held_until: datetime | None = None) -> Booking:
    """Write the booking of a draft, held for the length of a checkout (site setting ``hold_minutes``).

    What the draft rests on is compared with what is there now; when it differs, all is checked again.
    The same key from the same customer gives the same booking.

    :param held_until: instead of the site's setting.
    :raises Conflict: the slot was taken meanwhile, or one of the two has another session then.
    :raises Unavailable: the listing cannot be booked any more.
    """
    carry(db, made.settings)
    fresh = _still(db, made, actor)
    if isinstance(fresh, Booking):
        return fresh
    made, now = fresh
    until = held_until or clock.now() + timedelta(minutes=made.hold_minutes)
    booking = _write(db, made, _new(made, BOOKING.initial, held_until=until), now)
    changes.touch(db, [booking.host_id, booking.customer_id])
    return booking


def place(db: Session, made: Draft, actor: Actor) -> Booking:
    """The same, confirmed and paid for at once.

    :raises Declined: the money is not there.
    """
    carry(db, made.settings)
    ready = _ready(db, made, actor)  # before the first statement: from then on all other writers of SQLite wait
    fresh = _still(db, made, actor)
    if isinstance(fresh, Booking):
        return confirm(db, fresh, actor) if fresh.state == "held" else fresh
    current, now = fresh
    if current is not made:
        ready = _ready(db, current, actor)
    keys.offer(db, now.keys)
    try:
        booking = _write(db, current, ready.booking, now)
        BOOKING.note(db, booking.id, ready.step, BOOKING.initial, actor)
        finish(db, booking, actor, ready.hold, fresh=True)
        write_now(db)
    except DBAPIError as error:
        raise refused(error) from None
    finally:
        keys.withdraw(db)
    return booking


def confirm(
    db: Session, booking: Booking, actor: Actor, hold: money.Hold | None = None, *, agreed_minor: int | None = None
) -> Booking:
    """Pay (when it costs something) and confirm a held booking; confirming it again changes nothing.

    :param hold: of the money, drafted before.
    :param agreed_minor: the amount that the customer has read, where they have read one.
    :raises payments.Declined: the money is not there; the hold stays.
    :raises Conflict: the hold has lapsed or was given up, or it costs something else meanwhile.
    :raises Unavailable: the category was disabled meanwhile.
    """
    lock(db, booking)
    if booking.state == "confirmed":
        return booking
    if booking.state == "expired":
        raise Conflict(_l("Your reservation has run out. Please choose a time again."))
    if agreed_minor is not None and agreed_minor != booking.amount_minor:
        raise Conflict(_l("The price has changed meanwhile. Look at it again, then pay."))
    check_bookable(db, booking.listing)
    BOOKING.apply(db, booking, "confirm", actor)
    booking.confirmed_at, booking.held_until = clock.now(), None
    db.flush()
    finish(db, booking, actor, hold)
    return booking


def finish(db: Session, booking: Booking, actor: Actor, hold: money.Hold | None = None, *, fresh: bool = False) -> None:
    """What a booking has as soon as it is confirmed: its money in escrow, a room, and the promise to tell everybody.

    :param hold: of the money, drafted before.
    :param fresh: the booking was written in this transaction, so that nothing of it can be there yet.
    """
    if booking.amount_minor:
        payment = money.hold(db, hold, booking, actor) if hold else money.hold_for_booking(db, booking, actor)
        if payment.state != "held":
            raise Unavailable(_l("This way of paying is not ready for bookings yet. Nothing was charged."))
    prepare_session(db, booking, fresh=fresh)
    announce.promise(db, booking, "confirmed")
    changes.touch(db, [booking.host_id, booking.customer_id])


def lock(db: Session, booking: Booking) -> None:
    """Take the booking for this transaction and read again what others may have changed of it."""
    db.refresh(booking, _CHANGING, with_for_update={"of": Booking})


def placed_before(db: Session, customer_id: int, idempotency_key: str) -> Booking | None:
    """The booking that the same request has made already."""
    found = _BY_KEY.scalar(db, {"key": key_of(customer_id, idempotency_key)})
    return None if found is None else db.get_one(Booking, found)


def _still(db: Session, made: Draft, actor: Actor) -> tuple[Draft, Now] | Booking:
    """The draft, made again when things have changed since; the booking, when the same request has made it."""
    if made.wish["waive"] and actor.kind != "operator":
        raise NotAllowed(_l("Only an operator can set the rules of a time aside."))
    customer_id = made.values["customer_id"]
    take_turns(db, customer_id, made.values["host_id"])
    now = look_again(db, made.values, made.reach, made.seen)
    if now.unchanged:
        return made, now
    before = placed_before(db, customer_id, made.wish["idempotency_key"])
    if before is not None:
        return before
    listing = db.get_one(Listing, made.values["listing_id"], populate_existing=True)
    return draft(db, listing, db.get_one(User, customer_id), **made.wish), CHANGED


class _Ready(NamedTuple):
    """What is written of a draft that is confirmed at once, as far as it is known before the booking has its key."""

    booking: Booking
    step: Change
    hold: money.Hold | None


def _ready(db: Session, made: Draft, actor: Actor) -> _Ready:
    step = BOOKING.step(BOOKING.initial, "confirm", actor)
    booking = _new(made, step.target, confirmed_at=clock.now())
    return _Ready(booking, step, money.draft_hold(db, booking) if booking.amount_minor else None)


def _new(made: Draft, state: str, **times: datetime) -> Booking:
    return new(Booking, {**made.values, "state": state, "created_at": clock.now(), **times})


def _write(db: Session, made: Draft, booking: Booking, now: Now) -> Booking:
    """Write the row of a draft's booking, once nothing is in its way."""
    if not now.clear:
        clear_way(db, booking.host_id, booking.customer_id, booking.starts_at, booking.ends_at)
    return write(db, booking, made.listing, made.customer)
