"""Series: a session every week or every second one, at the same time on the host's clock, booked all or none.

The time is that of the host's zone and stays so when the clocks change; a time that the clocks leave out is the
instant of the jump.  The sessions are ordinary bookings: each can be moved or cancelled by itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.changing import cancel, charge_now
from helpouts.bookings.drafts import Draft, draft, key_of, zone_of
from helpouts.bookings.models import Booking, BookingSeries
from helpouts.bookings.placing import confirm, reserve
from helpouts.bookings.writing import take_turns
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import service as scheduling
from helpouts.scheduling.zones import from_minute

#: Sessions of one series, and weeks between two of them.
FEWEST, MOST = 2, 12
EVERY = (1, 2)
#: Other times that are offered for a date that is not free.
ALTERNATIVES = 8


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a series that somebody is about to book.

    :ivar starts_at: when it would begin.
    :ivar free: whether it can be booked.
    :ivar others: times on the same date (of the host) that can be, when this one cannot.
    """

    starts_at: datetime
    free: bool
    others: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A series as it could be booked with one host."""

    host_id: int
    occurrences: tuple[Occurrence, ...]

    @property
    def conflicts(self) -> int:
        """On how many dates the time is not free."""
        return sum(not occurrence.free for occurrence in self.occurrences)


def dates(first: datetime, zone: str, every_weeks: int, count: int) -> list[datetime]:
    """``count`` instants (UTC), ``every_weeks`` apart, that show the same time on the clocks of ``zone``."""
    info = ZoneInfo(zone)
    wall = first.astimezone(info).replace(tzinfo=None)
    return [(wall + timedelta(weeks=every_weeks * n)).replace(tzinfo=info).astimezone(UTC) for n in range(count)]


def plan(
    db: Session,
    listing: Listing,
    customer_id: int,
    first: datetime,
    every_weeks: int,
    count: int,
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
) -> Plan:
    """The dates of a series, each with whether it is free; with the host (of those free at first) who has most of them.

    :raises Conflict: not even the first time is free.
    :raises HelpoutsError: for a number or step that is not offered; fields ``count`` and ``every``.
    """
    check_size(every_weeks, count)
    minutes = length_minutes or listing.length_minutes
    hosts = scheduling.free_hosts(db, listing, first, length_minutes=minutes, host_id=host_id)
    if not hosts:
        raise Conflict(_l("This time is not free any more. Please choose another."), field="start")
    plans = [_with(db, listing, customer_id, host, first, every_weeks, count, minutes) for host in hosts[:5]]
    return min(plans, key=lambda found: found.conflicts)


def check_size(every_weeks: int, count: int) -> None:
    """Refuse what is not offered."""
    if every_weeks not in EVERY:
        raise HelpoutsError(_l("Every week, or every second week."), field="every")
    if not FEWEST <= count <= MOST:
        raise HelpoutsError(
            _l("A series has %(fewest)s to %(most)s sessions.", fewest=FEWEST, most=MOST), field="count"
        )


def known_series(db: Session, customer_id: int, idempotency_key: str) -> BookingSeries | None:
    """The series that the same request has made already."""
    key = _key(customer_id, idempotency_key)
    return db.scalar(select(BookingSeries).where(BookingSeries.idempotency_key == key))


def draft_series(
    db: Session,
    listing: Listing,
    customer: User,
    starts: Sequence[datetime],
    answers: Mapping[str, Any],
    *,
    every_weeks: int,
    host_id: int,
    zone: str,
    idempotency_key: str,
    length_minutes: int | None = None,
) -> list[Draft]:
    """Check all these times before they are written: a draft for each, all with that host.

    :raises Conflict: one of the times is not free; the message names it.
    """
    check_size(every_weeks, len(starts))
    if len(set(starts)) != len(starts):
        raise HelpoutsError(_l("Two of the dates are the same."), field="start")
    made: list[Draft] = []
    for number, start in enumerate(sorted(starts)):
        with _dated(start, zone):
            one = draft(
                db,
                listing,
                customer,
                start,
                answers,
                zone=zone,
                idempotency_key=f"{idempotency_key}:{number}",
                length_minutes=length_minutes,
                host_id=host_id,
            )
        made.append(one)
    return made


def hold_series(
    db: Session, drafts: Sequence[Draft], every_weeks: int, idempotency_key: str, actor: Actor
) -> BookingSeries:
    """Take the times of these drafts for the length of a checkout, or none of them; the caller rolls back on an error.

    The same key from the same customer gives the same series.

    :raises Conflict: one of the times is not free any more; the message names it.
    """
    first = drafts[0].values
    take_turns(db, first["customer_id"], first["host_id"])
    known = known_series(db, first["customer_id"], idempotency_key)
    if known is not None:
        return known
    series = BookingSeries(
        public_id=secrets.token_urlsafe(16),
        listing_id=first["listing_id"],
        customer_id=first["customer_id"],
        host_id=first["host_id"],
        every_weeks=every_weeks,
        idempotency_key=_key(first["customer_id"], idempotency_key),
    )
    db.add(series)
    db.flush()
    for made in drafts:
        with _dated(made.values["starts_at"], made.values["customer_zone"]):
            reserve(db, made, actor).series_id = series.id
    db.flush()
    return series


def confirm_series(db: Session, series: BookingSeries, actor: Actor) -> list[Booking]:
    """Pay for all held sessions of the series and confirm them, or none; the caller rolls back on an error.

    :raises Declined: the money does not suffice for all.
    :raises Conflict: a reservation has run out.
    """
    return [confirm(db, booking, actor) for booking in bookings_of(db, series) if booking.state != "cancelled"]


def bookings_of(db: Session, series: BookingSeries) -> list[Booking]:
    """The sessions of the series in order."""
    query = select(Booking).where(Booking.series_id == series.id).order_by(Booking.starts_at, Booking.id)
    return list(db.scalars(query).unique())


def rest_of(db: Session, series: BookingSeries) -> list[Booking]:
    """The sessions that are still to come and stand."""
    now = clock.now()
    return [b for b in bookings_of(db, series) if b.state in ("held", "confirmed") and b.starts_at > now]


def charge_for_rest(db: Session, series: BookingSeries, actor: Actor) -> int:
    """What cancelling all that is to come would cost now, minor units."""
    return sum(charge_now(booking, actor) for booking in rest_of(db, series) if booking.state == "confirmed")


def cancel_rest(db: Session, series: BookingSeries, reason: str, actor: Actor) -> int:
    """Cancel all sessions that are to come, each under its policy; how many."""
    rest = [b for b in rest_of(db, series) if b.state == "confirmed" or actor.kind != "expert"]
    for booking in rest:
        cancel(db, booking, reason, actor)
    return len(rest)


def _key(customer_id: int, idempotency_key: str) -> str:
    return key_of(customer_id, f"series:{idempotency_key}")


@contextmanager
def _dated(start: datetime, zone: str) -> Iterator[None]:
    """Put the date before what stands against it."""
    try:
        yield
    except Conflict as error:
        when = start.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
        raise Conflict(_l("%(date)s: %(reason)s", date=when, reason=error.message), field="start") from None


def _with(
    db: Session,
    listing: Listing,
    customer_id: int,
    host_id: int,
    first: datetime,
    every_weeks: int,
    count: int,
    minutes: int,
) -> Plan:
    zone = zone_of(db, host_id)
    wanted = dates(first, zone, every_weeks, count)
    length, day = timedelta(minutes=minutes), timedelta(days=1)
    own = [
        (from_minute(since), from_minute(until))
        for since, until in scheduling.busy_of(db, customer_id, wanted[0] - day, wanted[-1] + day)
    ]
    free = [
        start
        for start in scheduling.free_slots(
            db, listing, wanted[0] - day, wanted[-1] + day, length_minutes=minutes, host_id=host_id
        )
        if not any(since < start + length and until > start for since, until in own)
    ]
    info, known = ZoneInfo(zone), set(free)
    by_date: dict[Any, list[datetime]] = {}
    for start in free:
        by_date.setdefault(start.astimezone(info).date(), []).append(start)
    return Plan(
        host_id,
        tuple(
            Occurrence(start, start in known, _nearest(start, by_date.get(start.astimezone(info).date(), [])))
            for start in wanted
        ),
    )


def _nearest(wanted: datetime, free: Sequence[datetime]) -> tuple[datetime, ...]:
    if wanted in free:
        return ()
    return tuple(sorted(sorted(free, key=lambda start: abs(start - wanted))[:ALTERNATIVES]))
