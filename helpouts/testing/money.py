"""A small world for the tests of money: people, one listing, and bookings on demand."""

from __future__ import annotations

import itertools
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.payments import service
from helpouts.runtime import Runtime

_FIRST = datetime(2030, 1, 7, 9, tzinfo=UTC)


class World:
    """Committed people, one listing, and bookings on demand, each at a time of its own.

    :ivar customer_id: pays; :ivar expert_id: is paid (users both).
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._hours = itertools.count()
        with runtime.database.write() as db:
            customer, expert = person(db, "Carla"), person(db, "Erik")
            profile = Expert(slug=f"erik-{secrets.token_hex(4)}", name="Erik")
            db.add(profile)
            db.flush()
            listing = Listing(
                slug=f"wifi-{secrets.token_hex(4)}",
                expert_id=profile.id,
                category="it",
                title="Set up a wireless router",
                price_minor=1,
                state="live",
            )
            db.add(listing)
            db.flush()
            self.customer_id, self.expert_id = customer.id, expert.id
            self._profile_id, self._listing_id = profile.id, listing.id
        self.customer = Actor("customer", self.customer_id, "carla")
        self.expert = Actor("expert", self.expert_id, "erik")
        self.operator = Actor("operator", None, "operator")

    def booking(
        self,
        db: Session,
        amount_minor: int = 2500,
        *,
        pricing: str = "fixed",
        price_minor: int | None = None,
        fee_bp: int = 2000,
        currency: str = "EUR",
        customer_id: int | None = None,
    ) -> Booking:
        """A confirmed booking at a time of its own; ``amount_minor`` is what is held for it."""
        start = _FIRST + timedelta(hours=next(self._hours))
        booking = Booking(
            public_id=secrets.token_urlsafe(12),
            listing_id=self._listing_id,
            expert_id=self._profile_id,
            host_id=self.expert_id,
            customer_id=customer_id or self.customer_id,
            state="confirmed",
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
            title="Set up a wireless router",
            category="it",
            pricing=pricing,
            price_minor=amount_minor if price_minor is None else price_minor,
            currency=currency,
            amount_minor=amount_minor,
            fee_bp=fee_bp,
            cancellation_policy="moderate",
            customer_zone="UTC",
            host_zone="UTC",
        )
        db.add(booking)
        db.flush()
        return booking

    def fund(self, db: Session, amount_minor: int, currency: str = "EUR", user_id: int | None = None) -> None:
        """Put money into a wallet, the customer's unless said otherwise."""
        user = user_id or self.customer_id
        service.top_up(db, user, amount_minor, currency, source="psp:test", key=secrets.token_hex(8))


def person(db: Session, name: str, **values: Any) -> User:
    """A new user who can sign in with nothing but has an id."""
    user = User(email=f"{name.lower()}-{secrets.token_hex(4)}@example.org", name=name, **values)
    db.add(user)
    db.flush()
    return user
