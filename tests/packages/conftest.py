"""A listing of 50 EUR an hour, five of which are on offer for 40 EUR each, and somebody with 200 EUR."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.packages import offers, service
from helpouts.packages.models import Package, PackageOffer
from helpouts.payments.ledger import balance
from helpouts.payments.verify import violations
from helpouts.runtime import Runtime, runtime_of
from helpouts.testing.factories import make_customer, make_expert, make_listing
from tests.bookings.conftest import browser, site  # noqa: F401  # fixtures

FIRST = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SINGLE, EACH, SESSIONS, FUNDS = 5000, 4000, 5, 20_000


@dataclass
class Shop:
    """Ids, so that every session reads its own rows."""

    listing: int
    customer: int
    expert: int
    offer: int

    @property
    def buyer(self) -> Actor:
        return Actor("customer", self.customer, "clara")

    @property
    def seller(self) -> Actor:
        return Actor("expert", self.expert, "jonas")

    def buy(self, db: Session, key: str = "one") -> Package:
        offer, customer = db.get_one(PackageOffer, self.offer), db.get_one(User, self.customer)
        return service.buy(db, offer, customer, self.buyer, idempotency_key=key)

    def held(self, db: Session, number: int, customer: int | None = None, minutes: int | None = None) -> Booking:
        """The ``number``-th time of the listing, waiting at the checkout."""
        listing, who = db.get_one(Listing, self.listing), db.get_one(User, customer or self.customer)
        given = answers(runtime_of(db).registry.category(listing.category))
        start = FIRST + timedelta(hours=2 * number)
        made = bookings.draft(
            db, listing, who, start, given, zone="UTC", idempotency_key=secrets.token_hex(8), length_minutes=minutes
        )
        return bookings.reserve(db, made, Actor("customer", who.id, "customer"))

    def booked(self, db: Session, package: Package, number: int) -> Booking:
        """The same, paid from the package."""
        return service.pay(db, package, [self.held(db, number)], self.buyer)[0]

    def wallet(self, db: Session) -> int:
        return balance(db, f"wallet:{self.customer}", "EUR")


@pytest.fixture
def shop(runtime: Runtime) -> Iterator[Shop]:
    """Committed; after the test the books balance."""
    clock.set(FIRST - timedelta(days=2))
    with runtime.database.write() as db:
        expert, customer = make_expert(db), make_customer(db)
        listing = make_listing(db, expert, price_minor=SINGLE, length_minutes=60, more_lengths=[[30, 3000]])
        seller = Actor("expert", expert.owner.id, "jonas")
        offer = offers.add_offer(db, listing, 60, SESSIONS, EACH, seller)
        made = Shop(listing.id, customer.id, expert.owner.id, offer.id)
    yield made
    with runtime.database.read() as db:
        assert violations(db) == ()
