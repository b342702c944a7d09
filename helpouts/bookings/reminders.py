"""The reminder before a session; one that was moved is reminded of at its new time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts.bookings import mails
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.jobs.service import enqueue, handler

BEFORE = timedelta(hours=1)


def promise(db: Session, booking: Booking) -> None:
    """Remind both people an hour before the session, if that is still to come; once for each time it is moved to."""
    remind_at = booking.starts_at - BEFORE
    if remind_at > clock.now():
        payload = {"booking": booking.id, "sequence": booking.ical_sequence}
        key = f"remind:{booking.id}:{booking.ical_sequence}"
        enqueue(db, "booking.remind", payload, run_at=remind_at, dedupe_key=key)


@handler("booking.remind")
def remind(db: Session, payload: Mapping[str, Any]) -> None:
    """Remind both, if the booking still stands and is still at that time."""
    booking = db.get_one(Booking, payload["booking"])
    if booking.state == "confirmed" and payload.get("sequence", 0) == booking.ical_sequence:
        mails.reminder(db, booking)
