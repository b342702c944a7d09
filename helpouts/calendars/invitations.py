"""The invitation of a booking for one of its two people, as a file that goes with a mail.

Every change of a confirmed booking that a calendar must follow raises ``Booking.ical_sequence`` by one
(:func:`changed`) and sends the file again: REQUEST when it was moved, CANCEL when it was called off (RFC 5546).  The
UID stays the same for ever, so that calendars move and remove the entry instead of adding another.
"""

from __future__ import annotations

from email.utils import parseaddr
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.calendars.ical import invitation
from helpouts.clock import clock
from helpouts.config import Config
from helpouts.i18n import gettext, use_locale
from helpouts.mail.service import Attachment
from helpouts.runtime import runtime_of


def site_host(config: Config) -> str:
    """The site's host name, the second half of every UID (RFC 7986 section 5.3 asks for one that is unique)."""
    return urlsplit(str(config.public_url)).hostname or "localhost"


def uid_of(config: Config, booking_id: str) -> str:
    """The UID of a booking in all messages and feeds, from its ``public_id``."""
    return f"{booking_id}@{site_host(config)}"


def room_url(config: Config, booking_id: str) -> str:
    """The page of a booking, from its ``public_id``."""
    return f"{config.public_url.rstrip('/')}/bookings/{booking_id}"


def changed(booking: Booking) -> None:
    """Note that the session was moved or called off: the next file replaces those sent (RFC 5545 section 3.8.7.4)."""
    booking.ical_sequence += 1


def calendar_file(
    db: Session, booking: Booking, to: User, method: str, *, reminder_minutes: int | None = None
) -> Attachment:
    """The booking as an iTIP message for ``to``, the customer or the host.

    :param method: REQUEST for a new or moved session, CANCEL for one that was called off; call :func:`changed` before
        each but the first.
    :param reminder_minutes: ask the calendar to remind that long before the start.
    """
    config = runtime_of(db).config
    url = room_url(config, booking.public_id)
    with use_locale(to.locale):
        content = invitation(
            uid=uid_of(config, booking.public_id),
            sequence=booking.ical_sequence,
            method=method,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            summary=gettext("%(title)s (video session)", title=booking.title),
            description=gettext("Open the room here: %(url)s", url=url),
            url=url,
            organizer=parseaddr(config.mail_from),
            attendee=(to.name, to.email),
            stamp=clock.now(),
            reminder_minutes=reminder_minutes,
        )
    return Attachment("invite.ics", f"text/calendar; method={method}; charset=utf-8", content)
