"""The feed that somebody subscribes to: all their sessions, given and taken, at a secret address.

No sign-in and no cookie: the address is the key, 256 random bits of which only the SHA-256 is kept.  A new one ends the
old one.  Times are in UTC, so no zone definition travels along (RFC 5545 section 3.3.5).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from icalendar import STATUS, TRANSP, Calendar, Event
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.calendars.ical import PRODID
from helpouts.calendars.invitations import room_url, uid_of
from helpouts.calendars.models import CalendarFeed
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import use_locale
from helpouts.runtime import runtime_of

#: How far back sessions are shown, and how long cancelled ones are shown as such.
PAST, CANCELLED = timedelta(days=90), timedelta(days=30)
#: How often calendars are asked to look (RFC 7986 section 5.7).
REFRESH = timedelta(minutes=30)
#: Sessions in one feed: more than anybody can have.
MOST = 5000
_SHOWN = ("confirmed", "in_session", "completed", "no_show")


def feed_of(db: Session, user_id: int) -> CalendarFeed | None:
    """Somebody's feed, if they have made one."""
    return db.get(CalendarFeed, user_id)


def renew(db: Session, user_id: int) -> str:
    """A new address for somebody's feed; the old one is dead.  The token is shown now and never again."""
    token = secrets.token_urlsafe(32)
    feed = db.get(CalendarFeed, user_id, with_for_update=True) or CalendarFeed(user_id=user_id, hide_names=False)
    feed.token_hash, feed.created_at = _hash(token), clock.now()
    db.add(feed)
    db.flush()
    return token


def hide_names(db: Session, user_id: int, hide: bool) -> None:
    """Whether the feed says with whom and about what the sessions are."""
    feed = db.get(CalendarFeed, user_id, with_for_update=True)
    if feed is not None:
        feed.hide_names = hide


def revoke(db: Session, user_id: int) -> None:
    """End somebody's feed."""
    feed = db.get(CalendarFeed, user_id)
    if feed is not None:
        db.delete(feed)
        db.flush()


class Feed:
    """What a token opens, read with two queries however much there is; made into text only when asked for."""

    def __init__(self, db: Session, user: User, hide: bool) -> None:
        self._config = runtime_of(db).config
        self._user = user
        self._hide = hide
        self._rows = [tuple(row) for row in db.execute(_query(user.id, clock.now()))]

    @property
    def etag(self) -> str:
        """Changes when the text does."""
        known = [self._user.locale, self._hide, self._config.public_url, self._config.site_name, self._rows]
        return hashlib.sha256(json.dumps(known, default=str).encode()).hexdigest()[:32]

    def content(self) -> bytes:
        """The iCalendar text."""
        with use_locale(self._user.locale):
            calendar = Calendar()
            calendar.add("PRODID", PRODID)
            calendar.add("VERSION", "2.0")
            calendar.add("CALSCALE", "GREGORIAN")
            calendar.add("X-WR-CALNAME", self._config.site_name)
            calendar.add("NAME", self._config.site_name)
            calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
            calendar.add("X-PUBLISHED-TTL", f"PT{REFRESH.seconds // 60}M")
            for row in self._rows:
                calendar.add_component(self._event(*row))
            return bytes(calendar.to_ical())

    def _event(
        self,
        public_id: str,
        state: str,
        starts_at: datetime,
        ends_at: datetime,
        sequence: int,
        stamp: datetime,
        title: str,
        host_id: int,
        host: str,
        customer: str,
    ) -> Event:
        other = customer if host_id == self._user.id else host
        url = room_url(self._config, public_id)
        if self._hide:
            summary = _("Session on %(site)s", site=self._config.site_name)
        else:
            summary = _("%(title)s with %(name)s", title=title, name=other)
        cancelled = state == "cancelled"
        event = Event()
        values: dict[str, Any] = {
            "UID": uid_of(self._config, public_id),
            "SEQUENCE": sequence,
            "DTSTAMP": stamp.replace(microsecond=0),
            "LAST-MODIFIED": stamp.replace(microsecond=0),
            "DTSTART": starts_at.replace(microsecond=0),
            "DTEND": ends_at.replace(microsecond=0),
            "SUMMARY": " ".join(summary.split()),
            "STATUS": STATUS.CANCELLED if cancelled else STATUS.CONFIRMED,
            "TRANSP": TRANSP.TRANSPARENT if cancelled else TRANSP.OPAQUE,
            "URL": url,
        }
        if not self._hide:
            values |= {"DESCRIPTION": _("Open the room here: %(url)s", url=url), "LOCATION": url}
        for name, value in values.items():
            event.add(name, value)
        return event


def open_feed(db: Session, token: str) -> Feed | None:
    """The feed of a token; None when there is none (any more)."""
    found = db.execute(
        select(User, CalendarFeed.hide_names)
        .join(CalendarFeed, CalendarFeed.user_id == User.id)
        .where(CalendarFeed.token_hash == _hash(token), User.active)
    ).first()
    return None if found is None else Feed(db, found[0], found[1])


def _query(user_id: int, now: datetime) -> Any:
    host, customer = aliased(User), aliased(User)
    stamp = Booking.closed_at, Booking.confirmed_at, Booking.created_at
    return (
        select(
            Booking.public_id,
            Booking.state,
            Booking.starts_at,
            Booking.ends_at,
            Booking.ical_sequence,
            func.coalesce(*stamp),
            Booking.title,
            Booking.host_id,
            host.name,
            customer.name,
        )
        .join(host, host.id == Booking.host_id)
        .join(customer, customer.id == Booking.customer_id)
        .where(
            or_(Booking.host_id == user_id, Booking.customer_id == user_id),
            Booking.ends_at > now - PAST,
            or_(
                Booking.state.in_(_SHOWN),
                # A hold that was given up was never in anybody's calendar.
                and_(
                    Booking.state == "cancelled",
                    Booking.confirmed_at.is_not(None),
                    Booking.closed_at > now - CANCELLED,
                ),
            ),
        )
        .order_by(Booking.starts_at, Booking.id)
        .limit(MOST)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
