"""Where wall time stands on a drawn week, so that a day of 23 or 25 hours is drawn as it is.

All columns share one axis of minutes, so that 09:00 is at one height on every day.  In a week in which the clocks go
back the axis is longer by the repeated hour, which stands after its first pass: the day of the change has both, the
others have nothing there.  In a week in which they go forward the day of the change has nothing in the hour left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from helpouts.scheduling.display import offset_name
from helpouts.scheduling.rules import DAY, Window, zone_info
from helpouts.scheduling.zones import EPOCH_ORDINAL, ChangeDay, day_offset, from_minute


@dataclass(frozen=True, slots=True)
class Change:
    """The change of the clocks on ``day``: wall minutes ``start`` to ``end`` come twice ("repeat") or not ("skip")."""

    day: date
    kind: Literal["repeat", "skip"]
    start: int
    end: int
    #: names of the offset before and after, such as ("CEST", "CET")
    names: tuple[str, str]


def change_on(zone: str, day: date) -> Change | None:
    """How the clocks change on a local date, if they do."""
    found = day_offset(zone, day.toordinal())
    if not isinstance(found, ChangeDay):
        return None
    midnight = (day.toordinal() - EPOCH_ORDINAL) * DAY
    before, after = found.jump + found.before - midnight, found.jump + found.after - midnight
    info = zone_info(zone)
    names = tuple(offset_name(from_minute(minute).astimezone(info)) for minute in (found.jump - 1, found.jump))
    kind: Literal["repeat", "skip"] = "repeat" if after < before else "skip"
    return Change(day, kind, min(before, after), max(before, after), (names[0], names[1]))


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of some days in a row; positions are minutes from its top."""

    zone: str
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, zone: str, days: Sequence[date]) -> Axis:
        """The axis of these dates in a zone."""
        return cls(zone, tuple(found for found in (change_on(zone, day) for day in days) if found))

    @property
    def repeat(self) -> Change | None:
        """The repeated stretch that makes the axis longer."""
        return next((change for change in self.changes if change.kind == "repeat"), None)

    @property
    def length(self) -> int:
        """Minutes from top to bottom: 1440, or more in a week with a repeated hour."""
        repeat = self.repeat
        return DAY + (repeat.end - repeat.start if repeat else 0)

    def place(self, minute: int, fold: int = 0) -> int:
        """Position of a wall minute; ``fold=1`` is its second pass."""
        repeat = self.repeat
        if repeat is None or minute < repeat.start or (minute < repeat.end and not fold):
            return minute
        return minute + repeat.end - repeat.start

    def window(self, day: date, window: Window) -> Window | None:
        """Top and bottom of working hours, by the rule of :mod:`helpouts.scheduling.zones`; None if left out."""
        start, end = window
        for change in self.changes:
            if change.day == day and change.kind == "skip":
                start = change.end if change.start <= start < change.end else start
                end = change.start if change.start < end <= change.end else end
        if start >= end:
            return None
        repeat = self.repeat
        twice = repeat is not None and repeat.day == day and repeat.start < end <= repeat.end
        return self.place(start), self.place(end - 1, 1 if twice else 0) + 1

    def span(self, day: date, starts_at: datetime, ends_at: datetime) -> Window | None:
        """Top and bottom of what lies between two instants on a local date, None when nothing of it does."""
        info = zone_info(self.zone)
        midnight = datetime.combine(day, datetime.min.time(), info)
        next_midnight = midnight + timedelta(days=1)
        if ends_at <= midnight or starts_at >= next_midnight:
            return None
        top = self._instant(starts_at) if starts_at >= midnight else 0
        last = ends_at - timedelta(minutes=1)
        last_minute = self.place(DAY - 1, int(self.repeat is not None and self.repeat.day == day)) + 1
        bottom = self._instant(last) + 1 if ends_at < next_midnight else last_minute
        return top, max(bottom, top + 1)

    def nothing(self, day: date) -> list[Window]:
        """Stretches (top, bottom) that do not exist on a date: the hour left out, or that of another day."""
        found = [
            (self.place(change.start), self.place(change.start) + change.end - change.start)
            for change in self.changes
            if change.kind == "skip" and change.day == day
        ]
        repeat = self.repeat
        if repeat is not None and repeat.day != day:
            found.append((repeat.end, repeat.end + repeat.end - repeat.start))
        return found

    def _instant(self, instant: datetime) -> int:
        local = instant.astimezone(zone_info(self.zone))
        return self.place(local.hour * 60 + local.minute, local.fold)
