"""Slots as the viewer reads them: grouped by the viewer's own date, on the viewer's own clock.

The grouping decides nothing: the value that a form sends back is the instant in UTC.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from babel import Locale
from babel.dates import format_date, format_time

from helpouts.formatting import clock_label
from helpouts.i18n import babel_locale, current_zone
from helpouts.scheduling.rules import DAY, zone_info
from helpouts.scheduling.zones import EPOCH_ORDINAL, ChangeDay, day_offset, day_start, from_minute, local_ordinal


class Slot(NamedTuple):
    """One start: ``value`` is the instant (ISO 8601, UTC, to the minute), ``label`` the viewer's clock."""

    value: str
    label: str
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """The slots of one local date of the viewer, e.g. labelled "Tuesday 24 November" in their language."""

    date: date
    label: str
    slots: tuple[Slot, ...]

    @property
    def free(self) -> int:
        """How many of them can be chosen."""
        return sum(not slot.disabled for slot in self.slots)


@lru_cache(maxsize=65536)
def slot_value(minute: int) -> str:
    """The form value of an epoch minute, e.g. ``2026-11-24T08:00:00Z`` (RFC 3339)."""
    day, rest = divmod(minute, DAY)
    return f"{date.fromordinal(EPOCH_ORDINAL + day).isoformat()}T{rest // 60:02}:{rest % 60:02}:00Z"


def split_by_day(slots: Sequence[int], zone: str) -> dict[int, list[int]]:
    """The starts of each local date by its ``date.toordinal()``; ``slots`` as for :func:`group_by_day`."""
    days: dict[int, list[int]] = {}
    first = 0
    while first < len(slots):
        ordinal = local_ordinal(zone, slots[first])
        # Where the clocks go back at midnight a date goes on after the next one has begun.
        after = max(first + 1, bisect_left(slots, day_start(zone, ordinal + 1), first))
        days.setdefault(ordinal, []).extend(slots[first:after])
        first = after
    return days


def group_by_day(slots: Sequence[int], zone: str | None = None, taken: Collection[int] = ()) -> list[Day]:
    """Days with their slots, in order, in the language in force.

    :param slots: starts in epoch minutes, ascending.
    :param zone: the viewer's IANA zone; by default the one in force for the request.
    :param taken: those of ``slots`` that are to be shown but cannot be chosen.
    :raises HelpoutsError: if there is no such zone.
    """
    zone = zone or current_zone()
    return [day_of(ordinal, starts, zone, taken) for ordinal, starts in split_by_day(slots, zone).items()]


def day_of(ordinal: int, starts: Sequence[int], zone: str, taken: Collection[int] = ()) -> Day:
    """One of the days of :func:`split_by_day` with its slots."""
    offset = day_offset(zone, ordinal)
    if isinstance(offset, int):
        labels = [clock_label((minute + offset) % DAY) for minute in starts]
    else:
        labels = [time_label(from_minute(minute).astimezone(zone_info(zone)), zone) for minute in starts]
    day = date.fromordinal(ordinal)
    slots = [Slot(slot_value(minute), label, minute in taken) for minute, label in zip(starts, labels, strict=True)]
    return Day(day, day_label(day), tuple(slots))


def day_label(day: date) -> str:
    """The date with its weekday, without the year, in the language in force.

    CLDR has this pattern with short names only; they are widened as UTS 35 says (part 4, "Matching Skeletons").
    """
    return _day_label(str(babel_locale()), day)


@lru_cache(maxsize=4096)
def _day_label(name: str, day: date) -> str:
    locale = Locale.parse(name)
    skeletons = locale.datetime_skeletons
    pattern = str((skeletons.get("MMMMEd") or skeletons["MMMEd"]).pattern)
    wide = re.sub(
        r"(?<!M)MMM(?!M)", "MMMM", re.sub(r"(?<!c)c{3}(?!c)", "cccc", re.sub(r"(?<!E)E{1,3}(?!E)", "EEEE", pattern))
    )
    return format_date(day, wide, locale=locale)


def long_day_label(day: date) -> str:
    """The date with weekday and year, in the language in force."""
    return format_date(day, "full", locale=babel_locale())


def time_label(local: datetime, zone: str) -> str:
    """The clock time of an aware local datetime; in an hour that happens twice, with the name of its offset."""
    label = format_time(local, "short", tzinfo=local.tzinfo, locale=babel_locale())
    if isinstance(day_offset(zone, local.toordinal()), ChangeDay) and is_repeated(local):
        return f"{label} {offset_name(local)}"
    return label


def is_repeated(local: datetime) -> bool:
    """Whether the clock shows this time twice on that day, as the clocks go back.

    Both readings exist only then; in the hour that is left out the later reading has the greater offset.
    """
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def offset_name(local: datetime) -> str:
    """Such as "CET" or "CEST" where the zone has such names, else e.g. "UTC+10:30"."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = local.utcoffset() or timedelta()
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = "-" if offset < timedelta() else "+"
    return f"UTC{sign}{hours}:{minutes:02}" if minutes else f"UTC{sign}{hours}"
