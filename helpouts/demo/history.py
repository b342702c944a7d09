"""The demo's past: sessions that took place and were paid and reviewed, made by the product's own services.

The clock is turned back, so that every row (ledger, transitions, reviews) is what it would really be.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import service as bookings
from helpouts.catalog import Category, CategoryField
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.reviews import service as reviews
from helpouts.scheduling import service as scheduling
from helpouts.sessions import service as sessions


def past_session(
    db: Session,
    listing: Listing,
    customer: User,
    category: Category,
    day: datetime,
    review: tuple[int, str],
    chance: random.Random,
) -> bool:
    """One session on or after ``day`` with its review; False when the expert had no free time in that week."""
    clock.set(day)
    slots = scheduling.free_slots(db, listing, day, day + timedelta(days=7))
    if not slots:
        return False
    start = chance.choice(slots[:40])
    actor = Actor("customer", customer.id, customer.email)
    key = f"demo-{listing.id}-{customer.id}"
    made = bookings.draft(db, listing, customer, start, answers(category), zone=customer.zone, idempotency_key=key)
    booking = bookings.place(db, made, actor)
    session = sessions.session_of(db, booking)
    if session is None:
        return False
    clock.set(start - timedelta(minutes=2))
    for user_id in (booking.host_id, booking.customer_id):
        sessions.join(db, session, user_id, "demo", "")
    length = timedelta(minutes=listing.length_minutes) * chance.uniform(0.7, 0.98)
    clock.set(start + length)
    _still_there(db, session, start + length)
    sessions.end(db, session, "expert", SYSTEM)
    clock.advance(timedelta(hours=chance.randint(1, 30)))
    reviews.publish(db, booking, review[0], review[1], actor)
    return True


def _still_there(db: Session, session: Any, moment: datetime) -> None:
    from sqlalchemy import update

    from helpouts.sessions.models import Presence

    db.execute(update(Presence).where(Presence.session_id == session.id).values(last_seen_at=moment))
    db.expire_all()


def answers(category: Category) -> dict[str, Any]:
    """Believable answers to the required questions."""
    make: Mapping[str, Callable[[CategoryField], Any]] = {
        "choice": lambda q: q.choices[0].value,
        "choices": lambda q: [q.choices[0].value],
        "boolean": lambda _q: "on",
        "integer": lambda _q: "2",
    }
    required = [question for question in category.intake if question.required]
    return {q.key: make[q.type](q) if q.type in make else "As described in our messages." for q in required}
