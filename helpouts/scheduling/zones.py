"""Wall minutes of a local day to instants, which here are whole minutes since 1970-01-01 00:00 UTC (epoch minutes).

On some 363 days a year a local day has one offset from UTC and a wall minute is found by an addition.  On the others
the clocks jump, and the rules are these:

* **The hour that is left out** (clocks go forward): an edge inside it is the instant of the jump.  09:00-17:00 is
  untouched; 02:30-06:00 begins when the clocks jump; a window wholly inside the gap does not happen that day.
* **The hour that is repeated** (clocks go back): a window is *one* stretch from the first time its first minute is
  on the clock (``fold=0``) until the last time its last minute is (``fold=1``).  So 02:00-03:00 lasts two hours that
  day, and 00:00-06:00 seven.  An edge *inside* the repeated hour therefore takes in the minutes between its two
  occurrences: 01:00-02:30 runs through both passes of 02:00-02:30 and what lies between them.  An end exactly where
  the repeated hour begins stays outside of it: 00:00-02:00 lasts two hours.

Offsets come from :mod:`zoneinfo` (with ``tzdata``) alone and are cached by zone name and day; new zone data takes
effect when the process is restarted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from helpouts.scheduling.rules import DAY, Window, zone_info

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def to_minute(instant: datetime) -> int:
    """Epoch minute in which the aware ``instant`` lies (rounded down): use it for starts of busy time."""
    return (instant - _EPOCH) // _MINUTE


def to_minute_up(instant: datetime) -> int:
    """First epoch minute not before the aware ``instant``: use it for ends of busy time and for now."""
    return -((_EPOCH - instant) // _MINUTE)


def from_minute(minute: int) -> datetime:
    """The aware UTC datetime of an epoch minute."""
    return _EPOCH + minute * _MINUTE


@dataclass(frozen=True, slots=True)
class ChangeDay:
    """A local day on which the clocks change: offsets (minutes east of UTC) and the epoch minute of the jump."""

    before: int
    after: int
    jump: int

    def start(self, naive: int) -> int:
        """Epoch minute of a start edge; ``naive`` is the wall clock read as if it were UTC."""
        first, second = naive - self.before, naive - self.after
        if first < self.jump:
            return first
        return max(second, self.jump)

    def end(self, naive: int) -> int:
        """Epoch minute of an (exclusive) end edge: one after the last time that the minute before it is shown."""
        first, second = naive - 1 - self.before, naive - 1 - self.after
        if second >= self.jump:
            return second + 1
        return min(first + 1, self.jump)


def _offset(zone: ZoneInfo, minute: int) -> int:
    offset = from_minute(minute).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // _MINUTE


@lru_cache(maxsize=65536)
def day_offset(zone: str, ordinal: int) -> int | ChangeDay:
    """Minutes east of UTC for the whole local day, or how it changes within the day.

    :param ordinal: ``date.toordinal()`` of the local date.
    :raises HelpoutsError: if there is no such zone.
    """
    info = zone_info(zone)
    midnight = datetime.fromordinal(ordinal).replace(tzinfo=info)
    first, second = midnight.utcoffset(), (midnight + timedelta(days=1)).utcoffset()
    assert first is not None
    assert second is not None
    before, after = first // _MINUTE, second // _MINUTE
    if before == after:
        return before
    naive = (ordinal - EPOCH_ORDINAL) * DAY
    low, high = naive - before, naive + DAY - after  # the jump lies in here, both ends included
    while low < high:
        middle = (low + high) // 2
        if _offset(info, middle) == after:
            high = middle
        else:
            low = middle + 1
    return ChangeDay(before, after, low)


def change_day_windows(change: ChangeDay, ordinal: int, windows: Iterable[Window]) -> list[Window]:
    """Windows of wall minutes of a change day as (start, end) in epoch minutes, in the order given.

    Those which the clocks leave out are dropped.  On all other days :func:`day_offset` is a number to subtract.
    """
    naive = (ordinal - EPOCH_ORDINAL) * DAY
    edges = [(change.start(naive + start), change.end(naive + end)) for start, end in windows]
    return [(start, end) for start, end in edges if start < end]


@lru_cache(maxsize=65536)
def day_start(zone: str, ordinal: int) -> int:
    """Epoch minute at which that local date begins: its midnight, the first of two, or the jump that leaves it out."""
    offset, naive = day_offset(zone, ordinal), (ordinal - EPOCH_ORDINAL) * DAY
    return naive - offset if isinstance(offset, int) else offset.start(naive)


def local_ordinal(zone: str, minute: int) -> int:
    """``date.toordinal()`` of the local date at an epoch minute."""
    return from_minute(minute).astimezone(zone_info(zone)).toordinal()
