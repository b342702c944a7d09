"""What iCalendar texts say about time, read in the bounded process: zones, repetitions, exceptions, and nonsense."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from helpouts.calendars import parse
from helpouts.calendars.parse import Found, busy_times
from helpouts.calendars.trouble import Trouble
from helpouts.scheduling.zones import from_minute

from .texts import NOW, calendar, event

GOOD = event("good@elsewhere", "20270310T100000Z", "20270310T110000Z")
THEN = ("2027-03-10T10:00", "2027-03-10T11:00")


def read(*texts: str, zone: str = "Europe/Berlin", days: int = 400, **more: object) -> Found:
    return busy_times(texts, NOW, NOW + timedelta(days=days), zone, ("@site.example",), **more)  # type: ignore[arg-type]


def times(*parts: str, zone: str = "Europe/Berlin", days: int = 400) -> list[tuple[str, str]]:
    """The busy times of a calendar of parts, in UTC."""
    found = read(calendar(*parts), zone=zone, days=days)
    return [(f"{from_minute(a):%Y-%m-%dT%H:%M}", f"{from_minute(b):%Y-%m-%dT%H:%M}") for a, b in found.busy]


ZONE = "\r\n".join(
    [
        "BEGIN:VTIMEZONE",
        "TZID:Our own",
        "BEGIN:STANDARD",
        "DTSTART:20000101T000000",
        "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0300",
        "END:STANDARD",
        "END:VTIMEZONE",
        "",
    ]
)
CASES = {
    "utc": ([event()], [("2026-12-01T10:00", "2026-12-01T11:00")]),
    "zone": (
        [event("1", ";TZID=America/New_York:20261201T100000", ";TZID=America/New_York:20261201T110000")],
        [("2026-12-01T15:00", "2026-12-01T16:00")],
    ),
    "zone of Outlook": (
        [event("1", ";TZID=Eastern Standard Time:20261201T100000", ";TZID=Eastern Standard Time:20261201T110000")],
        [("2026-12-01T15:00", "2026-12-01T16:00")],
    ),
    "zone of their own": (
        [ZONE, event("1", ";TZID=Our own:20261201T100000", ";TZID=Our own:20261201T110000")],
        [("2026-12-01T07:00", "2026-12-01T08:00")],
    ),
    "floating": ([event("1", "20261201T100000", "20261201T110000")], [("2026-12-01T09:00", "2026-12-01T10:00")]),
    "floating where the calendar says": (
        ["X-WR-TIMEZONE:Asia/Tokyo\r\n", event("1", "20261201T100000", "20261201T110000")],
        [("2026-12-01T01:00", "2026-12-01T02:00")],
    ),
    "all day, in the owner's zone": (
        [event("1", ";VALUE=DATE:20261201", ";VALUE=DATE:20261202")],
        [("2026-11-30T23:00", "2026-12-01T23:00")],
    ),
    "all day on the day of the clocks": (
        [event("1", ";VALUE=DATE:20270328", ";VALUE=DATE:20270329")],
        [("2027-03-27T23:00", "2027-03-28T22:00")],
    ),
    "weekly over the change of the clocks": (
        [
            event(
                "1",
                ";TZID=Europe/Berlin:20270321T100000",
                ";TZID=Europe/Berlin:20270321T110000",
                "RRULE:FREQ=WEEKLY;COUNT=2",
            )
        ],
        [("2027-03-21T09:00", "2027-03-21T10:00"), ("2027-03-28T08:00", "2027-03-28T09:00")],
    ),
    "an exception": (
        [event("1", "20261201T100000Z", "20261201T110000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261202T100000Z")],
        [("2026-12-01T10:00", "2026-12-01T11:00"), ("2026-12-03T10:00", "2026-12-03T11:00")],
    ),
    "a moved occurrence": (
        [
            event("1", "20261201T100000Z", "20261201T110000Z", "RRULE:FREQ=DAILY;COUNT=2"),
            event("1", "20261202T150000Z", "20261202T160000Z", "RECURRENCE-ID:20261202T100000Z"),
        ],
        [("2026-12-01T10:00", "2026-12-01T11:00"), ("2026-12-02T15:00", "2026-12-02T16:00")],
    ),
    "a cancelled occurrence": (
        [
            event("1", "20261201T100000Z", "20261201T110000Z", "RRULE:FREQ=DAILY;COUNT=2"),
            event("1", "20261202T100000Z", "20261202T110000Z", "RECURRENCE-ID:20261202T100000Z", "STATUS:CANCELLED"),
        ],
        [("2026-12-01T10:00", "2026-12-01T11:00")],
    ),
    "free": ([event("1", "20261201T100000Z", "20261201T110000Z", "TRANSP:TRANSPARENT")], []),
    "cancelled": ([event("1", "20261201T100000Z", "20261201T110000Z", "STATUS:CANCELLED")], []),
    "free in Outlook": ([event("1", "20261201T100000Z", "20261201T110000Z", "X-MICROSOFT-CDO-BUSYSTATUS:FREE")], []),
    "tentative": (
        [event("1", "20261201T100000Z", "20261201T110000Z", "STATUS:TENTATIVE")],
        [("2026-12-01T10:00", "2026-12-01T11:00")],
    ),
    "our own session": ([event("abc@site.example")], []),
    "overlapping": (
        [event("1"), event("2", "20261201T103000Z", "20261201T120000Z")],
        [("2026-12-01T10:00", "2026-12-01T12:00")],
    ),
    "seconds": (
        [event("1", "20261201T100030Z", "20261201T110030Z")],
        [("2026-12-01T10:00", "2026-12-01T11:01")],
    ),
    "no length": ([event("1", "20261201T100000Z", "20261201T100000Z")], []),
    "duration": (
        ["BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T100000Z\r\nDURATION:PT90M\r\nEND:VEVENT\r\n"],
        [("2026-12-01T10:00", "2026-12-01T11:30")],
    ),
    "free/busy table": (
        [
            "BEGIN:VFREEBUSY\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nFREEBUSY:20261201T100000Z/PT1H\r\n"
            "FREEBUSY;FBTYPE=FREE:20261202T100000Z/PT1H\r\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20261203T100000Z/"
            "20261203T110000Z\r\nEND:VFREEBUSY\r\n"
        ],
        [("2026-12-01T10:00", "2026-12-01T11:00"), ("2026-12-03T10:00", "2026-12-03T11:00")],
    ),
    "long ago": ([event("1", "20161201T100000Z", "20161201T110000Z")], []),
    "since long ago": (
        [event("1", "20161201T100000Z", "20161201T110000Z", "RRULE:FREQ=YEARLY")],
        [("2026-12-01T10:00", "2026-12-01T11:00")],
    ),
    "folded and in small letters": (
        ["begin:vevent\r\nuid:1\r\ndtstart:20261201T10\r\n 0000Z\r\ndtend:20261201T110000Z\r\nend:vevent\r\n"],
        [("2026-12-01T10:00", "2026-12-01T11:00")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_times(name):
    parts, expected = CASES[name]
    assert times(*parts, days=360) == expected


#: Events that nobody can want, beside a good one: (text, how many are left out).
NONSENSE = {
    "every second": (event("1", "20261201T100000Z", "20261201T100001Z", "RRULE:FREQ=SECONDLY"), 1),
    "every minute": (event("1", "20261201T100000Z", "20261201T100001Z", "RRULE:FREQ=MINUTELY"), 1),
    "all seconds of a day": (
        event(
            "1",
            "20261201T100000Z",
            "20261201T100001Z",
            f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}",
        ),
        1,
    ),
    "never, for ever": (
        event("1", "20261201T100000Z", "20261201T110000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
        1,
    ),
    "ends before it starts": (event("1", "20261202T100000Z", "20261201T110000Z"), 1),
    "no time": (event("1", "yesterday", "tomorrow"), 1),
    "no rule": (event("1", "20261201T100000Z", "20261201T110000Z", "RRULE:OFTEN"), 1),
    "year 9999": (event("1", "99991231T235900Z", "99991231T235959Z"), 0),
    "no beginning": ("BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", 1),
    "a line that is none": ("what is this\r\n", 0),
    "a broken zone": (ZONE.replace("TZOFFSETTO:+0300", "TZOFFSETTO:soon").replace(":20000101T000000", ":x"), 0),
    "an empty zone": ("BEGIN:VTIMEZONE\r\nTZID:Our own\r\nEND:VTIMEZONE\r\n", 0),
    "bad text": (event("1", "20161201T100000Z", "20161201T110000Z", "SUMMARY:\ufffd\0\x07", "DESCRIPTION;X=:\\"), 0),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_does_not_hide_the_rest(name):
    nonsense, left_out = NONSENSE[name]
    found = read(calendar(nonsense, GOOD))
    assert found.busy == read(calendar(GOOD)).busy
    assert found.left_out == left_out


def test_an_event_without_end_in_sight_takes_all_that_is_looked_at():
    assert times(event("1", "20270101T000000Z", "99991231T235959Z"), days=60) == [
        ("2027-01-01T00:00", "2027-01-23T09:00")
    ]


@pytest.mark.parametrize("text", ["", "hello", "BEGIN:VCALENDAR\r\n", calendar(GOOD)[:-20], calendar(GOOD[:-12])])
def test_what_is_no_whole_calendar_is_refused_rather_than_taken_as_free(text):
    with pytest.raises(Trouble, match="broken"):
        read(text)


def test_too_many_slow_events_are_ended_by_the_process():
    never = [
        event(str(n), "20261201T100000Z", "20261201T110000Z", f"RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;INTERVAL={n}")
        for n in range(1, 3000)
    ]
    began = time.monotonic()
    with pytest.raises(Trouble, match="too_much"):
        read(calendar(*never), seconds=3)
    assert time.monotonic() - began < 10


def test_what_needs_too_much_memory_is_ended(monkeypatch):
    monkeypatch.setattr(parse, "MEMORY", 128 << 20)
    began = time.monotonic()
    with pytest.raises(Trouble, match="too_much"):
        read(calendar("X" * 64_000_000 + "\r\n", GOOD))
    assert time.monotonic() - began < 10
    assert read(calendar(GOOD)).events == 1


def test_one_event_that_takes_for_ever_to_parse_is_ended():
    wide = event("1", "20261201T100000Z", "20261201T110000Z", "RDATE:" + ",".join(["20261202T100000Z"] * 600_000))
    began = time.monotonic()
    with pytest.raises(Trouble, match="too_much"):
        read(calendar(wide), seconds=3)
    assert time.monotonic() - began < 12


def test_ten_years_of_history_cost_little():
    old = [event(f"{n}", "20161201T100000Z", "20161201T110000Z", "DESCRIPTION:" + "x" * 60) for n in range(20_000)]
    began = time.monotonic()
    assert read(calendar(*old, GOOD)).events == 1
    assert time.monotonic() - began < 10


def test_many_events_in_any_order_are_the_same_minutes():
    rng = random.Random(7)
    minutes: set[int] = set()
    parts = []
    for n in range(300):
        start = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(20 * 1440))
        end = start + timedelta(minutes=rng.randrange(1, 200))
        parts.append(event(str(n), f"{start:%Y%m%dT%H%M%SZ}", f"{end:%Y%m%dT%H%M%SZ}"))
        minutes.update(range(int(start.timestamp() // 60), int(end.timestamp() // 60)))
    found = read(calendar(*parts)).busy
    assert {minute for first, last in found for minute in range(first, last)} == minutes
    assert all(before[1] < after[0] for before, after in pairwise(found))
