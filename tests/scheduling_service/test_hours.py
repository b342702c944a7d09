"""Hours as they are stored, and what can be booked because of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from people import MORNINGS, NOW, at, booked, offer, person, starts
from sqlalchemy import event
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.scheduling import service
from helpouts.scheduling.rules import DayOverride, WeeklyRule


@pytest.fixture(autouse=True)
def monday() -> None:
    clock.set(NOW)


def test_somebody_who_never_set_hours_has_a_schedule_without_any(db: Session) -> None:
    user = person(db, "new")
    row = service.schedule_of(db, user.id)
    assert (row.zone, row.version, row.weekly, row.overrides) == ("Europe/Berlin", 0, [], [])
    assert not service.has_hours(db, user.id)


def test_hours_are_stored_and_replaced(db: Session) -> None:
    user = person(db, "ada")
    service.save_schedule(db, user.id, "Europe/Berlin", MORNINGS, [DayOverride(date(2026, 12, 24))], buffer_after=10)
    db.expire_all()
    row = service.schedule_of(db, user.id)
    first = row.weekly[0]
    assert (first.weekday, first.start_minute, first.end_minute) == (0, 540, 720)
    assert (len(row.weekly), row.buffer_after, row.horizon_days, row.version) == (5, 10, 60, 1)
    service.save_schedule(
        db,
        user.id,
        "Asia/Tokyo",
        [WeeklyRule(6, 0, 1440)],
        [DayOverride(date(2026, 12, 24), ((600, 660),)), DayOverride(date(2026, 12, 25))],
        horizon_days=14,
    )
    db.expire_all()
    row = service.schedule_of(db, user.id)
    assert (row.zone, len(row.weekly), row.buffer_after, row.horizon_days, row.version) == ("Asia/Tokyo", 1, 10, 14, 2)
    assert [(o.day, o.windows) for o in row.overrides] == [
        (date(2026, 12, 24), [[600, 660]]),
        (date(2026, 12, 25), []),
    ]
    assert service.has_hours(db, user.id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"weekly": [WeeklyRule(0, 60 * n, 60 * n + 30) for n in range(9)]}, "day0"),
        ({"overrides": [DayOverride(date(2026, 12, 24)), DayOverride(date(2026, 12, 24))]}, "day"),
        ({"overrides": [DayOverride(date(2026, 1, 1) + timedelta(days=n)) for n in range(367)]}, "overrides"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"horizon_days": 10_000}, "horizon_days"),
        ({"buffer_before": -5}, "buffer_before"),
        ({"minimum_notice_minutes": -1}, "minimum_notice_minutes"),
        ({"step_minutes": 7}, "step_minutes"),
    ],
)
def test_hours_that_make_no_sense_are_refused_and_change_nothing(
    db: Session, change: dict[str, Any], field: str
) -> None:
    user = person(db, "ada")
    service.save_schedule(db, user.id, "Europe/Berlin", MORNINGS)
    wanted: dict[str, Any] = {"zone": "Europe/Berlin", "weekly": MORNINGS} | change
    with pytest.raises(HelpoutsError) as refusal:
        service.save_schedule(db, user.id, **wanted)
    assert refusal.value.field == field
    assert service.schedule_of(db, user.id).version == 1


def test_slots_are_in_the_experts_hours_and_not_too_soon(db: Session) -> None:
    listing = offer(db, "ada")
    service.save_schedule(
        db, listing.expert.owner.id, "Europe/Berlin", MORNINGS, minimum_notice_minutes=120, step_minutes=30
    )
    assert starts(db, listing, "2026-11-23") == ["09:00", "09:30", "10:00"]
    assert starts(db, listing, "2026-11-24") == ["08:00", "08:30", "09:00", "09:30", "10:00"]
    assert starts(db, listing, "2026-11-28") == []


def test_an_expert_without_hours_has_no_slots(db: Session) -> None:
    listing = offer(db, "ada")
    assert starts(db, listing, "2026-11-24") == []
    assert service.next_free(db, [listing]) == {listing.id: None}


def test_live_bookings_take_time_and_others_do_not(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS, step_minutes=60, minimum_notice_minutes=0)
    booked(db, listing, host, at("2026-11-24 10:00"))
    assert starts(db, listing, "2026-11-24") == ["09:00", "11:00"]
    booked(db, listing, host, at("2026-11-24 09:00"), state="cancelled")
    booked(db, listing, host, at("2026-11-24 11:00"), state="held", held_until=NOW - timedelta(seconds=1))
    assert starts(db, listing, "2026-11-24") == ["09:00", "11:00"], "lapsed holds and cancelled bookings take no time"
    booked(db, listing, host, at("2026-11-25 09:00"), state="held", held_until=NOW + timedelta(minutes=5))
    assert starts(db, listing, "2026-11-25") == ["10:00", "11:00"]


def test_an_expert_who_is_somebodys_customer_is_busy_too(db: Session) -> None:
    listing, other = offer(db, "ada"), offer(db, "bo")
    ada = listing.expert.owner.id
    service.save_schedule(db, ada, "UTC", MORNINGS, step_minutes=60, minimum_notice_minutes=0)
    booked(db, other, other.expert.owner.id, at("2026-11-24 10:00"), customer_id=ada)
    assert starts(db, listing, "2026-11-24") == ["09:00", "11:00"]
    [(start, end)] = service.busy_of(db, ada, at("2026-11-24"), at("2026-11-25"))
    assert end - start == 60
    assert service.busy_of(db, ada, at("2026-11-24 11:00"), at("2026-11-25")) == []


def test_two_sessions_share_the_pause_between_them(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    service.save_schedule(
        db, host, "UTC", MORNINGS, step_minutes=15, minimum_notice_minutes=0, buffer_before=10, buffer_after=15
    )
    booked(db, listing, host, at("2026-11-24 10:15"))
    assert starts(db, listing, "2026-11-24") == ["09:00"], "11:15 would end after the working hours"
    service.save_schedule(db, host, "UTC", [WeeklyRule(1, 540, 780)], buffer_before=10, buffer_after=15)
    assert starts(db, listing, "2026-11-24") == ["09:00", "11:30", "11:45", "12:00"]


def test_a_company_is_free_when_any_member_is(db: Session) -> None:
    listing = offer(db, "ada", "bo")
    ada, bo = (member.user_id for member in listing.expert.members)
    service.save_schedule(db, ada, "UTC", [WeeklyRule(1, 540, 660)], step_minutes=60, minimum_notice_minutes=0)
    service.save_schedule(db, bo, "UTC", [WeeklyRule(1, 600, 720)], step_minutes=60, minimum_notice_minutes=0)
    assert starts(db, listing, "2026-11-24") == ["09:00", "10:00", "11:00"]
    assert service.free_hosts(db, listing, at("2026-11-24 10:00")) == [ada, bo]
    booked(db, listing, ada, at("2026-11-24 10:00"))
    assert service.free_hosts(db, listing, at("2026-11-24 10:00")) == [bo]
    assert service.free_hosts(db, listing, at("2026-11-24 10:30")) == []
    assert service.free_hosts(db, listing, at("2026-11-24 10:00") + timedelta(seconds=1)) == []
    assert service.next_free(db, [listing]) == {listing.id: at("2026-11-24 09:00")}


def test_a_date_that_differs_replaces_the_weekday(db: Session) -> None:
    listing = offer(db, "ada")
    host = listing.expert.owner.id
    overrides = [DayOverride(date(2026, 11, 24)), DayOverride(date(2026, 11, 28), ((840, 900),))]
    service.save_schedule(db, host, "UTC", MORNINGS, overrides, step_minutes=60)
    assert starts(db, listing, "2026-11-24") == []
    assert starts(db, listing, "2026-11-28") == ["14:00"]


def test_the_next_free_time_is_the_first_slot_of_each_listing(db: Session) -> None:
    soon, late, never = offer(db, "ada"), offer(db, "bo"), offer(db, "cy", length=240)
    service.save_schedule(db, soon.expert.owner.id, "UTC", MORNINGS)
    service.save_schedule(
        db, late.expert.owner.id, "UTC", [], [DayOverride(date(2027, 1, 20), ((600, 720),))], horizon_days=90
    )
    service.save_schedule(db, never.expert.owner.id, "UTC", MORNINGS)
    found = service.next_free(db, [soon, late, never])
    assert found == {soon.id: at("2026-11-23 09:00"), late.id: at("2027-01-20 10:00"), never.id: None}
    for listing in (soon, late):
        slots = service.free_slots(db, listing, NOW, NOW + timedelta(days=91))
        assert found[listing.id] == slots[0]


def test_the_number_of_queries_does_not_grow_with_the_page(db: Session) -> None:
    listings = [offer(db, f"expert{n}") for n in range(12)]
    for listing in listings:
        service.save_schedule(db, listing.expert.owner.id, "Europe/Berlin", MORNINGS)
        booked(db, listing, listing.expert.owner.id, at("2026-11-24 09:00"))
    counts = []
    for page in (listings[:2], listings):
        offers = [service.Offer(one.id, one.expert_id, one.length_minutes) for one in page]
        db.expire_all()
        counts.append(_queries(db, lambda chosen=offers: service.next_free(db, chosen)))
    assert counts[0] == counts[1] <= 4


def _queries(db: Session, work: Callable[[], object]) -> int:
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.get_bind(), "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.get_bind(), "before_cursor_execute", note)
    return len(statements)
