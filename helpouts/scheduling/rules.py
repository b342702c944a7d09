"""What an expert says about their time: weekly hours, dates that differ, and how sessions may be placed.

All records are plain, frozen and know no database; :mod:`helpouts.scheduling.models` is their stored form.
Wall minutes count from the local midnight of the expert's zone: 540 is 09:00 on the clock on the wall, 1440 is the
midnight that ends the day.  What becomes of them on a day on which the clocks change is in
:mod:`helpouts.scheduling.zones`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _

DAY = 1440
#: Sessions longer than a day are not a thing that this product sells.
LONGEST = DAY

#: (start_minute, end_minute) in wall minutes of one day, end exclusive
Window = tuple[int, int]


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """The zone called ``name`` (IANA, such as ``Europe/Berlin``).

    :raises HelpoutsError: if there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a folder of the zone data is an OSError, a path a ValueError
        raise HelpoutsError(
            _("There is no time zone %(name)s: choose one from the list, such as Europe/Berlin.", name=name),
            field="zone",
        ) from error


def _check_window(start: int, end: int) -> None:
    if not (0 <= start < end <= DAY):
        raise HelpoutsError(
            _("Working hours must begin before they end, within one day: enter hours over midnight as two entries."),
            field="end_minute",
        )


@dataclass(frozen=True, slots=True)
class WeeklyRule:
    """Works each ``weekday`` (0 = Monday) from ``start_minute`` to ``end_minute``, both in wall minutes.

    ``end_minute`` may be 1440; hours over midnight are two rules.  ``valid_from`` and ``valid_until`` (both
    inclusive, local dates, ``None`` = without limit) make seasons and travel possible.

    :raises HelpoutsError: if weekday, minutes or dates make no sense.
    """

    weekday: int
    start_minute: int
    end_minute: int
    valid_from: date | None = None
    valid_until: date | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= 6:
            raise HelpoutsError(_("Choose a day of the week."), field="weekday")
        _check_window(self.start_minute, self.end_minute)
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise HelpoutsError(_("The first day must not be after the last day."), field="valid_until")

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on that local date (the weekday is not looked at)."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class DayOverride:
    """Replaces the weekly hours of one local date; no windows at all means off.

    :raises HelpoutsError: if a window makes no sense.
    """

    day: date
    windows: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        for start, end in self.windows:
            _check_window(start, end)


@dataclass(frozen=True, slots=True)
class TimeOff:
    """Whole local dates without work, ``first`` and ``last`` included; an override of one of them is the last word.

    :raises HelpoutsError: if they are in the wrong order or more than a year apart.
    """

    first: date
    last: date
    note: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise HelpoutsError(_("The first day must not be after the last day."), field="last")
        if (self.last - self.first).days > 366:
            raise HelpoutsError(_("Time off lasts a year at most."), field="last")


@dataclass(frozen=True, slots=True)
class Caps:
    """How much somebody takes on: sessions, and minutes of sessions, on one local date and in one ISO week.

    A session counts on the date on which it begins, by the clock of the expert's zone.  ``None`` is no limit.

    :raises HelpoutsError: if a value is out of range.
    """

    most_sessions_day: int | None = None
    most_sessions_week: int | None = None
    most_minutes_day: int | None = None
    most_minutes_week: int | None = None

    def __post_init__(self) -> None:
        for name, most in CAP_BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise HelpoutsError(
                    _("Enter a number from 1 to %(most)s, or leave it empty for no limit.", most=most), field=name
                )

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in CAP_BOUNDS)


#: The caps that there are, with the greatest value of each.
CAP_BOUNDS = {"most_sessions_day": 96, "most_sessions_week": 500, "most_minutes_day": DAY, "most_minutes_week": 7 * DAY}
NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class SlotPolicy:
    """How sessions of one length may be placed into free time.

    ``step_minutes`` is the grid of starts on the expert's wall clock, counted from midnight, so it must divide the
    day: 15 means :00, :15, :30 and :45 there, whatever the offset from UTC.  A session needs ``buffer_before``
    minutes before and ``buffer_after`` minutes after it that no other commitment takes; buffers may lie outside the
    working hours.  It can be booked from ``minimum_notice_minutes`` up to ``horizon_days`` (of 24 hours) ahead, as
    long as ``caps`` leaves room.

    :raises HelpoutsError: if a value is out of range.
    """

    length_minutes: int
    step_minutes: int = 15
    buffer_before: int = 0
    buffer_after: int = 0
    minimum_notice_minutes: int = 0
    horizon_days: int = 60
    caps: Caps = NO_CAPS

    def __post_init__(self) -> None:
        if not 1 <= self.length_minutes <= LONGEST:
            raise HelpoutsError(_("A session lasts between one minute and one day."), field="length_minutes")
        if not 1 <= self.step_minutes <= DAY or DAY % self.step_minutes:
            raise HelpoutsError(
                _("Sessions can begin every 5, 10, 15, 20, 30 or 60 minutes, or any other step that divides the day."),
                field="step_minutes",
            )
        for name in ("buffer_before", "buffer_after"):
            if not 0 <= getattr(self, name) <= DAY:
                raise HelpoutsError(_("A pause lasts between nothing and one day."), field=name)
        if not 0 <= self.minimum_notice_minutes <= 366 * DAY:
            raise HelpoutsError(_("The notice is between nothing and one year."), field="minimum_notice_minutes")
        if not 1 <= self.horizon_days <= 731:
            raise HelpoutsError(_("Bookings open between one day and two years ahead."), field="horizon_days")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When somebody works: weekly rules, overridden dates and time off, all meant in ``zone`` (IANA name).

    For one local date the first of these that speaks of it decides: its override; time off; ``closed``, the ordinals
    (``date.toordinal()``) of public holidays; the weekly rules.  Rules may overlap; what any of them covers is
    working time.

    :raises HelpoutsError: if the zone does not exist or a date is overridden twice.
    """

    zone: str
    weekly: tuple[WeeklyRule, ...] = ()
    overrides: tuple[DayOverride, ...] = ()
    time_off: tuple[TimeOff, ...] = ()
    closed: Container[int] = frozenset()
    #: rules that always hold, as sorted windows for each weekday; made once because the engine reads them for each day
    _week: tuple[tuple[Window, ...], ...] = field(init=False, repr=False, compare=False)
    _seasonal: tuple[WeeklyRule, ...] = field(init=False, repr=False, compare=False)
    _special: dict[int, tuple[Window, ...]] = field(init=False, repr=False, compare=False)
    _off: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zone_info(self.zone)
        always = [rule for rule in self.weekly if rule.valid_from is None and rule.valid_until is None]
        special = {override.day.toordinal(): tuple(sorted(override.windows)) for override in self.overrides}
        if len(special) != len(self.overrides):
            raise HelpoutsError(_("Each date can be changed only once: put all its hours in one entry."), field="day")
        object.__setattr__(self, "_week", tuple(_windows(always, weekday) for weekday in range(7)))
        object.__setattr__(self, "_seasonal", tuple(rule for rule in self.weekly if rule not in always))
        object.__setattr__(self, "_special", special)
        object.__setattr__(self, "_off", tuple((o.first.toordinal(), o.last.toordinal()) for o in self.time_off))

    def windows_on(self, ordinal: int) -> tuple[Window, ...]:
        """Working windows of the local date with that proleptic ordinal, sorted by start; they may overlap."""
        special = self._special.get(ordinal)
        if special is not None:
            return special
        weekday = (ordinal - 1) % 7  # ordinal 1, 1 January of year 1, was a Monday
        windows = self._week[weekday]
        if self._seasonal:
            day = date.fromordinal(ordinal)
            seasonal = _windows((rule for rule in self._seasonal if rule.holds_on(day)), weekday)
            windows = tuple(sorted(windows + seasonal)) if seasonal else windows
        return () if windows and self._is_off(ordinal) else windows

    def _is_off(self, ordinal: int) -> bool:
        for first, last in self._off:
            if first <= ordinal <= last:
                return True
        return ordinal in self.closed


def _windows(rules: Iterable[WeeklyRule], weekday: int) -> tuple[Window, ...]:
    return tuple(sorted((rule.start_minute, rule.end_minute) for rule in rules if rule.weekday == weekday))
