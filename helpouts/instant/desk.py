"""What the devices of people show: read from the rows, whole, so that whoever comes back has missed nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.bookings.intake import in_words
from helpouts.clock import clock
from helpouts.i18n import use_locale
from helpouts.instant import line
from helpouts.instant.models import OPEN_STATES, AvailableSwitch, InstantOffer, InstantRequest
from helpouts.runtime import runtime_of

State = dict[str, Any]
#: A request that has ended is still shown to its customer for so long.
FRESH = timedelta(minutes=10)


def states(db: Session, user_ids: Collection[int]) -> dict[int, State]:
    """What each person's devices show now: the switch, what rings, and the mark of the own request.

    The mark differs whenever the request's page would show something else.
    """
    now = clock.now()
    ids = list(user_ids)
    on = set(
        db.scalars(
            select(AvailableSwitch.user_id).where(AvailableSwitch.user_id.in_(ids), AvailableSwitch.is_on.is_(True))
        )
    )
    found: dict[int, State] = {
        user_id: {"type": "state", "on": user_id in on, "rings": [], "request": None} for user_id in ids
    }
    ringing = select(InstantOffer).where(
        InstantOffer.user_id.in_(ids), InstantOffer.state == "ringing", InstantOffer.until > now
    )
    for offer in db.scalars(ringing).unique():
        found[offer.user_id]["rings"].append(_ring(db, offer))
    shown = or_(InstantRequest.state.in_(OPEN_STATES), InstantRequest.closed_at > now - FRESH)
    requests = select(InstantRequest).where(InstantRequest.customer_id.in_(ids), shown).order_by(InstantRequest.id)
    for request in db.scalars(requests).unique():
        found[request.customer_id]["request"] = {"id": request.public_id, "mark": _mark(db, request, now)}
    return found


def waiting(db: Session, user_ids: Collection[int]) -> set[int]:
    """Those of the people who have asked and wait."""
    asking = select(InstantRequest.customer_id).where(
        InstantRequest.state.in_(OPEN_STATES), InstantRequest.customer_id.in_(list(user_ids))
    )
    return set(db.scalars(asking))


def _ring(db: Session, offer: InstantOffer) -> State:
    booking, listing = offer.request.booking, offer.listing
    questions = runtime_of(db).registry.category(booking.category).intake
    user: User = offer.user
    with use_locale(user.locale, user.zone or "UTC"):
        return {
            "id": offer.public_id,
            "title": listing.title,
            "customer": offer.request.customer.name.split(" ")[0],
            "price": str(formatting.price(listing.pricing, listing.price_minor, listing.currency)),
            "length": str(formatting.minutes(listing.length_minutes)),
            "answers": [[str(label), str(answer)] for label, answer in in_words(questions, booking.intake)][:6],
            "until": int(offer.until.timestamp() * 1000),
            "now": int(clock.now().timestamp() * 1000),
        }


def _mark(db: Session, request: InstantRequest, now: datetime) -> str:
    if request.state != "waiting":
        offers = select(InstantOffer.id).where(InstantOffer.request_id == request.id, InstantOffer.state == "ringing")
        return f"{request.state}:{db.scalar(offers) or 0}"
    place = line.place_of(db, request, now)
    return "waiting" if place is None else f"waiting:{place.number}:{place.minutes(now)}"
