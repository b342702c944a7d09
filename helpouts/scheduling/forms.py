"""The hours form: plain inputs that work on a phone without scripts.

Every weekday has :data:`ROWS` from-to pairs (those that are used, and spare ones); an empty pair is no window.  Hours
that hold for a time only are rows of their own (:mod:`helpouts.scheduling.seasons`).  Dates that differ are rows of a
date and up to two windows, or off all day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.scheduling import seasons
from helpouts.scheduling.clocks import clock_text, minute_of
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DAY, DayOverride, WeeklyRule, Window
from helpouts.scheduling.service import MOST_OVERRIDES, MOST_WINDOWS_A_DAY, POLICY

#: From-to pairs that a weekday has at least, and how many are spare.
ROWS, SPARE = 2, 1
#: Empty rows for dates that differ.
SPARE_DATES = 2


@dataclass
class HoursForm:
    """What is in the inputs, as typed, and what is wrong with it (``errors``: message by input name)."""

    zone: str = "UTC"
    #: weekday -> [(from, to), ...] as typed
    weekly: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    seasons: list[seasons.Season] = field(default_factory=list)
    #: (date, off all day, [(from, to), ...]) as typed
    dates: list[tuple[str, bool, list[tuple[str, str]]]] = field(default_factory=list)
    policy: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def pad(self) -> HoursForm:
        """With the spare rows that somebody may fill in."""
        for weekday in range(7):
            rows = [row for row in self.weekly.get(weekday, []) if any(row)]
            spare = max(ROWS - len(rows), SPARE if rows else 0)
            self.weekly[weekday] = [*rows, *[("", "")] * min(spare, MOST_WINDOWS_A_DAY - len(rows))]
        self.seasons = [*self.seasons, seasons.Season()]
        self.dates = [(day, off, [*rows, *[("", "")] * (2 - len(rows))]) for day, off, rows in self.dates]
        self.dates += [("", False, [("", ""), ("", "")])] * (SPARE_DATES if len(self.dates) < MOST_OVERRIDES else 0)
        return self


def shown(row: ScheduleRow, today: date) -> HoursForm:
    """The form of a stored schedule; dates that are over are left out."""
    form = HoursForm(zone=row.zone, policy={key: str(getattr(row, key)) for key in POLICY})
    always = [hours for hours in row.weekly if not (hours.valid_from or hours.valid_until)]
    for hours in sorted(always, key=lambda hours: (hours.weekday, hours.start_minute)):
        form.weekly.setdefault(hours.weekday, []).append((clock_text(hours.start_minute), clock_text(hours.end_minute)))
    form.seasons = seasons.shown(row, today)
    for override in sorted(row.overrides, key=lambda override: override.day):
        if override.day >= today:
            windows = [(clock_text(first), clock_text(last)) for first, last in override.windows]
            form.dates.append((override.day.isoformat(), not windows, windows))
    return form.pad()


def sent(data: MultiDict[str, str]) -> HoursForm:
    """The form as it was sent, still as typed."""
    form = HoursForm(zone=data.get("zone", "")[:64], policy={key: data.get(key, "").strip()[:10] for key in POLICY})
    for weekday in range(7):
        form.weekly[weekday] = _pairs(data, f"day{weekday}", MOST_WINDOWS_A_DAY + 1)
    if data.get("copy"):
        form.weekly.update({weekday: list(form.weekly[0]) for weekday in range(1, 5)})
    form.seasons = seasons.sent(data)
    count = min(len(data.getlist("date")), MOST_OVERRIDES + SPARE_DATES + 1)
    for index in range(count):
        day = data.getlist("date")[index].strip()[:10]
        pairs = [pair for pair in _pairs(data, f"date{index}", 4) if any(pair)]
        form.dates.append((day, data.get(f"date{index}-off") is not None, pairs))
    return form


def _pairs(data: MultiDict[str, str], name: str, most: int) -> list[tuple[str, str]]:
    firsts, lasts = data.getlist(f"{name}-from")[:most], data.getlist(f"{name}-to")[:most]
    return [(first.strip()[:8], last.strip()[:8]) for first, last in zip(firsts, lasts, strict=False)]


def parse(
    form: HoursForm, *, kept: Sequence[DayOverride] = ()
) -> tuple[list[WeeklyRule], list[DayOverride], dict[str, int]]:
    """Rules, dates and policy from what was typed; all mistakes are put into ``form.errors``.

    :param kept: overrides that were not shown (dates that are over) and stay.
    :raises HelpoutsError: when anything is wrong.
    """
    form.errors.clear()
    weekly = [
        WeeklyRule(weekday, first, last)
        for weekday, rows in form.weekly.items()
        for first, last in _windows(form, f"day{weekday}", rows)
    ]
    weekly += seasons.parse(form.seasons, form.errors)
    overrides: dict[date, DayOverride] = {override.day: override for override in kept}
    seen: set[date] = set()
    for index, (text, off, rows) in enumerate(form.dates):
        if not text and not any(any(row) for row in rows) and not off:
            continue
        name = f"date{index}"
        try:
            day = date.fromisoformat(text)
        except ValueError:
            form.errors[name] = _("Enter a date.")
            continue
        windows = [] if off else _windows(form, name, rows)
        if not off and not windows and name not in form.errors:
            form.errors[name] = _("Enter the hours of this date, or tick “off”.")
        if day in seen:
            form.errors[name] = _("This date is there twice.")
        seen.add(day)
        overrides[day] = DayOverride(day, tuple(windows))
    policy = _policy(form)
    if form.errors:
        raise HelpoutsError(_("Please check your answers."))
    return weekly, sorted(overrides.values(), key=lambda override: override.day), policy


def _windows(form: HoursForm, name: str, rows: Sequence[tuple[str, str]]) -> list[Window]:
    windows: list[Window] = []
    for first, last in rows:
        if not first and not last:
            continue
        try:
            begin, end = minute_of(first), minute_of(last) or DAY
        except ValueError:
            form.errors[name] = _("Enter both times, such as 09:00 and 17:30.")
            continue
        if begin >= end:
            form.errors[name] = _("The end must be after the beginning; hours over midnight are two entries.")
        elif any(begin < other_end and other_begin < end for other_begin, other_end in windows):
            form.errors[name] = _("These times overlap: join them.")
        else:
            windows.append((begin, end))
    if len(windows) > MOST_WINDOWS_A_DAY:
        form.errors[name] = _("At most %(most)s times a day fit: join some of them.", most=MOST_WINDOWS_A_DAY)
    return sorted(windows)


def _policy(form: HoursForm) -> dict[str, int]:
    policy: dict[str, int] = {}
    for key in POLICY:
        text = form.policy.get(key, "")
        if text.isascii() and text.isdigit():
            policy[key] = int(text)
        else:
            form.errors[key] = _("Choose from the list.")
    return policy


def choices(labels: Mapping[int, Any], present: str) -> list[tuple[str, Any]]:
    """Options of a select, with the present value in its place even if it is an unusual one."""
    options = {str(value): label for value, label in labels.items()}
    if present and present not in options:
        options[present] = present
    return list(options.items())
