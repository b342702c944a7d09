"""People, listings and bookings as these tests need them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.scheduling import service
from helpouts.scheduling.rules import WeeklyRule

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # a Monday, 8 o'clock in Berlin
MORNINGS = [WeeklyRule(day, 9 * 60, 12 * 60) for day in range(5)]


def person(db: Session, name: str) -> User:
    user = User(email=f"{name}@example.org", name=name, zone="Europe/Berlin")
    db.add(user)
    db.flush()
    return user


def offer(db: Session, *names: str, length: int = 60, **values: Any) -> Listing:
    """A listing whose expert has these members, the first of them the owner."""
    expert = Expert(slug=names[0], name=names[0])
    expert.members = [
        ExpertMember(user=person(db, name), role="owner" if name == names[0] else "member") for name in names
    ]
    given: dict[str, Any] = {"pricing": "free", "length_minutes": length, "state": "live"}
    listing = Listing(expert=expert, slug=names[0], category="it", title=names[0], **(given | values))
    db.add(listing)
    db.flush()
    return listing


def booked(db: Session, listing: Listing, host: int, starts_at: datetime, **values: Any) -> Booking:
    customer = values.pop("customer_id", None) or person(db, f"customer-{starts_at.timestamp()}-{host}").id
    minutes = values.pop("minutes", listing.length_minutes)
    given: dict[str, Any] = {
        "public_id": f"{host}-{starts_at.timestamp()}",
        "state": "confirmed",
        "ends_at": starts_at + timedelta(minutes=minutes),
    }
    booking = Booking(
        listing=listing,
        expert=listing.expert,
        host_id=host,
        customer_id=customer,
        starts_at=starts_at,
        title=listing.title,
        category=listing.category,
        pricing="free",
        price_minor=0,
        currency="EUR",
        amount_minor=0,
        fee_bp=0,
        cancellation_policy="moderate",
        customer_zone="UTC",
        host_zone="UTC",
        **(given | values),
    )
    db.add(booking)
    db.flush()
    return booking


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(db: Session, listing: Listing, day: str, **wanted: Any) -> list[str]:
    """Starts on that UTC date."""
    begin = at(day)
    found = service.free_slots(db, listing, begin, begin + timedelta(days=1), **wanted)
    return [slot.strftime("%H:%M") for slot in found]
