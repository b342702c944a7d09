"""The customer's side: ask for help now, stay in the line, give up.

Asking holds the most that the session can cost before anything rings.  The money hangs on a booking in the state
"requested", which takes nobody's time; whoever accepts turns that row into the booking of the session.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts import site
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.drafts import check_bookable, hosts_of, key_of, zone_of
from helpouts.bookings.intake import check_answers
from helpouts.bookings.lapse import expire_lapsed
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.errors import Conflict, NotAllowed, NotFound, Unavailable
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.instant import driving, matching
from helpouts.instant.models import OPEN_STATES, InstantRequest
from helpouts.instant.states import REQUEST
from helpouts.payments import service as money
from helpouts.runtime import runtime_of


class NobodyThere(Conflict):
    """No expert who fits is there at this moment, not even a busy one; nothing was charged."""


def open_request(db: Session, user_id: int) -> InstantRequest | None:
    """The request of this customer that still looks for an expert."""
    mine = (InstantRequest.customer_id == user_id, InstantRequest.state.in_(OPEN_STATES))
    return db.scalar(select(InstantRequest).where(*mine))


def own_request(db: Session, public_id: str, user_id: int) -> InstantRequest:
    """A request of this customer.

    :raises NotFound: otherwise, whether it exists or not.
    """
    request = db.scalar(select(InstantRequest).where(InstantRequest.public_id == public_id))
    if request is None or request.customer_id != user_id:
        raise NotFound(_l("There is no such request."))
    return request


def ask(
    db: Session,
    customer: User,
    answers: Mapping[str, Any],
    *,
    listing: Listing | None = None,
    category: str = "",
    subcategory: str = "",
    most_minor: int = 0,
    currency: str = "EUR",
    others: bool = False,
    zone: str,
    idempotency_key: str,
    actor: Actor,
) -> InstantRequest:
    """Ask for help now, from a listing or in a field; the first expert rings when this returns, or the line is joined.

    The same key from the same customer gives the same request.

    :param most_minor: for a field: the most that the session may cost, minor units of ``currency``.  For a listing its
        own price is the most, also where ``others`` of the field may be asked.
    :raises Declined: the money is not there; nothing has rung.
    :raises NobodyThere: nobody who fits is there.
    :raises Conflict: the customer has a session now, or asks already.
    :raises Unavailable: the listing, the field or paying is switched off.
    """
    existing = db.scalar(
        select(InstantRequest)
        .join(Booking, Booking.id == InstantRequest.booking_id)
        .where(Booking.idempotency_key == _key(customer, idempotency_key))
    )
    if existing is not None:
        return existing
    driving.take_turn(db)
    if open_request(db, customer.id) is not None:
        raise Conflict(_l("You are asking for help already: wait for the answer, or withdraw that request first."))
    if listing is not None:
        if customer.id in hosts_of(listing):
            raise NotAllowed(_l("You cannot ask yourself for help."))
        category, subcategory = listing.category, listing.subcategory
        most_minor, currency = matching.cost_of(listing), listing.currency
        found = check_bookable(db, listing)
    else:
        found = _field(db, category)
    intake = check_answers(found.intake, answers)
    wish = matching.Wish(
        customer.id, listing.id if listing else None, category, subcategory, most_minor, currency, others
    )
    now = clock.now()
    guess = next(matching.candidates(db, wish, now), None) or next(iter(matching.busy(db, wish, now)), None)
    if guess is None:
        raise NobodyThere(_l("Nobody who fits is available at this moment. Nothing was charged."))
    expire_lapsed(db, customer.id)
    if matching.booked(db, customer.id, now, now + timedelta(minutes=guess.listing.length_minutes)):
        raise Conflict(_l("You have a session now or very soon: two at once are not possible."))
    fee = found.fee_bp if found.fee_bp is not None else site.get(db, "fee_bp")
    title = listing.title if listing is not None else in_language(found.name)
    booking = _booking(db, customer, guess, title, most_minor, currency, fee, intake, zone, idempotency_key, now)
    request = InstantRequest(
        public_id=secrets.token_urlsafe(16),
        customer_id=customer.id,
        booking_id=0,
        listing_id=wish.listing_id,
        category=category,
        subcategory=subcategory,
        most_minor=most_minor,
        currency=currency,
        others=others,
        state=REQUEST.initial,
        asked_at=now,
        heard_until=_grace(db),
    )
    _write(db, booking, request)
    if most_minor:
        payment = money.hold_for_booking(db, booking, actor)
        if payment.state != "held":
            raise Unavailable(_l("This way of paying is not ready for help right now. Nothing was charged."))
    driving.drive(db)
    return request


def hear(db: Session, *user_ids: int) -> None:
    """These customers are still there: their requests keep their place; one statement for all of them."""
    mine = (InstantRequest.customer_id.in_(user_ids), InstantRequest.state.in_(OPEN_STATES))
    db.execute(update(InstantRequest).where(*mine).values(heard_until=_grace(db)))


def withdraw(db: Session, request: InstantRequest, actor: Actor) -> InstantRequest:
    """Give up; costs nothing.  Giving up again changes nothing.

    :raises Conflict: somebody has accepted in this moment.
    """
    driving.take_turn(db)
    lock(db, request)
    if request.state in OPEN_STATES:
        driving.close(db, request, "withdraw", actor)
        driving.drive(db)
    elif request.state == "accepted":
        raise Conflict(_l("Somebody has just accepted. The room is open for you."))
    return request


def lock(db: Session, request: InstantRequest) -> None:
    """Take the request for this transaction, and read it and its booking again."""
    db.refresh(request, with_for_update={"of": InstantRequest})
    db.refresh(request.booking, with_for_update={"of": Booking})


def _grace(db: Session) -> datetime:
    return clock.now() + timedelta(seconds=site.get(db, "line_grace_seconds"))


def _key(customer: User, idempotency_key: str) -> str:
    return key_of(customer.id, f"now:{idempotency_key}")


def _field(db: Session, category: str) -> Any:
    found = runtime_of(db).registry.categories(db).get(category)
    if found is None:
        raise Unavailable(_l("There is no help in this field at the moment. Please choose another."))
    return found


def _booking(
    db: Session,
    customer: User,
    guess: matching.Candidate,
    title: str,
    most_minor: int,
    currency: str,
    fee_bp: int,
    intake: list[dict[str, Any]],
    zone: str,
    idempotency_key: str,
    now: datetime,
) -> Booking:
    return Booking(
        public_id=secrets.token_urlsafe(16),
        listing_id=guess.listing.id,
        expert_id=guess.listing.expert_id,
        host_id=guess.user_id,
        customer_id=customer.id,
        state="requested",
        kind="instant",
        starts_at=now,
        ends_at=now + timedelta(minutes=guess.listing.length_minutes),
        title=title[:120],
        category=guess.listing.category,
        pricing=guess.listing.pricing,
        price_minor=guess.listing.price_minor,
        currency=currency,
        amount_minor=most_minor,
        fee_bp=fee_bp if most_minor else 0,
        cancellation_policy=guess.listing.cancellation_policy,
        customer_zone=zone,
        host_zone=zone_of(db, guess.user_id),
        intake=intake,
        idempotency_key=_key(customer, idempotency_key),
    )


def _write(db: Session, booking: Booking, request: InstantRequest) -> None:
    try:
        with db.begin_nested():
            db.add(booking)
            db.flush()
            request.booking_id = booking.id
            db.add(request)
            db.flush()
    except IntegrityError as error:
        if "instant_request" in str(error.orig) or "idempotency_key" in str(error.orig):
            raise Conflict(_l("You are asking for help already: wait for the answer.")) from None
        raise
