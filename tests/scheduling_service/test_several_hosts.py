"""Random weeks of several hosts in many zones, through the database, against the union of the slow truth."""

from __future__ import annotations

import importlib.util
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from people import booked, offer
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.scheduling import service
from helpouts.scheduling.rules import DayOverride, WeeklyRule
from helpouts.scheduling.zones import from_minute, to_minute

_spec = importlib.util.spec_from_file_location("slow_truth", Path(__file__).parent.parent / "scheduling" / "oracle.py")
assert _spec is not None
assert _spec.loader is not None
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

#: zone, a date near which its clocks change, and a country with its holidays
PLACES = [
    ("Europe/Berlin", "2027-03-28", "DE"),
    ("Europe/Berlin", "2027-10-31", "DE"),
    ("Europe/London", "2027-03-28", "GB"),
    ("Europe/Dublin", "2027-10-31", "IE"),
    ("America/New_York", "2027-11-07", "US"),
    ("America/St_Johns", "2027-03-14", "CA"),
    ("America/Havana", "2027-11-07", "CU"),
    ("America/Santiago", "2027-04-03", "CL"),
    ("Atlantic/Azores", "2027-10-31", "PT"),
    ("Africa/Cairo", "2027-04-30", "EG"),
    ("Asia/Beirut", "2027-03-28", "LB"),
    ("Asia/Jerusalem", "2027-10-31", "IL"),
    ("Australia/Lord_Howe", "2027-04-04", "AU"),
    ("Australia/Adelaide", "2027-10-03", "AU"),
    ("Pacific/Chatham", "2027-04-04", "NZ"),
    ("Asia/Kolkata", "2027-01-26", "IN"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("zone", "day", "country"), PLACES)
def test_free_time_of_a_company_is_what_the_minutes_of_its_members_say(
    db: Session, zone: str, day: str, country: str
) -> None:
    chance = random.Random(f"{zone} {day}")
    change = date.fromisoformat(day)
    noon = datetime(change.year, change.month, change.day, 12, tzinfo=ZoneInfo(zone))
    clock.set(noon - timedelta(days=3))
    listing = offer(db, "ada", "bo", "cy", length=45, more_lengths=[[90, None]])
    hosts = [member.user_id for member in listing.expert.members]
    for host, where in zip(hosts, (zone, zone, "Europe/Paris"), strict=True):
        _hours(db, host, where, change, country, chance)
    start = to_minute(noon) - chance.randint(1440, 2 * 1440)
    end = start + 3 * 1440
    busy: dict[int, list[tuple[int, int]]] = {host: [] for host in hosts}
    given: dict[int, list[tuple[int, int]]] = {host: [] for host in hosts}
    for number in range(12):
        host, minute = chance.choice(hosts), chance.randrange(start - 3 * 1440, end + 3 * 1440, 5)
        state = chance.choice(["confirmed", "confirmed", "completed", "cancelled"])
        if any(since < minute + 45 and minute < until for since, until in [*busy[host], *given[host]]):
            continue
        booked(db, listing, host, from_minute(minute), public_id=f"b{number}", state=state)
        if state == "confirmed":
            busy[host].append((minute, minute + 45))
        if state != "cancelled":
            given[host].append((minute, minute + 45))
    now = to_minute(clock.now())
    for length in (45, 90):
        truth: dict[int, set[int]] = {}
        for host in hosts:
            row = service.schedule_of(db, host)
            taken = [(since - row.buffer_after, until + row.buffer_after) for since, until in busy[host]]
            schedule, policy = service.to_schedule(row), service.to_policy(row, length)
            truth[host] = set(oracle.slots(schedule, policy, taken, start, end, now, given[host]))
        found = service.free_slots(db, listing, from_minute(start), from_minute(end), length_minutes=length)
        assert [to_minute(slot) for slot in found] == sorted(set().union(*truth.values()))
        for minute in chance.sample(range(start, end, 15), 20) + [to_minute(slot) for slot in found[:5]]:
            asked = service.free_hosts(db, listing, from_minute(minute), length_minutes=length)
            assert set(asked) == {host for host in hosts if minute in truth[host]}


def _hours(db: Session, host: int, zone: str, change: date, country: str, chance: random.Random) -> None:
    def window() -> tuple[int, int]:
        start = chance.randrange(0, 1380, 15)
        return start, min(1440, start + chance.randrange(90, 700, 15))

    seasons: list[dict[str, Any]] = [{}, {"valid_from": change}, {"valid_until": change}]
    weekly = [WeeklyRule(weekday, *window(), **chance.choice(seasons)) for weekday in range(7) for _n in range(2)]
    special = (
        [DayOverride(change + timedelta(days=chance.randint(-2, 2)), (window(),))] if chance.random() < 0.5 else []
    )
    service.save_schedule(
        db,
        host,
        zone,
        weekly,
        special,
        step_minutes=chance.choice([15, 30, 60]),
        buffer_after=chance.choice([0, 10]),
        minimum_notice_minutes=chance.choice([0, 600]),
    )
    service.save_holidays(db, host, country)
    service.save_caps(
        db, host, most_sessions_day=chance.choice([None, 1, 2]), most_minutes_week=chance.choice([None, 135])
    )
    if chance.random() < 0.3:
        service.add_time_off(db, host, change, change)
