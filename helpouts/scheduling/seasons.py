"""Seasonal hours in the hours form: rows of a weekday, from and to, and the first and last day on which they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.scheduling.clocks import clock_text, minute_of
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DAY, WeeklyRule

#: Rows that are read at most; :data:`helpouts.scheduling.storing.MOST_RULES` bounds what is stored.
MOST = 200


class Season(NamedTuple):
    """A row as typed; ``weekday`` is "0" for Monday."""

    weekday: str = ""
    begins: str = ""
    ends: str = ""
    first: str = ""
    last: str = ""


def shown(row: ScheduleRow, today: date) -> list[Season]:
    """The rows of a stored schedule, those that are over left out."""
    rules = [rule for rule in _seasonal(row) if not _is_over(rule, today)]
    return [
        Season(
            str(rule.weekday),
            clock_text(rule.start_minute),
            clock_text(rule.end_minute),
            rule.valid_from.isoformat() if rule.valid_from else "",
            rule.valid_until.isoformat() if rule.valid_until else "",
        )
        for rule in sorted(rules, key=lambda rule: (rule.valid_from or date.min, rule.weekday, rule.start_minute))
    ]


def over(row: ScheduleRow, today: date) -> list[WeeklyRule]:
    """The seasons that are not shown because they are over; they stay as they are."""
    return [rule for rule in _seasonal(row) if _is_over(rule, today)]


def sent(data: MultiDict[str, str]) -> list[Season]:
    """What was sent, still as typed, without the rows that are empty."""
    columns = (data.getlist(f"season-{name}")[:MOST] for name in ("day", "from", "to", "first", "last"))
    rows = [Season(*(text.strip()[:10] for text in row)) for row in zip(*columns, strict=False)]
    return [row for row in rows if any(row[1:])]


def parse(rows: Sequence[Season], errors: dict[str, str]) -> list[WeeklyRule]:
    """The rules of the rows that make sense; what is wrong is put into ``errors``.

    The keys are ``season0-day``, ``season0-times`` and ``season0-dates`` for the first row.
    """
    found: list[WeeklyRule] = []
    for index, row in enumerate(rows):
        rule = _rule(row, f"season{index}", errors)
        if rule is None:
            continue
        if any(_meet(rule, other) for other in found):
            errors[f"season{index}-times"] = _(
                "These times overlap another season of the same weekday: join them, or change their dates."
            )
        found.append(rule)
    return found


def _rule(row: Season, name: str, errors: dict[str, str]) -> WeeklyRule | None:
    before = len(errors)
    if row.weekday not in set("0123456"):
        errors[f"{name}-day"] = _("Choose a day of the week.")
    begin = end = 0
    try:
        begin, end = minute_of(row.begins), minute_of(row.ends) or DAY
        if begin >= end:
            errors[f"{name}-times"] = _("The end must be after the beginning; hours over midnight are two entries.")
    except ValueError:
        errors[f"{name}-times"] = _("Enter both times, such as 09:00 and 17:30.")
    try:
        first, last = (date.fromisoformat(text) if text else None for text in (row.first, row.last))
    except ValueError:
        errors[f"{name}-dates"] = _("Enter dates that there are, or leave one of them empty.")
        return None
    if first is None and last is None:
        errors[f"{name}-dates"] = _("Enter the first day, the last day or both; hours without belong to every week.")
    if len(errors) > before:
        return None
    try:
        return WeeklyRule(int(row.weekday), begin, end, first, last)
    except HelpoutsError as error:
        errors[f"{name}-dates"] = str(error)
        return None


def _meet(one: WeeklyRule, other: WeeklyRule) -> bool:
    """Whether there is a date and a time at which both hold."""
    return (
        one.weekday == other.weekday
        and one.start_minute < other.end_minute
        and other.start_minute < one.end_minute
        and (one.valid_from or date.min) <= (other.valid_until or date.max)
        and (other.valid_from or date.min) <= (one.valid_until or date.max)
    )


def _seasonal(row: ScheduleRow) -> Iterator[WeeklyRule]:
    for hours in row.weekly:
        if hours.valid_from or hours.valid_until:
            yield WeeklyRule(hours.weekday, hours.start_minute, hours.end_minute, hours.valid_from, hours.valid_until)


def _is_over(rule: WeeklyRule, today: date) -> bool:
    return rule.valid_until is not None and rule.valid_until < today
