"""The one door to time: hours of people, and free slots of listings.

The engine's plain integers are fed from the database and returned as instants.  Every function works in the caller's
transaction.  Two sessions share the pause between them: it is at least the longer of the buffers before and after.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.scheduling.hosts import asked_for, choices, hosts
from helpouts.scheduling.loading import busy, given, spaced, to_caps, to_policy, to_schedule, to_time_off
from helpouts.scheduling.rules import Window
from helpouts.scheduling.slots import (
    FreeTime,
    Offer,
    first_free,
    free_hosts,
    free_minutes,
    free_slots,
    free_time,
    next_free,
)
from helpouts.scheduling.soft import Problem, outside_hours, soft_problems
from helpouts.scheduling.storing import (
    DEFAULTS,
    MOST_OVERRIDES,
    MOST_TIME_OFF,
    MOST_WINDOWS_A_DAY,
    POLICY,
    add_time_off,
    has_hours,
    hours_changed,
    remove_time_off,
    save_caps,
    save_holidays,
    save_schedule,
    save_time_off,
    schedule_of,
)

__all__ = [
    "DEFAULTS",
    "MOST_OVERRIDES",
    "MOST_TIME_OFF",
    "MOST_WINDOWS_A_DAY",
    "POLICY",
    "FreeTime",
    "Offer",
    "Problem",
    "add_time_off",
    "asked_for",
    "busy",
    "busy_of",
    "choices",
    "first_free",
    "free_hosts",
    "free_minutes",
    "free_slots",
    "free_time",
    "given",
    "has_hours",
    "hosts",
    "hours_changed",
    "next_free",
    "outside_hours",
    "remove_time_off",
    "save_caps",
    "save_holidays",
    "save_schedule",
    "save_time_off",
    "schedule_of",
    "soft_problems",
    "spaced",
    "to_caps",
    "to_policy",
    "to_schedule",
    "to_time_off",
]


def busy_of(db: Session, user_id: int, start: datetime, end: datetime) -> list[Window]:
    """(start, end) in epoch minutes of all that takes the person's time in [start, end): bookings, other calendars."""
    return busy(db, [user_id], start, end, clock.now())[user_id]
