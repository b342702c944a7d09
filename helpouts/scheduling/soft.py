"""The rules of a start that an operator may waive, and outstanding sessions that have come to break them.

That two sessions never overlap is not among them: that is the database's to say (:mod:`helpouts.bookings.guard`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.clock import clock
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import engine, loading
from helpouts.scheduling.caps import full
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DAY, Window
from helpouts.scheduling.storing import schedule_of
from helpouts.scheduling.zones import to_minute, to_minute_up

_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a session should not begin then; ``str()`` of it is the reason, in the reader's language.

    :ivar code: past, notice, horizon, hours, calendar, pause, day or week.
    """

    code: str
    reason: Any

    def __str__(self) -> str:
        return str(self.reason)


def soft_problems(
    db: Session,
    user_id: int,
    starts_at: datetime,
    length_minutes: int,
    now: datetime | None = None,
    *,
    without: int | None = None,
) -> list[Problem]:
    """All that speaks against a session of a host that begins then, but for an overlap with another session.

    Nothing when the start is one that the host's rules allow; that it is on the grid of starts is not asked for.

    :param without: id of a booking that is looked through, because it is to be moved.
    """
    now = now or clock.now()
    row = schedule_of(db, user_id)
    start = to_minute(starts_at)
    session = (start, start + length_minutes)
    return [
        *_too_soon_or_late(row, start, to_minute_up(now)),
        *_outside(row, session),
        *_near(db, row, starts_at, session, now, without),
        *_enough(db, row, starts_at, session, now, without),
    ]


def outside_hours(db: Session, user_id: int, now: datetime | None = None) -> list[Booking]:
    """The host's sessions to come (and holds) that do not lie wholly within working hours, by start.

    It happens when hours change, or the zone, after somebody has booked: bookings keep their instants.
    """
    now = now or clock.now()
    row = schedule_of(db, user_id)
    schedule = loading.to_schedule(row)
    query = (
        select(Booking)
        .where(
            Booking.host_id == user_id,
            Booking.state.in_(LIVE_STATES),
            Booking.ends_at > now,
            loading.unlapsed(now),
        )
        .order_by(Booking.starts_at)
    )
    found = []
    for booking in db.scalars(query):
        session = (to_minute(booking.starts_at), to_minute_up(booking.ends_at))
        if engine.free_windows(schedule, (), *session) != [session]:
            found.append(booking)
    return found


def _too_soon_or_late(row: ScheduleRow, start: int, now: int) -> Iterator[Problem]:
    if start < now:
        yield Problem("past", _l("This time is over."))
    elif start < now + row.minimum_notice_minutes:
        yield Problem("notice", _l("This is sooner than the notice that the expert asks for."))
    elif start > now + row.horizon_days * DAY:
        yield Problem("horizon", _l("This is further ahead than the expert takes bookings."))


def _outside(row: ScheduleRow, session: Window) -> Iterator[Problem]:
    if engine.free_windows(loading.to_schedule(row), (), *session) != [session]:
        yield Problem("hours", _l("This is outside the expert's working hours."))


def _near(
    db: Session, row: ScheduleRow, starts_at: datetime, session: Window, now: datetime, without: int | None
) -> Iterator[Problem]:
    start, end = session
    ends_at = starts_at + timedelta(minutes=end - start)
    user_id, minutes = row.user_id, loading.pause(row)
    around = (starts_at - _MARGIN, ends_at + _MARGIN, now)
    elsewhere = loading.busy(db, [user_id], *around, kinds=("calendars",))[user_id]
    if any(since < end and until > start for since, until in elsewhere):
        yield Problem("calendar", _l("Another calendar of the expert has an entry at this time."))
    booked = loading.busy(db, [user_id], *around, kinds=("bookings",), without=without)[user_id]
    apart = [window for window in [*booked, *elsewhere] if window[0] >= end or window[1] <= start]
    if any(since < end + minutes and until > start - minutes for since, until in apart):
        yield Problem("pause", _l("This leaves no pause between two sessions of the expert."))


def _enough(
    db: Session, row: ScheduleRow, starts_at: datetime, session: Window, now: datetime, without: int | None
) -> Iterator[Problem]:
    caps = loading.to_caps(row)
    if not caps:
        return
    start, end = session
    given = loading.given(db, [row], starts_at, starts_at, now, without=without)[row.user_id]
    daily = replace(caps, most_sessions_week=None, most_minutes_week=None)
    weekly = replace(caps, most_sessions_day=None, most_minutes_day=None)
    for code, some, reason in (
        ("day", daily, _l("The expert takes no more sessions on this date.")),
        ("week", weekly, _l("The expert takes no more sessions in this week.")),
    ):
        if any(since <= start < until for since, until in full(row.zone, some, given, end - start, start, start + 1)):
            yield Problem(code, reason)
