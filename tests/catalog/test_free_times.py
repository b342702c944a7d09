"""Free times over HTTP: what they cost, and that nothing is sent twice."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from shop import make_expert, make_listing, make_user
from sqlalchemy import insert
from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.runtime import Runtime
from helpouts.scheduling.rules import DayOverride, WeeklyRule
from helpouts.scheduling.service import free_slots, save_schedule
from helpouts.web.app import create_app

JSON = {"Accept": "application/json"}
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
def listing(runtime: Runtime) -> Listing:
    clock.set(NOW)
    with runtime.database.write() as db:
        made = make_listing(db, make_expert(db, "Ada Wrench"), "True a bicycle wheel")
        _work(db, made, [WeeklyRule(day, 9 * 60, 17 * 60) for day in range(7)], "Europe/Berlin")
        return made


def _work(db: Session, listing: Listing, rules: list[WeeklyRule], zone: str = "UTC", **more: Any) -> int:
    save_schedule(db, listing.expert.owner.id, zone, rules, **more)
    return listing.expert.owner.id


@pytest.fixture
def visitor(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


def test_who_takes_compressed_answers_gets_the_same_in_fewer_bytes(visitor: FlaskClient, listing: Listing) -> None:
    path = f"/l/{listing.id}/slots?month=2026-12"
    plain = visitor.get(path, headers=JSON)
    packed = visitor.get(path, headers={**JSON, "Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 5
    again = visitor.get(path, headers={**JSON, "If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_free_times_take_four_queries_however_much_there_is_to_read(
    runtime: Runtime, visitor: FlaskClient, listing: Listing, count_queries: Callable[..., int]
) -> None:
    path = f"/l/{listing.id}/slots?days=30"
    assert visitor.get(path, headers=JSON).status_code == 200
    few = count_queries(lambda: visitor.get(path, headers=JSON))
    with runtime.database.write() as db:
        customer, begin = make_user(db, "customer").id, NOW + timedelta(days=1)
        days = [DayOverride((begin + timedelta(days=n)).date(), ((600, 700),)) for n in range(40)]
        rules = [WeeklyRule(day, start, start + 30) for day in range(7) for start in range(0, 480, 60)]
        host = _work(db, db.merge(listing), rules, overrides=days)
        db.execute(insert(Booking), [_booked(listing, host, customer, begin + timedelta(hours=h)) for h in range(200)])
    many = count_queries(lambda: visitor.get(path, headers=JSON))
    assert few == many
    assert many <= 5, "BEGIN is counted on SQLite"


def test_times_that_have_not_changed_are_not_sent_again(
    runtime: Runtime, visitor: FlaskClient, listing: Listing
) -> None:
    path = f"/l/{listing.id}/slots?days=7&from={(NOW + timedelta(days=2)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    first = visitor.get(path, headers=JSON)
    again = JSON | {"If-None-Match": first.headers["ETag"]}
    assert visitor.get(path, headers=again).status_code == 304
    assert visitor.get(path, headers=again | {"Accept-Language": "de"}).status_code == 200, "other words"
    assert visitor.get(f"{path}&zone=Asia/Tokyo", headers=again).status_code == 200, "other clocks"
    with runtime.database.write() as db:
        host, customer = db.merge(listing).expert.owner.id, make_user(db, "customer").id
        db.execute(insert(Booking), [_booked(listing, host, customer, NOW + timedelta(days=2, hours=3))])
    changed = visitor.get(path, headers=again)
    assert changed.status_code == 200
    assert changed.json["days"] != first.json["days"]


def test_times_are_shown_on_the_clock_that_is_asked_for(visitor: FlaskClient, listing: Listing) -> None:
    path = f"/l/{listing.id}/slots?days=7&from=2026-11-25T00:00:00Z"
    tokyo = visitor.get(f"{path}&zone=Asia/Tokyo", headers=JSON).json
    assert tokyo["zone"] == "Asia/Tokyo"
    assert tokyo["days"][0]["slots"][0] == {"value": "2026-11-25T08:00:00Z", "label": "5:00\u202fPM"}
    assert visitor.get(f"{path}&zone=Mars/Base", headers=JSON).json["zone"] == "UTC"


def test_the_times_of_a_month_begin_and_end_on_the_clock_that_is_asked_for(
    visitor: FlaskClient, listing: Listing
) -> None:
    path = f"/l/{listing.id}/slots?month=2026-12&zone=Pacific/Kiritimati"
    days = visitor.get(path, headers=JSON).json["days"]
    assert [day["date"] for day in days] == [f"2026-12-{day:02}" for day in range(1, 32)]
    assert days[0]["slots"][0]["value"] == "2026-11-30T10:00:00Z", "14 hours ahead of UTC"
    assert days[1]["summary"] == f"{len(days[1]['slots'])} free times on Wednesday, December 2"
    assert visitor.get(f"/l/{listing.id}/slots?month=2025-01", headers=JSON).json["days"] == []


@pytest.mark.parametrize("month", ["2026", "2026-13", "0000-00", "9999-12", "soon", "2026-12-01"])
def test_what_is_no_month_is_refused_with_a_word(visitor: FlaskClient, listing: Listing, month: str) -> None:
    answer = visitor.get(f"/l/{listing.id}/slots?month={month}", headers=JSON)
    assert (answer.status_code, answer.json["error"]) == (400, "Give a month such as 2026-12.")


def test_the_clock_chosen_for_a_visit_goes_before_the_browsers(visitor: FlaskClient, listing: Listing) -> None:
    visitor.set_cookie("zone", "America/New_York")
    visitor.set_cookie("shown_in", "Asia/Tokyo")
    page = visitor.get(f"/l/{listing.slug}").text
    assert 'data-slots-zone="Asia/Tokyo"' in page
    assert """data-slots-zones='["America/New_York"]'""" in page
    visitor.set_cookie("shown_in", "Mars/Base")
    assert 'data-slots-zone="America/New_York"' in visitor.get(f"/l/{listing.slug}").text


def test_all_zones_can_be_asked_for_in_the_visitors_language(visitor: FlaskClient) -> None:
    areas = dict(visitor.get("/zones", headers={"Accept-Language": "de"}).json["areas"])
    assert any(name == "Asia/Tokyo" and label.startswith("Tokio (UTC+9") for name, label in areas["Asia"])


@pytest.mark.parametrize(
    ("begins", "ends", "first"),
    [
        ("10:00:00", "10:30:00", "10:30"),
        ("10:00:00", "10:30:00.250000", "10:45"),
        ("09:59:59.999999", "10:14:59.999999", "10:15"),
        ("10:00:30", "10:15:00.000001", "10:30"),
    ],
)
def test_what_takes_a_part_of_a_minute_takes_the_whole_minute(
    runtime: Runtime, listing: Listing, begins: str, ends: str, first: str
) -> None:
    day = "2026-11-25T"
    begin, end = (datetime.fromisoformat(day + text).replace(tzinfo=UTC) for text in (begins, ends))
    with runtime.database.write() as db:
        listing, customer = db.merge(listing), make_user(db, "customer").id
        host = _work(db, listing, [WeeklyRule(2, 600, 720)])
        row = _booked(listing, host, customer, begin) | {"ends_at": end}
        db.execute(insert(Booking), [row])
        since = datetime.fromisoformat("2026-11-25T00:00:00+00:00")
        found = free_slots(db, listing, since, since + timedelta(days=1), clock.now())
        assert found[0].strftime("%H:%M") == first


def _booked(listing: Listing, host: int, customer: int, starts_at: datetime) -> dict[str, object]:
    return {
        "public_id": f"b{starts_at.timestamp()}",
        "listing_id": listing.id,
        "expert_id": listing.expert_id,
        "host_id": host,
        "customer_id": customer,
        "state": "confirmed",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=30),
        "title": "x",
        "category": listing.category,
        "pricing": "free",
        "price_minor": 0,
        "currency": "EUR",
        "amount_minor": 0,
        "fee_bp": 0,
        "cancellation_policy": "flexible",
        "customer_zone": "UTC",
        "host_zone": "UTC",
    }
