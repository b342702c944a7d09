"""The expert's side: accept what rings, or decline it.  The first device that answers wins."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts import site
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import writing
from helpouts.bookings.drafts import check_bookable, zone_of
from helpouts.bookings.models import Booking
from helpouts.bookings.placing import finish
from helpouts.bookings.states import BOOKING
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.instant import driving, matching
from helpouts.instant.asking import lock
from helpouts.instant.models import AvailableSwitch, InstantOffer
from helpouts.instant.states import OFFER, REQUEST
from helpouts.notices.service import notify
from helpouts.payments import service as money
from helpouts.scheduling import changes

#: Why an offer cannot be taken any more, by its state.
_OVER = {
    "accepted": _l("You have answered on another device."),
    "declined": _l("You have answered on another device."),
    "stopped": _l("The customer does not need help any more."),
    "missed": _l("The time to answer is over: somebody else is asked."),
    "ringing": _l("The time to answer is over: somebody else is asked."),
}


def own_offer(db: Session, public_id: str, user_id: int) -> InstantOffer:
    """An offer to this person.

    :raises NotFound: otherwise, whether it exists or not.
    """
    offer = db.scalar(select(InstantOffer).where(InstantOffer.public_id == public_id))
    if offer is None or offer.user_id != user_id:
        raise NotFound(_l("There is no such request."))
    return offer


def accept(db: Session, offer: InstantOffer, actor: Actor) -> Booking:
    """Take the request: one conditional UPDATE decides, and the requested booking becomes the session's.

    :returns: the confirmed booking, which begins now; its room is open.
    :raises Conflict: somebody or something was faster; the caller rolls back and calls :func:`skip`.
    """
    request = offer.request
    lock(db, request)
    _claim(db, offer, "accept", actor)
    REQUEST.apply(db, request, "accept", actor)
    request.closed_at = clock.now()
    booking, listing = request.booking, offer.listing
    category = check_bookable(db, listing)
    fee = category.fee_bp if category.fee_bp is not None else site.get(db, "fee_bp")
    starts_at, amount = clock.now(), matching.cost_of(listing)
    ends_at = starts_at + timedelta(minutes=listing.length_minutes)
    writing.take_turns(db, offer.user_id, request.customer_id)
    writing.clear_way(db, offer.user_id, request.customer_id, starts_at, ends_at, booking.id)
    held = booking.amount_minor
    booking.host_id, booking.expert_id, booking.listing_id = offer.user_id, listing.expert_id, listing.id
    booking.starts_at, booking.ends_at, booking.confirmed_at = starts_at, ends_at, starts_at
    booking.title, booking.pricing, booking.price_minor = listing.title, listing.pricing, listing.price_minor
    booking.cancellation_policy, booking.host_zone = listing.cancellation_policy, zone_of(db, offer.user_id)
    booking.fee_bp = 0 if listing.pricing == "free" else fee
    try:
        with db.begin_nested():
            BOOKING.apply(db, booking, "accept", actor)
            db.flush()
    except DBAPIError as error:
        raise writing.refused(error) from None
    if held:
        _settle_on(db, booking, amount)
    booking.amount_minor = amount
    db.flush()
    db.refresh(booking)
    finish(db, booking, actor)
    switch = db.get(AvailableSwitch, offer.user_id)
    if switch is not None:
        switch.missed = 0
    driving.tell(db, offer.user_id, request.customer_id)
    notify(
        db,
        request.customer_id,
        "line",
        _l("%(name)s is ready for you", name=booking.host.name),
        _l("Your session begins now: go into the room."),
        f"/bookings/{booking.public_id}",
        urgent=True,
    )
    return booking


def decline(db: Session, offer: InstantOffer, actor: Actor) -> None:
    """Not now: the next expert is asked at once.

    :raises Conflict: it does not ring any more.
    """
    driving.take_turn(db)
    lock(db, offer.request)
    _claim(db, offer, "decline", actor)
    switch = db.get(AvailableSwitch, offer.user_id)
    if switch is not None:
        switch.missed = 0
    driving.tell(db, offer.user_id)
    driving.drive(db)


def skip(db: Session, offer: InstantOffer, reason: HelpoutsError) -> None:
    """The offer could not be taken because of something else; it stops, and the search goes on."""
    driving.take_turn(db)
    lock(db, offer.request)
    db.refresh(offer)
    if offer.state == "ringing" and offer.until > clock.now():
        driving.stop(db, offer, SYSTEM, type(reason).__name__)
        changes.touch(db, [offer.user_id])
    driving.drive(db)


def _claim(db: Session, offer: InstantOffer, event: str, actor: Actor) -> None:
    """The one statement by which exactly one device answers."""
    row = OFFER.step("ringing", event, actor)
    now = clock.now()
    claimed = db.execute(
        update(InstantOffer)
        .where(InstantOffer.id == offer.id, InstantOffer.state == "ringing", InstantOffer.until > now)
        .values(state=row.target, answered_at=now)
        .execution_options(synchronize_session=False)
    )
    db.refresh(offer)
    if claimed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
        raise Conflict(_OVER[offer.state])
    OFFER.note(db, offer.id, row, "ringing", actor)


def _settle_on(db: Session, booking: Booking, amount: int) -> None:
    """The money that was held for the request belongs to this host now; a free session gives it back at once."""
    db.flush()
    if amount:
        money.name_payee(db, booking)
    else:
        money.release_booking(db, booking, 0, SYSTEM)
