"""The slow truth: looks at every single minute on the wall, and shares no code with the engine.

A window covers all minutes from the first to the last at which the wall clock of the zone reads a time in it.  On
ordinary days that is simply the window; in a repeated hour it is the rule that :mod:`helpouts.scheduling.zones` states.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from helpouts.scheduling.rules import Schedule, SlotPolicy

DAY = 1440


@cache
def wall(zone: str, minute: int) -> tuple[date, int]:
    """Local date and wall minute at an epoch minute."""
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return local.date(), local.hour * 60 + local.minute


def _windows(schedule: Schedule, day: date) -> list[tuple[int, int]]:
    for override in schedule.overrides:
        if override.day == day:
            return list(override.windows)
    if any(off.first <= day <= off.last for off in schedule.time_off) or day.toordinal() in schedule.closed:
        return []
    return [
        (rule.start_minute, rule.end_minute)
        for rule in schedule.weekly
        if rule.weekday == day.weekday() and (rule.valid_from or day) <= day <= (rule.valid_until or day)
    ]


def working_minutes(schedule: Schedule, start: int, end: int) -> set[int]:
    """Every epoch minute of [start, end) in which the expert works."""
    shown: dict[tuple[date, int, int], list[int]] = {}
    for minute in range(start - 2 * DAY, end + 2 * DAY):
        day, at = wall(schedule.zone, minute)
        for opens, closes in _windows(schedule, day):
            if opens <= at < closes:
                shown.setdefault((day, opens, closes), []).append(minute)
    return {
        minute for minutes in shown.values() for minute in range(minutes[0], minutes[-1] + 1) if start <= minute < end
    }


def room(zone: str, policy: SlotPolicy, given: list[tuple[int, int]], minute: int) -> bool:
    """Whether the caps allow a session that begins at the minute, besides those that were given."""

    def date_of(at: int) -> date:
        return wall(zone, at)[0]

    day, caps = date_of(minute), policy.caps
    same_day = [until - since for since, until in given if date_of(since) == day]
    same_week = [until - since for since, until in given if date_of(since).isocalendar()[:2] == day.isocalendar()[:2]]
    length = policy.length_minutes
    return all(
        (most_sessions is None or len(those) + 1 <= most_sessions)
        and (most_minutes is None or sum(those) + length <= most_minutes)
        for those, most_sessions, most_minutes in (
            (same_day, caps.most_sessions_day, caps.most_minutes_day),
            (same_week, caps.most_sessions_week, caps.most_minutes_week),
        )
    )


def slots(
    schedule: Schedule,
    policy: SlotPolicy,
    busy: list[tuple[int, int]],
    start: int,
    end: int,
    now: int,
    given: list[tuple[int, int]] | None = None,
) -> list[int]:
    """Every minute of [start, end) that is a bookable start."""
    working = working_minutes(schedule, start, end + policy.length_minutes)
    taken = {minute for since, until in busy for minute in range(since, until)}
    found = []
    for minute in range(start, end):
        meeting = range(minute, minute + policy.length_minutes)
        kept = range(minute - policy.buffer_before, minute + policy.length_minutes + policy.buffer_after)
        if (
            now + policy.minimum_notice_minutes <= minute <= now + policy.horizon_days * DAY
            and wall(schedule.zone, minute)[1] % policy.step_minutes == 0
            and working.issuperset(meeting)
            and taken.isdisjoint(kept)
            and room(schedule.zone, policy, given or [], minute)
        ):
            found.append(minute)
    return found
