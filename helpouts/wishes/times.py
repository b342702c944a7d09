"""A wished date and time, as a form says them in the visitor's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def instant(day: str, clock_time: str, zone: str) -> datetime | None:
    """The instant (UTC) of "2026-11-24" and "15:30" on the clock of that zone; None when they say no time.

    Of an hour that happens twice it is the first; a time that the clock leaves out is read with the offset before.
    """
    try:
        local = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock_time))
    except ValueError:
        return None
    if local.tzinfo is not None or not 2000 < local.year < 2200:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
