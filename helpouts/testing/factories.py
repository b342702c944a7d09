"""Small makers of people, listings and bookings for tests, on top of the product's own services."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.accounts.service import ensure_roles
from helpouts.audit.actor import Actor
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.runtime import runtime_of
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import free_slots, save_schedule


def make_user(db: Session, name: str = "Clara Berg", *roles: str, **values: Any) -> User:
    """A confirmed person without a password."""
    known = ensure_roles(db)
    email = f"{name.split()[0].lower()}.{secrets.token_hex(4)}@test.example"
    wanted = [known[role] for role in ("customer", *roles)]
    user = User(email=email, name=name, zone="Europe/Berlin", confirmed_at=clock.now(), roles=wanted, **values)
    db.add(user)
    db.flush()
    return user


def make_expert(db: Session, name: str = "Jonas Weber", category: str = "it", *, paid: bool = True) -> Expert:
    """An expert who works around the clock without notice, connected to the payment backend if ``paid``."""
    user = make_user(db, name, "expert")
    expert = Expert(slug=f"expert-{secrets.token_hex(4)}", name=name, headline="Helps", languages=["en", "de"])
    db.add(expert)
    db.flush()
    db.add(ExpertMember(expert_id=expert.id, user_id=user.id, role="owner"))
    db.add(ExpertCategory(expert_id=expert.id, category=category))
    db.flush()
    db.refresh(expert)
    rules = [WeeklyRule(day, 0, 1440) for day in range(7)]
    save_schedule(db, user.id, "Europe/Berlin", rules, minimum_notice_minutes=0)
    if paid:
        runtime_of(db).registry.fill_demo(db, [], [user.id])
    return expert


def make_listing(db: Session, expert: Expert, **values: Any) -> Listing:
    """A live listing, 30 minutes for 25.00 EUR unless ``values`` say otherwise."""
    given: dict[str, Any] = {
        "slug": f"listing-{secrets.token_hex(4)}",
        "expert_id": expert.id,
        "category": expert.categories[0].category,
        "subcategory": "networks",
        "title": "Set up your wireless router",
        "summary": "From the box to a safe network.",
        "description": "We plug it in together. " * 5,
        "languages": ["en"],
        "pricing": "fixed",
        "price_minor": 2500,
        "length_minutes": 30,
        "state": "live",
        "published_at": clock.now(),
    }
    listing = Listing(**{**given, **values})
    db.add(listing)
    db.flush()
    db.refresh(listing)
    return listing


def make_customer(db: Session, name: str = "Clara Berg") -> User:
    """A customer with a connected wallet and money in it."""
    user = make_user(db, name)
    runtime_of(db).registry.fill_demo(db, [user.id], [])
    return user


def make_booking(db: Session, listing: Listing, customer: User, **values: Any) -> Booking:
    """A confirmed booking of the first free slot (or ``starts_at``)."""
    now = clock.now()
    start = values.get("starts_at") or free_slots(db, listing, now, now + timedelta(days=3))[0]
    category = runtime_of(db).registry.category(listing.category)
    key, zone = secrets.token_hex(8), customer.zone or "UTC"
    made = bookings.draft(db, listing, customer, start, answers(category), zone=zone, idempotency_key=key)
    return bookings.place(db, made, Actor("customer", customer.id, customer.email))
