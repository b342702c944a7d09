"""What matters of an iCalendar text: when, how often, and whether it takes time.

Titles, descriptions, guests and alarms are dropped before anything is parsed: they are the greater part of most
calendars, slow to parse, none of our business, and where the mistakes of exporters are.  So are events that happened
once and long ago.  Imports nothing of Helpouts.
"""

from __future__ import annotations

import re

_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"([A-Za-z0-9-]+)[;:]")
_DAY = re.compile(r":(\d{8})")
#: Properties of VEVENT and VFREEBUSY that say when somebody is busy.
_KEPT = frozenset(
    {
        "UID",
        "SEQUENCE",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "TRANSP",
        "STATUS",
        "FREEBUSY",
        "DTSTAMP",
        "X-MICROSOFT-CDO-BUSYSTATUS",
    }
)
_REPEATING = ("RRULE", "RDATE", "RECURRENCE-ID", "DURATION")


class NoCalendar(ValueError):
    """The text is no iCalendar, or ends in the middle."""


def essence(text: str, before: str, *, zones: bool = True) -> str:
    """The same calendar with nothing but times, as one iCalendar text.

    :param before: a day such as 20261124; what happened once and ended before it is left out.
    :param zones: keep zone definitions; without them only names that everybody knows mean something.
    :raises NoCalendar: when there is no whole VCALENDAR in it.
    """
    kept: list[str] = []
    block: list[str] = []
    inside: list[str] = []  # names of the components that are open
    whole = 0
    for line in _FOLD.sub("", text.lstrip("\ufeff")).splitlines():
        word = line.upper().rstrip()
        if word.startswith("BEGIN:"):
            inside.append(word[6:])
            if len(inside) == 2:
                block = []
        if len(inside) >= 2 and _wanted(inside, line, zones):
            block.append(line)
        if len(inside) == 1 and word.startswith(("BEGIN:VCALENDAR", "X-WR-TIMEZONE:", "CALSCALE:")):
            kept.append(line)
        if word.startswith("END:"):
            if not inside or inside[-1] != word[4:]:
                raise NoCalendar("components are not closed in their order")
            inside.pop()
            if len(inside) == 1 and block and not _is_over(block, before):
                kept += block
            elif not inside and word == "END:VCALENDAR":
                kept.append(line)
                whole += 1
    if inside or not whole:
        raise NoCalendar("there is no whole calendar in it")
    return "\r\n".join([*kept, ""])


def _wanted(inside: list[str], line: str, zones: bool) -> bool:
    if inside[0] != "VCALENDAR":
        return False
    if inside[1] == "VTIMEZONE":
        return zones
    if inside[1] not in ("VEVENT", "VFREEBUSY") or len(inside) > 2:
        return False
    name = _NAME.match(line)
    return name is not None and (name[1].upper() in _KEPT or name[1].upper() in ("BEGIN", "END"))


def _is_over(block: list[str], before: str) -> bool:
    """Whether a VEVENT happened once and ended before a day."""
    if block[0].upper().rstrip() != "BEGIN:VEVENT":
        return False
    days = {}
    for line in block:
        name = re.split("[;:]", line, maxsplit=1)[0].upper()
        if name in _REPEATING:
            return False
        if name in ("DTSTART", "DTEND"):
            found = _DAY.search(line)
            if found is None:
                return False
            days[name] = found[1]
    return bool(days) and max(days.values()) < before
