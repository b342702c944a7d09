"""Links in mails with which one person does one thing with one booking, without signing in.

A link is signed (nothing is stored) and names the booking, the person, what it is for and the booking's sequence at
the time.  So it is of no use for anything else; it dies as soon as the booking is changed, by this link or otherwise,
and when the session begins.  Opening a link (GET) only shows what would happen: mail scanners that follow links change
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.runtime import runtime_of

#: "cancel" or "move" the booking, "answer" a proposal of another time, "take" a slot that the wait-list offers.
Purpose = Literal["cancel", "move", "answer", "take"]
_SALT = "helpouts.bookings.links"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that holds good now."""

    booking: Booking
    person: User
    purpose: Purpose

    @property
    def is_host(self) -> bool:
        """Whether it is the expert's."""
        return self.person.id == self.booking.host_id

    @property
    def actor(self) -> Actor:
        """Who acts; the record shows that it was by a link."""
        return Actor("expert" if self.is_host else "customer", self.person.id, f"{self.person.email} (mail)"[:255])


def link(db: Session, booking: Booking, person: User, purpose: Purpose) -> str:
    """The whole address of a link for one of the booking's two people."""
    until = booking.held_until if purpose == "take" and booking.held_until else booking.starts_at
    content = [booking.public_id, person.id, purpose, booking.ical_sequence, int(until.timestamp())]
    base = runtime_of(db).config.public_url.rstrip("/")
    return f"{base}/b/{purpose}/{_serializer(db).dumps(content)}"


def open_link(db: Session, token: str, purpose: Purpose) -> Link:
    """What a link allows.

    :raises NotFound: it was not made here, is for something else, is over, or the booking has changed since.
    """
    gone = NotFound(_l("This link does not work any more: the booking has changed, or it is over. Sign in to see it."))
    try:
        public_id, user_id, allowed, sequence, until = _serializer(db).loads(token)
    except (BadData, ValueError, TypeError):
        raise gone from None
    booking = db.scalar(select(Booking).where(Booking.public_id == public_id))
    person = db.get(User, user_id)
    if booking is None or person is None or not person.active or allowed != purpose:
        raise gone
    if user_id not in (booking.host_id, booking.customer_id) or sequence != booking.ical_sequence:
        raise gone
    wanted = "held" if purpose == "take" else "confirmed"
    if booking.state != wanted or clock.now() >= datetime.fromtimestamp(until, UTC):
        raise gone
    return Link(booking, person, purpose)


def _serializer(db: Session) -> URLSafeSerializer:
    return URLSafeSerializer(runtime_of(db).config.key("secret_key"), salt=_SALT)
