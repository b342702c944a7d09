"""iCalendar texts for the tests."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def event(uid: str = "1@elsewhere", start: str = "20261201T100000Z", end: str = "20261201T110000Z", *more: str) -> str:
    """A VEVENT; ``start`` may carry parameters (``;TZID=Europe/Berlin:20261201T100000``)."""
    first, last = (text if text.startswith((";", ":")) else f":{text}" for text in (start, end))
    lines = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{first}", f"DTEND{last}"]
    return "\r\n".join([*lines, "SUMMARY:Dentist", *more, "END:VEVENT", ""])


def calendar(*parts: str) -> str:
    """A VCALENDAR of parts that end with a line break."""
    return "".join(["BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//elsewhere//EN\r\n", *parts, "END:VCALENDAR\r\n"])
