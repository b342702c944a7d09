"""Placing a booking: hold the slot, confirm it with the money.

``hold``     the row, guarded by the database; lapsed holds in its way expire first
``confirm``  money into escrow (nothing when free), state confirmed, room, and the promise to tell everybody
``book``     both at once, as one row
``place``    the same from a draft that was made before the transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import announce
from helpouts.bookings.drafts import Draft, check_bookable, draft, hosts_of, key_of, unchanged
from helpouts.bookings.models import Booking
from helpouts.bookings.states import BOOKING
from helpouts.bookings.writing import clear_way, take_turns, write
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.db.once import carry
from helpouts.db.prepared import Prepared, new
from helpouts.errors import Conflict, NotAllowed, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import service as money
from helpouts.scheduling import changes
from helpouts.sessions.service import prepare_session

_row = Booking.__table__.c
_BY_KEY = Prepared(select(_row.id).where(_row.idempotency_key == bindparam("key")))
#: What others may change of a booking while it stands.
_CHANGING = ("state", "held_until", "starts_at", "ends_at", "ical_sequence", "confirmed_at", "closed_at")


def hold(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    answers: Mapping[str, Any] | None,
    *,
    zone: str,
    idempotency_key: str,
    actor: Actor,
    length_minutes: int | None = None,
    host_id: int | None = None,
    waive: bool = False,
    held_until: datetime | None = None,
) -> Booking:
    """Take a slot for the length of a checkout (site setting ``hold_minutes``).

    The same key from the same customer gives the same booking.

    :param starts_at: one of the instants that :func:`helpouts.scheduling.service.free_slots` offers.
    :param zone: the customer's IANA zone, kept for mails.
    :param length_minutes: one of the listing's lengths; its main one by default.
    :param host_id: the member who shall serve; by default the first that the listing's serving rule names.
    :param waive: an operator's: the host's soft rules do not count; an overlap is refused all the same.
    :param held_until: instead of the site's setting.
    :raises Conflict: the slot is taken, or one of the two has another session then.
    :raises Unavailable: the listing cannot be booked now; nothing is changed.
    """
    existing = placed_before(db, customer.id, idempotency_key)
    if existing is not None:
        return existing
    made = _draft(
        db, listing, customer, starts_at, answers, zone, idempotency_key, length_minutes, host_id, actor, waive
    )
    return _write(db, made, held_until=held_until)


def book(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    answers: Mapping[str, Any] | None,
    actor: Actor,
    idempotency_key: str,
    zone: str = "UTC",
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
    waive: bool = False,
) -> Booking:
    """Hold and confirm in one step: for callers that have asked everything already."""
    existing = placed_before(db, customer.id, idempotency_key)
    if existing is not None:
        return confirm(db, existing, actor) if existing.state == "held" else existing
    made = _draft(
        db, listing, customer, starts_at, answers, zone, idempotency_key, length_minutes, host_id, actor, waive
    )
    return _write(db, made, actor)


def place(db: Session, made: Draft, actor: Actor) -> Booking:
    """Write the booking of a draft and confirm it, as :func:`book` does.

    What the draft rests on is compared with what is there now; when it differs, all is checked again.

    :raises Conflict: the time was taken meanwhile.
    :raises Declined: the money is not there.
    """
    carry(db, made.settings)
    take_turns(db, made.values["customer_id"], made.values["host_id"])
    if not unchanged(db, made):
        existing = placed_before(db, made.values["customer_id"], made.wish["idempotency_key"])
        if existing is not None:
            return confirm(db, existing, actor) if existing.state == "held" else existing
        listing = db.get_one(Listing, made.values["listing_id"], populate_existing=True)
        made = draft(db, listing, db.get_one(User, made.values["customer_id"]), **made.wish)
    return _write(db, made, actor)


def confirm(db: Session, booking: Booking, actor: Actor) -> Booking:
    """Pay (when it costs something) and confirm a held booking; confirming it again changes nothing.

    :raises payments.Declined: the money is not there; the hold stays.
    :raises Conflict: the hold has lapsed or was given up.
    :raises Unavailable: the category was disabled meanwhile.
    """
    lock(db, booking)
    if booking.state == "confirmed":
        return booking
    if booking.state == "expired":
        raise Conflict(_l("Your reservation has run out. Please choose a time again."))
    check_bookable(db, booking.listing)
    BOOKING.apply(db, booking, "confirm", actor)
    booking.confirmed_at, booking.held_until = clock.now(), None
    db.flush()
    finish(db, booking, actor)
    return booking


def finish(db: Session, booking: Booking, actor: Actor, *, fresh: bool = False) -> None:
    """What a booking has as soon as it is confirmed: its money in escrow, a room, and the promise to tell everybody.

    :param fresh: the booking was written in this transaction, so that nothing of it can be there yet.
    """
    if booking.amount_minor:
        payment = money.hold_for_booking(db, booking, actor, fresh=fresh)
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


def _draft(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    answers: Mapping[str, Any] | None,
    zone: str,
    idempotency_key: str,
    length_minutes: int | None,
    host_id: int | None,
    actor: Actor,
    waive: bool,
) -> Draft:
    """A draft within the transaction that writes it: after the people's turn has come."""
    if waive and actor.kind != "operator":
        raise NotAllowed(_l("Only an operator can set the rules of a time aside."))
    take_turns(db, customer.id, *([host_id] if host_id else hosts_of(listing)))
    return draft(
        db,
        listing,
        customer,
        starts_at,
        answers,
        zone=zone,
        idempotency_key=idempotency_key,
        length_minutes=length_minutes,
        host_id=host_id,
        waive=waive,
    )


def _write(db: Session, made: Draft, confirmed_by: Actor | None = None, held_until: datetime | None = None) -> Booking:
    """The row: held, or confirmed at once by that actor."""
    now, values = clock.now(), dict(made.values)
    clear_way(db, values["host_id"], values["customer_id"], values["starts_at"], values["ends_at"])
    until = held_until or now + timedelta(minutes=made.hold_minutes)
    values |= {"state": BOOKING.initial, "held_until": until, "created_at": now}
    step = None
    if confirmed_by is not None:
        step = BOOKING.step(BOOKING.initial, "confirm", confirmed_by)
        values |= {"state": step.target, "held_until": None, "confirmed_at": now}
    booking = write(db, new(Booking, values), made.listing, made.customer)
    if step is None or confirmed_by is None:
        changes.touch(db, [booking.host_id, booking.customer_id])
        return booking
    BOOKING.note(db, booking.id, step, BOOKING.initial, confirmed_by)
    finish(db, booking, confirmed_by, fresh=True)
    return booking
