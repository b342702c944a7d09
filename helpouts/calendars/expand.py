"""Busy times of iCalendar texts: RFC 5545 events with their repetitions and exceptions, and free/busy tables.

Runs as a program of its own (see :mod:`helpouts.calendars.parse`): what strangers write is read where memory and time
are bounded.  JSON in, JSON out; imports nothing else of Helpouts.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from helpouts.calendars.essence import NoCalendar, essence

#: CPU seconds that one calendar gets.
MOST_SECONDS = 15
#: CPU seconds for the repetitions of one event, less after each that takes longer; how often in a day one may repeat.
SERIES_SECONDS, MOST_A_DAY = 1.0, 24
#: Stretches of busy time in one calendar.
MOST_STRETCHES = 20_000
_TIMES = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_REPEATING = ("RRULE", "RDATE", "RECURRENCE-ID")


@dataclass
class Reading:
    """What was found: stretches in epoch minutes, events that were understood, events that were left out."""

    stretches: list[tuple[int, int]] = field(default_factory=list)
    events: int = 0
    left_out: int = 0


class TooLong(Exception):
    """The repetitions of one event take too much time."""


@dataclass
class Reader:
    """Reads texts for one person.

    :param start: aware; what ends before it is not looked at, nor what begins after ``end``.
    :param zone: the zone of times without one, and of whole days.
    :param own: how UIDs of our own sessions end: they are known already, and must not block themselves.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    own: tuple[str, ...] = ()
    patience: float = SERIES_SECONDS

    def __post_init__(self) -> None:
        self.floating = self.zone

    def read(self, texts: Iterable[str]) -> Reading:
        """All texts together.

        :raises ValueError: for a text that is no iCalendar.
        """
        found = Reading()
        for text in texts:
            for calendar in self._parsed(text):
                self._events(calendar, found)
                self._tables(calendar, found)
        found.stretches = merged(found.stretches)
        return found

    def _parsed(self, text: str) -> list[Any]:
        before = (self.start - timedelta(days=2)).strftime("%Y%m%d")
        try:
            return list(Calendar.from_ical(essence(text, before), multiple=True))
        except NoCalendar:
            raise
        except Exception:  # it is the zone definitions that are broken: nothing else is left that could be
            return list(Calendar.from_ical(essence(text, before, zones=False), multiple=True))

    def _events(self, calendar: Any, found: Reading) -> None:
        by_uid: dict[str, list[Any]] = {}
        self.floating = _zone(calendar) or self.zone
        for number, component in enumerate(calendar.subcomponents):
            if component.name != "VEVENT" or self._is_own(component):
                continue
            if any(name in _TIMES for name, _ in component.errors) or "DTSTART" not in component:
                found.left_out += 1
            else:
                by_uid.setdefault(str(component.get("UID", number)), []).append(component)
        others = [component for component in calendar.subcomponents if component.name != "VEVENT"]
        for events in by_uid.values():
            try:
                if len(events) == 1 and not any(name in events[0] for name in _REPEATING):
                    self._once(events[0], found)
                else:
                    with _limited(self.patience):
                        calendar.subcomponents = [*others, *events]
                        self._series(calendar, events, found)
            except TooLong:
                self.patience = max(self.patience / 2, 0.02)
                found.left_out += 1
            except Exception:  # whatever a stranger's event does, the others count
                found.left_out += 1

    def _once(self, event: Any, found: Reading) -> None:
        stretch = None if _is_free(event) else self._stretch(event.start, event.end)
        found.events += 1
        found.stretches += [stretch] if stretch else []

    def _series(self, calendar: Any, events: list[Any], found: Reading) -> None:
        if not all(_is_bearable(event) for event in events):
            raise ValueError("it repeats too often")
        day, stretches = timedelta(days=1), []
        for component in recurring_ical_events.of(calendar).between(self.start - day, self.end + day):
            stretch = None if _is_free(component) else self._stretch(component.start, component.end)
            stretches += [stretch] if stretch else []
        found.events += 1
        found.stretches += stretches

    def _tables(self, calendar: Any, found: Reading) -> None:
        """VFREEBUSY (RFC 5545 section 3.6.4)."""
        for component in calendar.walk("VFREEBUSY"):
            lines = component.get("FREEBUSY", [])
            for line in lines if isinstance(lines, list) else [lines]:
                if str(line.params.get("FBTYPE", "BUSY")).upper() == "FREE":
                    continue
                try:
                    found.stretches += [s for s in [self._stretch(line.start, line.end)] if s is not None]
                    found.events += 1
                except (ValueError, OverflowError, AttributeError):
                    found.left_out += 1

    def _stretch(self, first: date, last: date) -> tuple[int, int] | None:
        """(start, end) in epoch minutes, rounded outward, or None when nothing of it lies in the window."""
        begin, end = self._instant(first), self._instant(last)
        if begin >= end:
            if begin > end:
                raise ValueError("it ends before it starts")
            return None
        begin, end = max(begin, self.start.timestamp()), min(end, self.end.timestamp())
        return (int(begin // 60), int(-(-end // 60))) if begin < end else None

    def _instant(self, when: date) -> float:
        if not isinstance(when, datetime):
            when = datetime.combine(when, time(), self.zone)
        if when.tzinfo is None:
            when = when.replace(tzinfo=self.floating)
        return (when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()

    def _is_own(self, component: Any) -> bool:
        return bool(self.own) and str(component.get("UID", "")).endswith(self.own)


def _zone(calendar: Any) -> ZoneInfo | None:
    """The zone that a calendar names for times without one (X-WR-TIMEZONE, of Apple and Google)."""
    try:
        return ZoneInfo(str(calendar["X-WR-TIMEZONE"]))
    except (KeyError, ValueError, OSError):
        return None


def _is_free(component: Any) -> bool:
    """Whether an event takes no time (RFC 5545 sections 3.8.2.7 and 3.8.1.11; Outlook's own mark)."""
    return (
        str(component.get("TRANSP", "")).upper() == "TRANSPARENT"
        or str(component.get("STATUS", "")).upper() == "CANCELLED"
        or str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "FREE"
    )


def _is_bearable(component: Any) -> bool:
    """Whether an event repeats at most :data:`MOST_A_DAY` times a day."""
    rules = component.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        parts = {str(key).upper(): value for key, value in rule.items()}
        frequency = str((parts.get("FREQ") or [""])[0]).upper()
        if not frequency:
            return False
        count = parts.get("COUNT") or []
        if count and int(count[0]) <= MOST_A_DAY:
            continue
        if frequency in ("SECONDLY", "MINUTELY"):
            return False
        each = [len(parts.get(key) or [0]) for key in ("BYHOUR", "BYMINUTE", "BYSECOND")]
        if frequency == "HOURLY":
            each[0] = 24
        if each[0] * each[1] * each[2] > MOST_A_DAY:
            return False
    return True


def merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same minutes as few stretches that neither touch nor overlap."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def main() -> int:
    """Read one task from the standard input and write what was found; the argument is the memory in bytes."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task = json.load(sys.stdin)
    reader = Reader(
        datetime.fromtimestamp(task["start"] * 60, UTC),
        datetime.fromtimestamp(task["end"] * 60, UTC),
        ZoneInfo(task["zone"]),
        tuple(task["own"]),
    )
    try:
        found = reader.read(task["texts"])
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        json.dump({"error": "broken"}, sys.stdout)
    except MemoryError:
        json.dump({"error": "too_much"}, sys.stdout)
    else:
        if len(found.stretches) > MOST_STRETCHES:
            json.dump({"error": "too_much"}, sys.stdout)
        else:
            json.dump({"busy": found.stretches, "events": found.events, "left_out": found.left_out}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
