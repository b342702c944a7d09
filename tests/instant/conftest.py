"""Experts who are available, customers with money, and the verbs in short."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.instant import answering, asking, presence
from helpouts.instant.models import InstantOffer, InstantRequest
from helpouts.runtime import runtime_of
from helpouts.testing.factories import make_customer, make_expert, make_listing


def there(db, expert, on=True):
    """The expert's owner has a device and the switch on; the user id."""
    user_id = expert.owner.id
    presence.turn(db, user_id, on)
    presence.beat(db, "n1", [user_id])
    return user_id


@dataclass
class Desk:
    """Help right now in one session of the database."""

    db: object

    def expert(self, name="Jonas Weber", *, on=True, **values) -> Listing:
        """A listing whose expert is available now."""
        listing = make_listing(self.db, make_expert(self.db, name), **values)
        if on:
            there(self.db, listing.expert)
        return listing

    def customer(self):
        """Somebody with money."""
        return make_customer(self.db)

    def ask(self, customer=None, listing=None, **values) -> InstantRequest:
        """Ask for help now."""
        customer = customer or self.customer()
        category = runtime_of(self.db).registry.category("it")
        given = {"zone": "UTC", "idempotency_key": secrets.token_hex(4), "actor": actor(customer), **values}
        if listing is None:
            given = {"category": "it", "most_minor": 5000, **given}
        return asking.ask(self.db, customer, answers(category), listing=listing, **given)

    def ringing(self, request) -> InstantOffer | None:
        """What rings for a request."""
        query = select(InstantOffer).where(InstantOffer.request_id == request.id, InstantOffer.state == "ringing")
        return self.db.scalar(query.execution_options(populate_existing=True))

    def accept(self, request):
        """Whoever is rung takes it; the booking."""
        offer = self.ringing(request)
        return answering.accept(self.db, offer, Actor("expert", offer.user_id, ""))

    def decline(self, request):
        """Whoever is rung declines."""
        offer = self.ringing(request)
        answering.decline(self.db, offer, Actor("expert", offer.user_id, ""))


def actor(customer):
    """The customer as actor."""
    return Actor("customer", customer.id, customer.email)


@pytest.fixture
def desk(db):
    """Help right now; time passes only when the test says so."""
    clock.set(clock.now())
    return Desk(db)
