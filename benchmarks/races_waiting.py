"""The wait-list's path in a race: its offer, made by the worker, against everybody who books the same time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from benchmarks.races import Arena, book, path
from helpouts.audit.actor import SYSTEM
from helpouts.bookings import waiting
from helpouts.bookings.models import Booking
from helpouts.bookings.waiting_models import WaitlistEntry, WaitlistOffer
from helpouts.catalog.models import Listing
from helpouts.demo.history import answers
from helpouts.runtime import Runtime


@path("wait-list")
def offer(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """Every second rival waits for exactly this time and is offered it; the others book it."""
    if number % 2:
        return book(runtime, arena, number, starts_at)
    with runtime.database.write() as db:
        listing = db.get_one(Listing, arena.listing_id)
        minute = starts_at.hour * 60 + starts_at.minute
        entry = waiting.join(
            db,
            listing,
            arena.customer_ids[number],
            answers(runtime.registry.category(listing.category)),
            zone="UTC",
            weekdays=[starts_at.weekday()],
            from_minute=minute,
            until_minute=min(1440, minute + listing.length_minutes),
            until=starts_at.date(),
        )
        if entry.state != "waiting":
            return False
        offered = waiting.offer_one(db, listing, entry, [starts_at])
    with runtime.database.write() as db:
        entry = db.get_one(WaitlistEntry, entry.id)
        held = select(Booking.starts_at).join(WaitlistOffer, WaitlistOffer.booking_id == Booking.id)
        mine = db.scalar(held.where(WaitlistOffer.entry_id == entry.id).order_by(WaitlistOffer.id.desc()))
        won = offered and mine == starts_at
        if not won:
            waiting.leave(db, entry, SYSTEM)
    return won
