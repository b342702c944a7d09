"""From rows to the engine's plain integers: schedules, and what takes somebody's time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, union_all
from sqlalchemy.orm import Session

from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.calendars.models import BusyTime
from helpouts.scheduling import engine
from helpouts.scheduling.holidays import Closed
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import Caps, DayOverride, Schedule, SlotPolicy, TimeOff, WeeklyRule, Window
from helpouts.scheduling.zones import to_minute, to_minute_up

#: States of bookings that count for the caps: what takes the host's time, and what took it.
COUNTED_STATES = (*LIVE_STATES, "completed", "no_show")
#: The sessions that matter to the caps of a start begin within so many days of it.
WEEK = timedelta(days=8)


def to_schedule(row: ScheduleRow) -> Schedule:
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


def to_time_off(row: ScheduleRow) -> tuple[TimeOff, ...]:
    """The stored dates without work."""
    return tuple(
        TimeOff(date.fromisoformat(first), date.fromisoformat(last), note) for first, last, note in row.time_off or ()
    )


def to_policy(row: ScheduleRow, length_minutes: int) -> SlotPolicy:
    """The engine's form of how sessions may be placed; the buffers are in the busy times (see :func:`spaced`)."""
    return SlotPolicy(
        length_minutes,
        step_minutes=row.step_minutes,
        minimum_notice_minutes=row.minimum_notice_minutes,
        horizon_days=row.horizon_days,
        caps=to_caps(row),
    )


def to_caps(row: ScheduleRow) -> Caps:
    """The stored caps."""
    return Caps(row.most_sessions_day, row.most_sessions_week, row.most_minutes_day, row.most_minutes_week)


def pause(row: ScheduleRow) -> int:
    """Minutes between two sessions: they share the pause, which is the longer of the buffers before and after."""
    return max(row.buffer_before, row.buffer_after)


def spaced(row: ScheduleRow, busy: list[Window]) -> list[Window]:
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
    ids = list(set(user_ids))
    queries = []
    if "bookings" in kinds:
        live = (Booking.state.in_(LIVE_STATES), Booking.starts_at < end, Booking.ends_at > start, unlapsed(now))
        queries = [
            select(person.label("person"), Booking.starts_at, Booking.ends_at).where(
                person.in_(ids), *live, *_but(without)
            )
            for person in (Booking.host_id, Booking.customer_id)
        ]
    if "calendars" in kinds:
        elsewhere = (BusyTime.user_id.in_(ids), BusyTime.starts_at < end, BusyTime.ends_at > start)
        queries.append(select(BusyTime.user_id, BusyTime.starts_at, BusyTime.ends_at).where(*elsewhere))
    found: dict[int, list[Window]] = {user_id: [] for user_id in ids}
    for person, starts_at, ends_at in db.execute(union_all(*queries)):
        found[person].append((to_minute(starts_at), to_minute_up(ends_at)))
    for windows in found.values():
        windows.sort()
    return found


def given(
    db: Session,
    rows: Iterable[ScheduleRow],
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    without: int | None = None,
) -> dict[int, list[Window]]:
    """The sessions that count for the caps of starts in [start, end), by host; nobody without caps is asked for."""
    ids = [row.user_id for row in rows if to_caps(row)]
    found: dict[int, list[Window]] = {user_id: [] for user_id in ids}
    if not ids:
        return found
    query = select(Booking.host_id, Booking.starts_at, Booking.ends_at).where(
        Booking.host_id.in_(ids),
        Booking.state.in_(COUNTED_STATES),
        Booking.starts_at < end + WEEK,
        Booking.ends_at > start - WEEK,
        unlapsed(now),
        *_but(without),
    )
    for host, starts_at, ends_at in db.execute(query):
        found[host].append((to_minute(starts_at), to_minute_up(ends_at)))
    return found


def unlapsed(now: datetime) -> ColumnElement[bool]:
    """That a booking is no hold, or one that has not lapsed."""
    return or_(Booking.state != "held", Booking.held_until.is_(None), Booking.held_until > now)


def _but(booking_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if booking_id is None else (Booking.id != booking_id,)
