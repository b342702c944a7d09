"""The days on which clocks change: where four schedulers that we measured give wrong times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from helpouts.scheduling.engine import free_slots, free_windows
from helpouts.scheduling.rules import Schedule, SlotPolicy, WeeklyRule
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up


def every_day(zone: str, start: int, end: int) -> Schedule:
    return Schedule(zone, tuple(WeeklyRule(weekday, start, end) for weekday in range(7)))


def local_day(zone: str, day: str) -> tuple[int, int]:
    """The local date as [start, end) in epoch minutes."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    after = datetime.fromordinal(midnight.toordinal() + 1).replace(tzinfo=ZoneInfo(zone))
    return to_minute(midnight), to_minute(after)


def starts(zone: str, day: str, opens: int, closes: int, length: int = 30) -> list[str]:
    """Starts on that local date, on the local clock with the offset."""
    start, end = local_day(zone, day)
    policy = SlotPolicy(length, step_minutes=length)
    found = free_slots(every_day(zone, opens, closes), policy, [], start, end, start - 1440)
    return [from_minute(minute).astimezone(ZoneInfo(zone)).strftime("%H:%M%z") for minute in found]


def half_hours(first: str, count: int, offset: str) -> list[str]:
    hour, minute = map(int, first.split(":"))
    marks = range(hour * 60 + minute, hour * 60 + minute + 30 * count, 30)
    return [f"{mark // 60:02}:{mark % 60:02}{offset}" for mark in marks]


def test_new_york_afternoon_on_the_day_the_clocks_go_forward() -> None:
    assert starts("America/New_York", "2027-03-14", 13 * 60, 18 * 60) == half_hours("13:00", 10, "-0400")


def test_new_york_afternoon_on_the_day_the_clocks_go_back() -> None:
    assert starts("America/New_York", "2027-11-07", 13 * 60, 18 * 60) == half_hours("13:00", 10, "-0500")


def test_berlin_night_without_its_third_hour_has_ten_starts_and_none_the_evening_before() -> None:
    assert starts("Europe/Berlin", "2027-03-28", 0, 6 * 60) == half_hours("00:00", 4, "+0100") + half_hours(
        "03:00", 6, "+0200"
    )
    evening = to_minute(datetime(2027, 3, 27, 12, tzinfo=UTC))
    morning, _ = local_day("Europe/Berlin", "2027-03-28")
    schedule = every_day("Europe/Berlin", 0, 6 * 60)
    assert free_slots(schedule, SlotPolicy(30, 30), [], evening, morning, evening) == []


def test_berlin_night_with_its_third_hour_twice_has_fourteen_starts() -> None:
    assert starts("Europe/Berlin", "2027-10-31", 0, 6 * 60) == half_hours("00:00", 6, "+0200") + half_hours(
        "02:00", 8, "+0100"
    )


def test_berlin_repeated_hour_alone_has_four_starts() -> None:
    assert starts("Europe/Berlin", "2027-10-31", 2 * 60, 3 * 60) == [
        "02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100",
    ]  # fmt: skip


def test_kolkata_hours_begin_on_the_hour_of_its_own_clock() -> None:
    assert starts("Asia/Kolkata", "2026-11-24", 9 * 60, 17 * 60, length=60) == [
        f"{hour:02}:00+0530" for hour in range(9, 17)
    ]


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes", "minutes"),
    [
        ("Europe/Berlin", "2027-03-28", 125, 175, 0),  # wholly in the gap: does not happen
        ("Europe/Berlin", "2027-03-28", 150, 240, 60),  # begins in the gap: from the jump
        ("Europe/Berlin", "2027-03-28", 60, 150, 60),  # ends in the gap: until the jump
        ("Europe/Berlin", "2027-03-28", 60, 120, 60),  # ends where the gap begins
        ("Europe/Berlin", "2027-03-28", 180, 240, 60),  # begins where the gap ends
        ("Europe/Berlin", "2027-03-28", 0, 1440, 23 * 60),
        ("Europe/Berlin", "2027-10-31", 0, 1440, 25 * 60),
        ("Europe/Berlin", "2027-10-31", 0, 120, 120),  # ends where the repeated hour begins: stays outside of it
        ("Europe/Berlin", "2027-10-31", 60, 150, 150),  # edge inside: one stretch to the second 02:30
        ("Europe/Berlin", "2027-10-31", 150, 240, 150),  # edge inside: from the first 02:30
        ("Europe/Berlin", "2027-10-31", 180, 240, 60),  # begins where it ends
        ("Australia/Lord_Howe", "2027-04-04", 0, 1440, 24 * 60 + 30),  # a jump of half an hour
        ("Africa/Cairo", "2027-04-30", 0, 1440, 23 * 60),  # midnight itself is left out
        ("America/Havana", "2027-11-07", 0, 1440, 25 * 60),  # midnight comes twice
        ("America/Santiago", "2027-04-03", 0, 1440, 25 * 60),  # the last hour of the day comes twice
        ("Pacific/Apia", "2011-12-30", 0, 1440, 0),  # a whole date was left out
    ],
)
def test_length_of_a_window_on_a_change_day(zone: str, day: str, opens: int, closes: int, minutes: int) -> None:
    start, end = local_day(zone, day)
    weekday = date.fromisoformat(day).weekday()
    schedule = Schedule(zone, (WeeklyRule(weekday, opens, closes),))
    assert sum(until - since for since, until in free_windows(schedule, [], start - 600, end + 600)) == minutes


def test_an_instant_within_a_minute_is_rounded_both_ways() -> None:
    instant = datetime(2026, 11, 24, 9, 0, 1, tzinfo=UTC)
    assert from_minute(to_minute(instant)) == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert from_minute(to_minute_up(instant)) == datetime(2026, 11, 24, 9, 1, tzinfo=UTC)
    assert to_minute_up(datetime(2026, 11, 24, 9, tzinfo=UTC)) == to_minute(datetime(2026, 11, 24, 9, tzinfo=UTC))
