"""Booking a session: hold the slot, confirm it with the money, cancel it.

The order of a booking, all in one transaction each:

``hold``     slot row, guarded by the database; lapsed holds of both people expire first
``confirm``  money into escrow (nothing when free), state confirmed, room, mails with invitation, reminder, event
``cancel``   state cancelled, what the policy keeps is settled and the rest given back, mails, event
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from helpouts import events, site
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import mails
from helpouts.bookings.intake import check_answers
from helpouts.bookings.models import Booking
from helpouts.bookings.policy import cancellation_charge
from helpouts.bookings.states import BOOKING
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, Unavailable
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue, handler
from helpouts.payments import service as money
from helpouts.runtime import runtime_of
from helpouts.scheduling import service as scheduling
from helpouts.sessions.service import prepare_session

DEADLOCK = "40P01"


def hold(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    answers: Mapping[str, Any],
    *,
    zone: str,
    idempotency_key: str,
    actor: Actor,
) -> Booking:
    """Take a slot for the length of a checkout (site setting ``hold_minutes``).

    The same key from the same customer gives the same booking.

    :param starts_at: one of the instants that :func:`helpouts.scheduling.service.free_slots` offers.
    :param zone: the customer's IANA zone, kept for mails.
    :raises Conflict: the slot is taken, or one of the two has another session then.
    :raises Unavailable: the listing cannot be booked now; nothing is changed.
    """
    key = f"{customer.id}:{idempotency_key}"[:80]
    existing = db.scalar(select(Booking).where(Booking.idempotency_key == key))
    if existing is not None:
        return existing
    category = check_bookable(db, listing)
    intake = check_answers(category.intake, answers)
    host = listing.expert.owner
    if customer.id == host.id:
        raise NotAllowed(_l("You cannot book your own listing."))
    _take_turns(db, host.id, customer.id)
    expire_lapsed(db, host.id, customer.id)
    length = timedelta(minutes=listing.length_minutes)
    if starts_at not in scheduling.free_slots(db, listing, starts_at, starts_at + length):
        raise Conflict(_l("This time is not free any more. Please choose another."), field="start")
    fee = category.fee_bp if category.fee_bp is not None else site.get(db, "fee_bp")
    amount = listing.price_minor * (listing.length_minutes if listing.pricing == "per_minute" else 1)
    booking = Booking(
        public_id=secrets.token_urlsafe(16),
        listing_id=listing.id,
        expert_id=listing.expert_id,
        host_id=host.id,
        customer_id=customer.id,
        state=BOOKING.initial,
        starts_at=starts_at,
        ends_at=starts_at + length,
        held_until=clock.now() + timedelta(minutes=site.get(db, "hold_minutes")),
        title=listing.title,
        category=listing.category,
        pricing=listing.pricing,
        price_minor=listing.price_minor,
        currency=listing.currency,
        amount_minor=amount,
        fee_bp=0 if listing.pricing == "free" else fee,
        cancellation_policy=listing.cancellation_policy,
        customer_zone=zone,
        host_zone=scheduling.schedule_of(db, host.id).zone,
        intake=intake,
        idempotency_key=key,
    )
    _insert(db, booking)
    return booking


def check_bookable(db: Session, listing: Listing) -> Any:
    """The listing's category, when the listing can be booked now.

    :raises Unavailable: with the reason, when it cannot.
    """
    category = runtime_of(db).registry.categories(db).get(listing.category)
    if category is None:
        name = in_language(runtime_of(db).registry.category(listing.category).name)
        raise Unavailable(_l("Bookings in “%(name)s” are paused at the moment. Please come back later.", name=name))
    if listing.state != "live" or listing.expert.state != "active":
        raise Unavailable(_l("This listing cannot be booked at the moment."))
    if listing.pricing != "free" and not money.ready_to_be_paid(db, listing.expert.owner.id):
        raise Unavailable(_l("This expert cannot take payments at the moment."))
    return category


def _take_turns(db: Session, *user_ids: int) -> None:
    """Bookings of the same person go one after the other (PostgreSQL; SQLite has one writer anyway).

    The guard alone would be right but not kind: two transactions that wait in its index for each other's rows are a
    deadlock, and PostgreSQL may end the one that was first.
    """
    people = select(User.id).where(User.id.in_(user_ids)).order_by(User.id)
    db.execute(people.with_for_update(key_share=True))


def _insert(db: Session, booking: Booking) -> None:
    taken = Conflict(_l("Somebody was faster: this time has just been taken. Please choose another."), field="start")
    try:
        with db.begin_nested():
            db.add(booking)
            db.flush()
    except IntegrityError as error:
        text = str(error.orig)
        if "customer_overlap" in text:
            raise Conflict(_l("You have another session at that time. Please choose another."), field="start") from None
        if "overlap" in text or "idempotency_key" in text:
            raise taken from None
        raise
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == DEADLOCK:
            raise taken from None
        raise


def expire_lapsed(db: Session, *user_ids: int) -> int:
    """Let the holds of these people (all people, when none is named) lapse whose time is over; how many."""
    query = select(Booking).where(Booking.state == "held", Booking.held_until < clock.now())
    if user_ids:
        query = query.where(or_(Booking.host_id.in_(user_ids), Booking.customer_id.in_(user_ids)))
    lapsed = db.scalars(query.with_for_update(of=Booking)).unique().all()
    for booking in lapsed:
        BOOKING.apply(db, booking, "lapse", Actor("system", None, "system"), "the hold ran out")
    db.flush()
    return len(lapsed)


def confirm(db: Session, booking: Booking, actor: Actor) -> Booking:
    """Pay (when it costs something) and confirm a held booking; confirming it again changes nothing.

    :raises payments.Declined: the money is not there; the hold stays.
    :raises Conflict: the hold has lapsed or was given up.
    :raises Unavailable: the category was disabled meanwhile.
    """
    db.refresh(booking, with_for_update={"of": Booking})
    if booking.state == "confirmed":
        return booking
    if booking.state == "expired":
        raise Conflict(_l("Your reservation has run out. Please choose a time again."))
    check_bookable(db, booking.listing)
    BOOKING.apply(db, booking, "confirm", actor)
    booking.confirmed_at, booking.held_until = clock.now(), None
    if booking.amount_minor:
        payment = money.hold_for_booking(db, booking, actor)
        if payment.state != "held":
            raise Unavailable(_l("This way of paying is not ready for bookings yet. Nothing was charged."))
    session = prepare_session(db, booking)
    mails.confirmed(db, booking)
    remind_at = booking.starts_at - timedelta(hours=1)
    if remind_at > clock.now():
        enqueue(db, "booking.remind", {"booking": booking.id}, run_at=remind_at, dedupe_key=f"remind:{booking.id}:0")
    enqueue(db, "session.close", {"session": session.id}, run_at=booking.ends_at + timedelta(minutes=15))
    events.emit(db, "booking_confirmed", booking_id=booking.id)
    return booking


def book(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    intake: Mapping[str, Any],
    actor: Actor,
    idempotency_key: str,
    zone: str = "UTC",
) -> Booking:
    """Hold and confirm in one step: for callers that have asked everything already."""
    booking = hold(db, listing, customer, starts_at, intake, zone=zone, idempotency_key=idempotency_key, actor=actor)
    return confirm(db, booking, actor) if booking.state == "held" else booking


def charge_now(booking: Booking, actor: Actor) -> int:
    """What cancelling would cost the customer at this moment, minor units."""
    if actor.kind != "customer":
        return 0
    return cancellation_charge(
        booking.cancellation_policy,
        booking.pricing,
        booking.price_minor,
        booking.amount_minor,
        booking.starts_at,
        clock.now(),
    )


def cancel(db: Session, booking: Booking, reason: str, actor: Actor) -> Booking:
    """Cancel a confirmed booking, or give up a held one; the policy decides what is charged.

    :raises Conflict: it has begun, is over or was cancelled already.
    """
    if len(reason) > 1000:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=1000), field="reason")
    db.refresh(booking, with_for_update={"of": Booking})
    if booking.state == "held":
        BOOKING.apply(db, booking, "abandon", actor, reason)
        return booking
    charge = charge_now(booking, actor)
    BOOKING.apply(db, booking, "cancel", actor, reason)
    booking.cancel_reason, booking.closed_at = reason, clock.now()
    booking.ical_sequence += 1
    if booking.amount_minor:
        money.release_booking(db, booking, charge, actor)
    mails.cancelled(db, booking, charge, actor)
    events.emit(db, "booking_cancelled", booking_id=booking.id, reason=reason)
    return booking


@handler("booking.remind")
def remind(db: Session, payload: Mapping[str, Any]) -> None:
    """An hour before: remind both, if the booking still stands."""
    booking = db.get_one(Booking, payload["booking"])
    if booking.state == "confirmed":
        mails.reminder(db, booking)


@handler("booking.lapse", every_seconds=60)
def lapse(db: Session, _payload: Mapping[str, Any]) -> None:
    """Let all holds lapse whose time is over (correctness does not wait for it; lists do)."""
    expire_lapsed(db)
