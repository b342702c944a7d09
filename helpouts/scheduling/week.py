"""One week of somebody's time, and changes of their hours made by pointing at it.

A change names the date it was made on and whether it is meant for every week or for that date alone; and the version
of the hours that its author has seen, so that two windows never overwrite each other unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import service
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DayOverride, Schedule, WeeklyRule, Window, zone_info

#: States of bookings that a calendar shows; the past ones, too.
SHOWN = ("held", "confirmed", "in_session", "completed", "no_show")
#: Shortest hours that can be made by pointing.
SHORTEST = 5


@dataclass(frozen=True, slots=True)
class Block:
    """Working hours of one date in wall minutes: of the week (perhaps of a season), or of this date alone."""

    window: Window
    weekly: bool
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to the hours they saw.

    ``old`` on ``day`` becomes ``new`` on ``new_day``.  Without ``old`` hours are added, without ``new`` removed.
    """

    version: int
    day: date
    old: Window | None
    new_day: date
    new: Window | None
    every_week: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hours as they were, to go back to."""

    weekly: tuple[WeeklyRule, ...]
    overrides: tuple[DayOverride, ...]


def seen_version(db: Session, user_id: int, version: int) -> ScheduleRow:
    """The schedule, locked until the end of the transaction, if it is still the one that was seen.

    :raises Conflict: when it has been changed since.
    """
    db.execute(select(User.id).where(User.id == user_id).with_for_update())
    row = service.schedule_of(db, user_id)
    if row.version:
        db.refresh(row)
    if (row.version or 0) != version:
        raise Conflict(
            _l("Your hours were changed in another window. You see them as they are now: make your change again."),
            field="version",
        )
    return row


def blocks_on(row: ScheduleRow, schedule: Schedule, day: date) -> list[Block]:
    """The working hours of a date, each with where it comes from."""
    if any(override.day == day for override in row.overrides):
        return [Block(window, weekly=False) for window in schedule.windows_on(day.toordinal())]
    left = list(schedule.windows_on(day.toordinal()))
    found: list[Block] = []
    for rule in _rules(row):
        window = (rule.start_minute, rule.end_minute)
        if rule.weekday == day.weekday() and rule.holds_on(day) and window in left:
            left.remove(window)
            found.append(Block(window, True, rule.valid_from, rule.valid_until))
    found += [Block(window, weekly=False) for window in left]
    return sorted(found, key=lambda block: block.window)


def change_hours(db: Session, user_id: int, change: Change) -> tuple[ScheduleRow, Snapshot]:
    """Make a change; the schedule as it is now, and what it was.

    :raises Conflict: when the hours are not those that were seen.
    :raises HelpoutsError: when the change makes no sense, or is about the past.
    """
    row = seen_version(db, user_id, change.version)
    today = clock.now().astimezone(zone_info(row.zone)).date()
    if min(change.day, change.new_day) < today:
        raise HelpoutsError(_l("What is over cannot be changed: choose a day to come."))
    if change.new and change.new[1] - change.new[0] < SHORTEST:
        raise HelpoutsError(_l("Hours last five minutes at least."), field="end")
    before = Snapshot(tuple(_rules(row)), tuple(_overrides(row)))
    weekly: Sequence[WeeklyRule] = before.weekly
    overrides: Iterable[DayOverride] = before.overrides
    if change.every_week:
        weekly = _every_week(before.weekly, change)
    else:
        overrides = _this_date(service.to_schedule(row), before.overrides, change)
    return service.save_schedule(db, user_id, row.zone, weekly, overrides), before


def usual_hours(db: Session, user_id: int, version: int, day: date) -> tuple[ScheduleRow, Snapshot]:
    """Let a date follow the week again.

    :raises Conflict: when the hours are not those that were seen.
    """
    row = seen_version(db, user_id, version)
    before = Snapshot(tuple(_rules(row)), tuple(_overrides(row)))
    kept = [override for override in before.overrides if override.day != day]
    return service.save_schedule(db, user_id, row.zone, before.weekly, kept), before


def go_back(db: Session, user_id: int, version: int, snapshot: Snapshot) -> ScheduleRow:
    """Put hours back as they were.

    :raises Conflict: when they have been changed again since.
    """
    row = seen_version(db, user_id, version)
    return service.save_schedule(db, user_id, row.zone, snapshot.weekly, snapshot.overrides)


def bookings_between(db: Session, user_id: int, start: datetime, end: datetime) -> list[Booking]:
    """Bookings, holds included, that take or took the person's time, as host or as customer."""
    now = clock.now()
    query = select(Booking).where(
        or_(Booking.host_id == user_id, Booking.customer_id == user_id),
        Booking.state.in_(SHOWN),
        Booking.starts_at < end,
        Booking.ends_at > start,
        or_(Booking.state != "held", Booking.held_until.is_(None), Booking.held_until > now),
    )
    return list(db.scalars(query.order_by(Booking.starts_at)))


def _rules(row: ScheduleRow) -> list[WeeklyRule]:
    return [
        WeeklyRule(hours.weekday, hours.start_minute, hours.end_minute, hours.valid_from, hours.valid_until)
        for hours in row.weekly
    ]


def _overrides(row: ScheduleRow) -> list[DayOverride]:
    return [DayOverride(o.day, tuple((first, last) for first, last in o.windows)) for o in row.overrides]


def _every_week(rules: Sequence[WeeklyRule], change: Change) -> list[WeeklyRule]:
    """The rules with one replaced; a season's hours stay that season's."""
    kept = list(rules)
    changed = WeeklyRule(0, 0, 1)
    if change.old is not None:
        old = next(
            (
                rule
                for rule in kept
                if rule.weekday == change.day.weekday()
                and (rule.start_minute, rule.end_minute) == change.old
                and rule.holds_on(change.day)
            ),
            None,
        )
        if old is None:
            raise Conflict(_l("These hours are not there any more. You see your week as it is now."))
        kept.remove(old)
        changed = old
    if change.new is None:
        return kept
    added = replace(changed, weekday=change.new_day.weekday(), start_minute=change.new[0], end_minute=change.new[1])
    season = (added.weekday, added.valid_from, added.valid_until)
    same = [rule for rule in kept if (rule.weekday, rule.valid_from, rule.valid_until) == season]
    others = [rule for rule in kept if rule not in same]
    windows = merged([*((rule.start_minute, rule.end_minute) for rule in same), change.new])
    return [*others, *(replace(added, start_minute=first, end_minute=last) for first, last in windows)]


def _this_date(schedule: Schedule, overrides: Iterable[DayOverride], change: Change) -> list[DayOverride]:
    """The overrides with one or two dates changed."""
    special = {override.day: override for override in overrides}
    windows = {day: list(schedule.windows_on(day.toordinal())) for day in (change.day, change.new_day)}
    if change.old is not None:
        if change.old not in windows[change.day]:
            raise Conflict(_l("These hours are not there any more. You see your week as it is now."))
        windows[change.day].remove(change.old)
        special[change.day] = DayOverride(change.day, tuple(merged(windows[change.day])))
    if change.new is not None:
        windows[change.new_day].append(change.new)
        special[change.new_day] = DayOverride(change.new_day, tuple(merged(windows[change.new_day])))
    return list(special.values())


def merged(windows: Iterable[Window]) -> list[Window]:
    """Windows in order, those that overlap or touch joined."""
    found: list[Window] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
