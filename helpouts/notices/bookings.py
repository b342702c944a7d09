"""What becomes of a booking, told through the channels; the mails are :mod:`helpouts.bookings.mails`'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking, BookingMove
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices.service import notify
from helpouts.notices.when import day_and_time

#: Kind of notice and its title, by what has happened.
TITLES: dict[str, tuple[str, object]] = {
    "confirmed": ("booking", _l("Booked")),
    "cancelled": ("booking", _l("Cancelled")),
    "moved": ("booking", _l("Moved to another time")),
    "move_proposed": ("booking", _l("Another time is proposed")),
    "move_declined": ("booking", _l("The other time was declined")),
    "offered": ("waitlist", _l("A time has become free for you")),
}


def tell(db: Session, booking: Booking, what: str, values: Mapping[str, Any]) -> None:
    """Promise notices to those who do not know it yet: not to the one who did it."""
    if what == "extended":  # both were there
        return
    kind, title = TITLES[what]
    for person, zone in ((booking.customer, booking.customer_zone), (booking.host, booking.host_zone)):
        if person.id in _concerned(db, booking, what, values):
            when = day_and_time(booking.starts_at, person.locale, person.zone or zone)
            notify(db, person.id, kind, title, f"{booking.title}, {when}", f"/bookings/{booking.public_id}")


def _concerned(db: Session, booking: Booking, what: str, values: Mapping[str, Any]) -> set[int]:
    both = {booking.customer_id, booking.host_id}
    if what == "confirmed":
        return {booking.host_id} if booking.state in ("confirmed", "in_session") else set()
    if what == "offered":
        return {booking.customer_id} if booking.state == "held" else set()
    if what in ("move_proposed", "move_declined"):
        asked_by = db.get_one(BookingMove, values["move"]).asked_by
        return both - {asked_by} if what == "move_proposed" else both & {asked_by}
    return both - {values.get("by")}
