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


def slots(
    schedule: Schedule, policy: SlotPolicy, busy: list[tuple[int, int]], start: int, end: int, now: int
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
        ):
            found.append(minute)
    return found
