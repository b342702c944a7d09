"""An expert who moves to another zone with bookings outstanding, and a clock that jumps."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from people import MORNINGS, NOW, at, booked, offer, starts
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.scheduling import service
from helpouts.scheduling.rules import DayOverride, WeeklyRule


@pytest.fixture(autouse=True)
def monday() -> None:
    clock.set(NOW)


def test_bookings_keep_their_instants_and_those_outside_the_new_hours_are_told(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "Europe/Berlin", MORNINGS, step_minutes=60, minimum_notice_minutes=0)
    early = booked(db, listing, host, at("2026-11-24 08:00"))  # 09:00 in Berlin, 08:00 in London
    late = booked(db, listing, host, at("2026-11-25 10:00"))  # 11:00 in Berlin, 10:00 in London
    booked(db, listing, host, at("2026-11-23 05:00"), state="completed")
    booked(db, listing, host, at("2026-11-26 05:00"), state="held", held_until=NOW)
    assert service.outside_hours(db, host) == []
    service.save_schedule(db, host, "Europe/London", MORNINGS)
    assert service.outside_hours(db, host) == [early]
    assert (early.starts_at, late.starts_at) == (at("2026-11-24 08:00"), at("2026-11-25 10:00"))
    assert starts(db, listing, "2026-11-24") == ["09:00", "10:00", "11:00"], "the new hours are London's"
    assert starts(db, listing, "2026-11-25") == ["09:00", "11:00"], "and the booking still takes its time"
    clock.set(at("2026-11-24 09:30"))
    assert service.outside_hours(db, host) == [], "what is over is nobody's worry"


def test_seasons_and_dates_keep_their_dates_in_the_new_zone(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    season = [WeeklyRule(1, 540, 600, date(2026, 11, 24), date(2026, 11, 24))]
    special = [DayOverride(date(2026, 11, 25), ((0, 60),))]
    rules = {"step_minutes": 60, "minimum_notice_minutes": 0}
    service.save_schedule(db, host, "UTC", season, special, **rules)
    service.save_schedule(db, host, "Asia/Tokyo", season, special)
    assert starts(db, listing, "2026-11-24") == ["00:00", "15:00"], "9:00 on the 24th and 0:00 on the 25th in Tokyo"


def test_time_off_that_covers_a_booking_is_told(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS)
    booking = booked(db, listing, host, at("2026-11-25 09:00"))
    service.add_time_off(db, host, date(2026, 11, 25), date(2026, 11, 26))
    assert service.outside_hours(db, host) == [booking]


def test_no_slot_is_in_the_past_however_the_clock_jumps(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS, step_minutes=60, minimum_notice_minutes=60, horizon_days=2)
    booked(db, listing, host, at("2026-11-24 09:00"), state="held", held_until=NOW + timedelta(minutes=10))
    for now in (NOW, NOW + timedelta(days=1, hours=2), NOW - timedelta(days=1), NOW + timedelta(minutes=10), NOW):
        clock.set(now)
        found = service.free_slots(db, listing, NOW - timedelta(days=9), NOW + timedelta(days=9))
        assert found
        assert all(now + timedelta(minutes=60) <= slot <= now + timedelta(days=2) for slot in found)
        assert service.next_free(db, [listing])[listing.id] == found[0]
        held = at("2026-11-24 09:00")
        possible = now + timedelta(hours=1) <= held <= now + timedelta(days=2)
        assert (held in found) == (possible and now >= NOW + timedelta(minutes=10)), "a hold lapses with the clock"
