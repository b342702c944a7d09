"""From rows to the engine's plain integers: schedules, and what takes somebody's time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, literal_column, or_, select, union_all
from sqlalchemy.orm import Session

from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.calendars.models import BusyTime
from helpouts.db.lists import among, room_for, spread
from helpouts.db.prepared import Prepared
from helpouts.db.types import UTCDateTime
from helpouts.scheduling import engine
from helpouts.scheduling.holidays import Closed
from helpouts.scheduling.minutes import minute_of, minute_up_of
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import Caps, DayOverride, Schedule, SlotPolicy, TimeOff, WeeklyRule, Window
from helpouts.scheduling.stored import Hours

#: States of bookings that count for the caps: what takes the host's time, and what took it.
COUNTED_STATES = (*LIVE_STATES, "completed", "no_show")
#: The sessions that matter to the caps of a start begin within so many days of it.
WEEK = timedelta(days=8)


def to_schedule(row: ScheduleRow | Hours) -> Schedule:
    """The engine's form of a stored schedule."""
    country = row.holiday_country
    return Schedule(
        row.zone,
        tuple(
            WeeklyRule(hours.weekday, hours.start_minute, hours.end_minute, hours.valid_from, hours.valid_until)
            for hours in row.weekly
        ),
        tuple(DayOverride(o.day, tuple((first, last) for first, last in o.windows)) for o in row.overrides),
        to_time_off(row),
        Closed(country, row.holiday_subdivision, tuple(row.holidays_worked)) if country else frozenset(),
    )


def to_time_off(row: ScheduleRow | Hours) -> tuple[TimeOff, ...]:
    """The stored dates without work."""
    return tuple(
        TimeOff(date.fromisoformat(first), date.fromisoformat(last), note) for first, last, note in row.time_off or ()
    )


def to_policy(row: ScheduleRow | Hours, length_minutes: int) -> SlotPolicy:
    """The engine's form of how sessions may be placed; the buffers are in the busy times (see :func:`spaced`)."""
    return SlotPolicy(
        length_minutes,
        step_minutes=row.step_minutes,
        minimum_notice_minutes=row.minimum_notice_minutes,
        horizon_days=row.horizon_days,
        caps=to_caps(row),
    )


def to_caps(row: ScheduleRow | Hours) -> Caps:
    """The stored caps."""
    return Caps(row.most_sessions_day, row.most_sessions_week, row.most_minutes_day, row.most_minutes_week)


def pause(row: ScheduleRow | Hours) -> int:
    """Minutes between two sessions: they share the pause, which is the longer of the buffers before and after."""
    return max(row.buffer_before, row.buffer_after)


def spaced(row: ScheduleRow | Hours, busy: list[Window]) -> list[Window]:
    """Busy times with the pause on both sides."""
    minutes = pause(row)
    return engine.with_buffers(busy, minutes, minutes) if minutes else busy


def busy(
    db: Session,
    user_ids: Iterable[int],
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    without: int | None = None,
    kinds: Sequence[str] = ("bookings", "calendars"),
) -> dict[int, list[Window]]:
    """What takes people's time in [start, end), by user id, sorted: live bookings and busy times of their calendars.

    Holds that have lapsed at ``now`` take no time.

    :param without: id of a booking that is looked through, because it is to be moved.
    """
    ids = sorted(set(user_ids))
    found: dict[int, list[Window]] = {user_id: [] for user_id in ids}
    if not ids:
        return found
    count = room_for(ids)
    query = _taken("bookings" in kinds, "calendars" in kinds, without is None, count)
    values = {"start": start, "end": end, "now": now, "without": without, **spread("people", ids, count)}
    if len(ids) == 1:
        found[ids[0]] = [(since, until) for _person, since, until in query.all(db, values)]
    else:
        for person, since, until in query.all(db, values):
            found[person].append((since, until))
    for windows in found.values():
        windows.sort()
    return found


@cache
def _taken(bookings: bool, calendars: bool, every: bool, count: int) -> Prepared:
    """(person, start, end) of what takes the time of so many people; ``every``: no booking is looked through."""
    booking, other = Booking.__table__.c, BusyTime.__table__.c
    start, end = bindparam("start", type_=UTCDateTime), bindparam("end", type_=UTCDateTime)
    live = booking.state.in_([literal_column(f"'{state}'") for state in LIVE_STATES])
    queries = []
    if bookings:
        standing = (live, booking.starts_at < end, booking.ends_at > start, unlapsed(bindparam("now")))
        chosen = standing if every else (*standing, booking.id != bindparam("without"))
        queries = [
            select(person.label("person"), minute_of(booking.starts_at), minute_up_of(booking.ends_at)).where(
                among(person, "people", count), *chosen
            )
            for person in (booking.host_id, booking.customer_id)
        ]
    if calendars:
        elsewhere = (among(other.user_id, "people", count), other.starts_at < end, other.ends_at > start)
        queries.append(select(other.user_id, minute_of(other.starts_at), minute_up_of(other.ends_at)).where(*elsewhere))
    return Prepared(union_all(*queries))


def given(
    db: Session,
    people: Iterable[ScheduleRow | Hours],
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    without: int | None = None,
) -> dict[int, list[Window]]:
    """The sessions that count for the caps of starts in [start, end), by host; nobody without caps is asked for."""
    ids = [row.user_id for row in people if to_caps(row)]
    found: dict[int, list[Window]] = {user_id: [] for user_id in ids}
    if not ids:
        return found
    query = select(Booking.host_id, minute_of(Booking.starts_at), minute_up_of(Booking.ends_at)).where(
        Booking.host_id.in_(ids),
        Booking.state.in_(COUNTED_STATES),
        Booking.starts_at < end + WEEK,
        Booking.ends_at > start - WEEK,
        unlapsed(now),
        *_but(without),
    )
    for host, since, until in db.execute(query):
        found[host].append((since, until))
    return found


def unlapsed(now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """That a booking is no hold, or one that has not lapsed."""
    return or_(Booking.state != "held", Booking.held_until.is_(None), Booking.held_until > now)


def _but(booking_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if booking_id is None else (Booking.id != booking_id,)
