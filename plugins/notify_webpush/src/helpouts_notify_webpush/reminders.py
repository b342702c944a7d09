"""Reminders of a time that does not hold any more, taken off the screens.

A reminder stays on a screen until somebody looks, and with the push service while a browser is not there.  The notice
that comes in its place has the same topic, so either gives way to it (RFC 8030, section 5.4; the tag of the
Notifications API).  Whoever was not reminded has nothing to replace, and hears of the move as they chose.
"""

from __future__ import annotations

from datetime import datetime

from babel.support import LazyProxy
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.bookings.models import Booking
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices.models import ReminderMark
from helpouts.notices.service import notify


def replace_reminders(db: Session, booking_id: int, from_start: datetime) -> None:
    """Promise a notice with the time as it is now to each of the two who was reminded of the old one."""
    booking = db.get(Booking, booking_id)
    if booking is None or booking.state != "confirmed" or booking.starts_at == from_start:
        return  # cancelled, or moved back
    reminded = select(ReminderMark.user_id).where(
        ReminderMark.booking_id == booking_id, ReminderMark.starts_at == from_start, ReminderMark.sent.is_(True)
    )
    when = LazyProxy(formatting.day_time, booking.starts_at, enable_cache=False)
    body = _l("Moved: it begins at another time, %(when)s.", when=when)
    for user_id in sorted(set(db.scalars(reminded))):
        url = f"/bookings/{booking.public_id}"
        notify(db, user_id, "reminder", booking.title, body, url, expires_at=booking.starts_at, through="webpush")
