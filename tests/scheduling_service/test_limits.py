"""Seasons, time off, holidays and caps in what can be booked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from people import MORNINGS, NOW, at, booked, offer, starts
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.scheduling import service
from helpouts.scheduling.rules import DayOverride, TimeOff, WeeklyRule

HOURLY = {"step_minutes": 60, "minimum_notice_minutes": 0, "horizon_days": 400}


@pytest.fixture(autouse=True)
def monday() -> None:
    clock.set(NOW)


def test_seasons_follow_each_other_on_their_dates(db: Session) -> None:
    listing = offer(db, "ada")
    winter = WeeklyRule(1, 600, 720, None, date(2027, 3, 30))
    summer = WeeklyRule(1, 480, 600, date(2027, 3, 31))
    service.save_schedule(db, listing.expert.owner.id, "UTC", [winter, summer], **HOURLY)
    assert starts(db, listing, "2027-03-30") == ["10:00", "11:00"]
    assert starts(db, listing, "2027-04-06") == ["08:00", "09:00"]


def test_many_seasons_fit_when_no_date_has_too_many_hours(db: Session) -> None:
    host = offer(db, "ada").expert.owner.id
    years = [date(2027 + n, 1, 1) for n in range(6)]
    seasons = [
        WeeklyRule(0, 60 * n, 60 * n + 30, first, first.replace(month=12, day=31)) for first in years for n in range(8)
    ]
    assert len(service.save_schedule(db, host, "UTC", seasons).weekly) == 48
    with pytest.raises(HelpoutsError) as refusal:
        service.save_schedule(db, host, "UTC", [*seasons, WeeklyRule(0, 900, 960, date(2028, 6, 1))])
    assert refusal.value.field == "day0"


def test_time_off_takes_whole_dates_of_the_hosts_zone(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS, **HOURLY)
    row = service.add_time_off(db, host, date(2026, 11, 24), date(2026, 11, 25), "  Sea   side ")
    assert row.time_off == [["2026-11-24", "2026-11-25", "Sea side"]]
    assert [starts(db, listing, f"2026-11-{day}") != [] for day in (23, 24, 25, 26)] == [True, False, False, True]
    service.remove_time_off(db, host, date(2026, 11, 24), date(2026, 11, 25))
    assert starts(db, listing, "2026-11-24") == ["09:00", "10:00", "11:00"]


def test_what_is_said_last_holds_between_time_off_and_a_date_that_differs(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    special = DayOverride(date(2026, 11, 24), ((600, 660),))
    service.save_schedule(db, host, "UTC", MORNINGS, [special], **HOURLY)
    service.add_time_off(db, host, date(2026, 11, 23), date(2026, 11, 27))
    assert starts(db, listing, "2026-11-24") == [], "the date that differed is covered by newer time off"
    service.save_schedule(db, host, "UTC", MORNINGS, [special])
    assert starts(db, listing, "2026-11-24") == ["10:00"], "and this one is newer than the time off"
    assert starts(db, listing, "2026-11-25") == [], "which is otherwise kept"


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ([(date(2027, 1, 2), date(2027, 1, 1))], "last"),
        ([(date(2027, 1, 1), date(2029, 1, 1))], "last"),
        ([(date(2027, 1, 1) + timedelta(n),) * 2 for n in range(101)], "time_off"),
    ],
)
def test_time_off_that_makes_no_sense_is_refused(db: Session, entries: list[tuple[date, date]], field: str) -> None:
    host = offer(db, "ada").expert.owner.id
    with pytest.raises(HelpoutsError) as refusal:
        service.save_time_off(db, host, [TimeOff(first, last) for first, last in entries])
    assert refusal.value.field == field


def test_a_public_holiday_is_off_unless_it_is_worked_or_the_date_differs(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    hours = [WeeklyRule(day, 540, 600) for day in range(7)]
    service.save_schedule(db, host, "UTC", hours, **HOURLY)
    service.save_holidays(db, host, "DE", "BY", ["Heilige Drei Könige"])
    assert starts(db, listing, "2026-12-24") == ["09:00"], "no public holiday"
    assert starts(db, listing, "2026-12-25") == []
    assert starts(db, listing, "2027-01-01") == []
    assert starts(db, listing, "2027-01-06") == ["09:00"], "worked all the same"
    assert starts(db, listing, "2027-05-27") == [], "Corpus Christi, in Bavaria"
    service.save_schedule(db, host, "UTC", hours, [DayOverride(date(2026, 12, 25), ((840, 900),))])
    assert starts(db, listing, "2026-12-25") == ["14:00"]
    service.save_holidays(db, host, "DE", "BE")
    assert starts(db, listing, "2027-05-27") == ["09:00"], "not in Berlin"
    service.save_holidays(db, host, "")
    assert starts(db, listing, "2027-01-01") == ["09:00"]


@pytest.mark.parametrize(
    ("place", "field"),
    [(("ZZ", ""), "holiday_country"), (("DE", "CA"), "holiday_subdivision"), (("", "BY"), "holiday_subdivision")],
)
def test_an_unknown_place_is_refused(db: Session, place: tuple[str, str], field: str) -> None:
    host = offer(db, "ada").expert.owner.id
    with pytest.raises(HelpoutsError) as refusal:
        service.save_holidays(db, host, *place)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("caps", "free"),
    [
        ({}, ["Mon", "Tue", "Wed", "next Mon"]),
        ({"most_sessions_day": 2}, ["Mon", "Wed", "next Mon"]),
        ({"most_sessions_day": 3}, ["Mon", "Tue", "Wed", "next Mon"]),
        ({"most_minutes_day": 119}, ["Mon", "Wed", "next Mon"]),  # 60 given on Tuesday, and the session has 60
        ({"most_minutes_day": 179}, ["Mon", "Wed", "next Mon"]),
        ({"most_minutes_day": 180}, ["Mon", "Tue", "Wed", "next Mon"]),
        ({"most_sessions_week": 2}, ["next Mon"]),
        ({"most_minutes_week": 180}, ["Mon", "Tue", "Wed", "next Mon"]),
        ({"most_minutes_week": 179}, ["next Mon"]),
        ({"most_minutes_week": 59}, []),
    ],
)
def test_caps_close_the_day_and_the_week(db: Session, caps: dict[str, int], free: list[str]) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS, **HOURLY)
    booked(db, listing, host, at("2026-11-24 09:00"), state="completed")
    booked(db, listing, host, at("2026-11-24 10:00"))
    booked(db, listing, host, at("2026-11-24 11:00"), state="cancelled")
    booked(db, listing, host, at("2026-11-25 11:00"), state="held", held_until=NOW - timedelta(minutes=1))
    service.save_caps(db, host, **caps)
    days = {"Mon": "2026-11-23", "Tue": "2026-11-24", "Wed": "2026-11-25", "next Mon": "2026-11-30"}
    assert [name for name, day in days.items() if starts(db, listing, day)] == free
    first = service.next_free(db, [listing])[listing.id]
    assert (first is None) == (not free)
    if first:
        assert starts(db, listing, days[free[0]])[0] == first.strftime("%H:%M")


def test_a_session_counts_on_the_date_of_the_hosts_zone(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "Asia/Tokyo", [WeeklyRule(day, 0, 1440) for day in range(7)], **HOURLY)
    service.save_caps(db, host, most_sessions_day=1)
    booked(db, listing, host, at("2026-11-24 16:00"))  # the 25th in Tokyo, from 15:00 UTC on
    assert starts(db, listing, "2026-11-24") == [f"{hour:02}:00" for hour in range(15)]
    assert starts(db, listing, "2026-11-25") == [f"{hour:02}:00" for hour in range(15, 24)]


def test_caps_are_changed_one_by_one_and_must_make_sense(db: Session) -> None:
    host = offer(db, "ada").expert.owner.id
    service.save_caps(db, host, most_sessions_day=3)
    row = service.save_caps(db, host, most_minutes_week=600)
    assert (row.most_sessions_day, row.most_minutes_week, row.version) == (3, 600, 2)
    assert service.save_caps(db, host, most_sessions_day=None).most_sessions_day is None
    wrong: list[dict[str, Any]] = [{"most_sessions_day": 0}, {"most_sessions_week": -1}, {"most_minutes_day": 1441}]
    for caps in wrong:
        with pytest.raises(HelpoutsError) as refusal:
            service.save_caps(db, host, **caps)
        assert refusal.value.field == next(iter(caps))


def test_what_speaks_against_a_start_is_told_rule_by_rule(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(
        db, host, "UTC", MORNINGS, minimum_notice_minutes=180, horizon_days=30, buffer_after=15, step_minutes=15
    )
    service.save_caps(db, host, most_sessions_day=1)
    booked(db, listing, host, at("2026-11-24 09:00"))

    def codes(when: str, minutes: int = 60, **more: Any) -> list[str]:
        found = service.soft_problems(db, host, at(when), minutes, **more)
        assert all(str(problem) for problem in found)
        return [problem.code for problem in found]

    assert codes("2026-11-25 09:00") == []
    assert codes("2026-11-23 09:00") == ["notice"]
    assert codes("2026-11-23 06:00") == ["past", "hours"]
    assert codes("2026-11-25 11:30") == ["hours"]
    assert codes("2027-01-05 10:00") == ["horizon"]
    assert codes("2026-11-24 10:10", 30) == ["pause", "day"]
    assert codes("2026-11-24 10:15", 30) == ["day"]
    service.save_caps(db, host, most_sessions_day=None, most_minutes_week=100)
    assert codes("2026-11-26 10:00", 45) == ["week"]
    moved = booked(db, listing, host, at("2026-11-26 10:00"))
    assert codes("2026-11-26 10:30", 30, without=moved.id) == []


def test_a_booking_that_is_moved_is_in_nobodys_way(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS, **HOURLY)
    service.save_caps(db, host, most_sessions_day=1)
    booking = booked(db, listing, host, at("2026-11-24 10:00"))
    assert starts(db, listing, "2026-11-24") == []
    assert starts(db, listing, "2026-11-24", without=booking.id) == ["09:00", "10:00", "11:00"]
