"""The path "help right now" of :mod:`benchmarks.races`.

Half of the rivals ask the expert for help at the moment in question and all of these accept what rings, as the devices
of one expert would; the other half book a start that overlaps.  One of all of them may win.
"""

from __future__ import annotations

import contextlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.races import Arena, book, path
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.errors import Conflict
from helpouts.instant import answering, asking, driving, presence
from helpouts.instant.models import InstantOffer
from helpouts.runtime import Runtime, runtime_of


@path("instant accept")
def instant(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """Ask and accept at that moment, against bookings of the same time."""
    if number % 2:
        return book(runtime, arena, number, starts_at)
    clock.set(starts_at)
    try:
        with contextlib.suppress(Conflict):
            runtime.database.run(lambda db: _ask(db, arena, number))
        return runtime.database.run(lambda db: _accept(db, arena))
    finally:
        clock.set(None)


def _ask(db: Session, arena: Arena, number: int) -> None:
    driving.drive(db)  # what earlier rounds have left lapses
    presence.turn(db, arena.host_id, True)
    presence.beat(db, "race", [arena.host_id])
    listing, customer = db.get_one(Listing, arena.listing_id), db.get_one(User, arena.customer_ids[number])
    asking.ask(
        db,
        customer,
        answers(runtime_of(db).registry.category(listing.category)),
        listing=listing,
        zone="UTC",
        idempotency_key=secrets.token_hex(8),
        actor=Actor("customer", customer.id, customer.email),
    )


def _accept(db: Session, arena: Arena) -> bool:
    ringing = select(InstantOffer).where(InstantOffer.user_id == arena.host_id, InstantOffer.state == "ringing")
    offer = db.scalar(ringing)
    if offer is None:
        return False
    return answering.accept(db, offer, Actor("expert", arena.host_id, "race")).state == "confirmed"
