"""The pages of time as browsers see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.accounts import passwords
from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.clock import clock
from helpouts.runtime import Runtime
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule, schedule_of
from helpouts.testing import factories
from helpouts.web.app import create_app

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PASSWORD = "seven purple llamas"
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
def ada(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """An expert, signed in, who works from 09:00 to 12:00 on weekdays and has one booking."""
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    clock.set(NOW)
    with runtime.database.write() as db:
        expert = factories.make_expert(db, "Ada Wrench")
        user = expert.owner
        save_schedule(
            db, user.id, "Europe/Berlin", [WeeklyRule(day, 540, 720) for day in range(5)], minimum_notice_minutes=0
        )
        listing = factories.make_listing(db, expert)
        factories.make_booking(db, listing, factories.make_customer(db))
        passwords_of = create_user(db, "tmp@example.org", PASSWORD, "Tmp")
        user.password, user.email = passwords_of.password, "ada@example.org"
    client = create_app(runtime).test_client()
    page = client.get("/login").text
    answer = client.post("/login", data={**token(page), "email": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def token(page: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return {"csrf_token": found[1]}


def change(client: FlaskClient, **values: Any) -> Any:
    found = re.search(r'"csrf":\s*"([^"]+)"', client.get("/expert/week").text)
    assert found is not None
    sent = {"version": 2, "action": "change", "day": "2026-11-24", "old": [540, 720], "new": [600, 720]} | values
    return client.post("/expert/week", json=sent, headers={"X-CSRFToken": found[1]})


def test_the_week_shows_hours_and_bookings_with_first_names_only(ada: FlaskClient) -> None:
    page = ada.get("/expert/week").text
    assert page.count("week-list__day") == 7
    data = ada.get("/expert/week", headers={"Accept": "application/json"}).json
    assert data is not None
    assert [len(day["blocks"]) for day in data["days"] if day["date"] < "2026-11-28" and not day["past"]] == [1] * 5
    (item,) = [item for day in data["days"] for item in day["items"]]
    assert (item["kind"], item["title"], item["top"], item["bottom"]) == ("booking", "Clara", 540, 570)
    assert "Berg" not in page


def test_a_change_is_saved_and_answered_with_the_week_as_it_is(ada: FlaskClient) -> None:
    answer = change(ada, every_week=False)
    assert answer.status_code == 200
    tuesday = next(day for day in answer.json["week"]["days"] if day["date"] == "2026-11-24")
    assert [(block["start"], block["weekly"]) for block in tuesday["blocks"]] == [(600, False)]
    again = change(ada, version=answer.json["week"]["version"], action="restore", **answer.json["undo"])
    assert again.status_code == 200
    tuesday = next(day for day in again.json["week"]["days"] if day["date"] == "2026-11-24")
    assert [(block["start"], block["weekly"]) for block in tuesday["blocks"]] == [(540, True)]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"version": 1}, 409),
        ({"version": "x"}, 400),
        ({"day": "soon"}, 400),
        ({"action": "explode"}, 400),
        ({"old": [541, 720]}, 409),
        ({"new": [600]}, 400),
        ({"new": [600, "720"]}, 400),
        ({"new": [600, True]}, 400),
        ({"action": "restore", "weekly": [[9, 0, 60, None, None]], "overrides": []}, 400),
        ({"action": "restore", "weekly": 5, "overrides": []}, 400),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_says_so(
    ada: FlaskClient, runtime: Runtime, values: dict[str, Any], status: int
) -> None:
    answer = change(ada, **values)
    assert answer.status_code == status
    assert answer.json["error"]
    assert answer.json["week"]["days"]
    with runtime.database.read() as db:
        user = db.scalars(select(User).where(User.email == "ada@example.org")).one()
        assert schedule_of(db, user.id).version == 2


@pytest.mark.parametrize("text", ["", "2026-11-26", "9999-99-99", "nonsense", "1900-01-01", "2999-01-01"])
def test_any_date_leads_to_a_week(ada: FlaskClient, text: str) -> None:
    assert ada.get(f"/expert/week?from={text}").status_code == 200


def form(client: FlaskClient) -> dict[str, Any]:
    """What a browser would send of the hours form, but for the hours of the week."""
    page = client.get("/expert/hours").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    return {
        **token(page),
        "version": version[1],
        "zone": "Europe/Berlin",
        **{f"day{day}-from": "09:00" for day in range(5)},
        **{f"day{day}-to": "12:00" for day in range(5)},
        "step_minutes": "15",
        "buffer_before": "0",
        "buffer_after": "0",
        "minimum_notice_minutes": "0",
        "horizon_days": "60",
    }


def test_holidays_time_off_and_limits_are_saved_with_the_hours(ada: FlaskClient) -> None:
    sent = form(ada) | {
        "most_sessions_day": "4",
        "holiday_country": "DE",
        "off-first": "2026-11-25",
        "off-last": "2026-11-26",
        "off-note": "Dentist",
    }
    assert ada.post("/expert/hours", data=sent).status_code == 303
    page = ada.get("/expert/hours").text
    assert 'name="most_sessions_day" inputmode="numeric" value="4"' in page
    assert 'value="Dentist"' in page
    assert "Christmas Day" in page
    data = ada.get("/expert/week", headers={"Accept": "application/json"}).json
    assert data is not None
    assert [(day["off"], len(day["blocks"])) for day in data["days"] if day["date"] == "2026-11-25"] == [("Dentist", 0)]
    data = ada.get("/expert/week?from=2026-12-25", headers={"Accept": "application/json"}).json
    assert data is not None
    assert [day["off"] for day in data["days"] if day["date"] == "2026-12-25"] == ["Christmas Day"]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"most_sessions_day": "many"}, "most_sessions_day"),
        ({"most_sessions_day": "0"}, "most_sessions_day"),
        ({"holiday_country": "XX"}, "holiday_country"),
        ({"off-first": "2026-12-05", "off-last": "2026-12-01", "off-note": ""}, "off0"),
        ({"off-first": "soon", "off-last": "", "off-note": ""}, "off0"),
    ],
)
def test_what_is_wrong_is_written_beside_its_field_and_nothing_is_saved(
    ada: FlaskClient, values: dict[str, str], name: str
) -> None:
    before = form(ada)
    answer = ada.post("/expert/hours", data=before | values)
    assert answer.status_code == 400
    assert f'id="{name}-error"' in answer.text
    assert form(ada)["version"] == before["version"]


def test_the_form_of_an_older_version_is_not_saved_before_it_was_looked_at(ada: FlaskClient) -> None:
    older = form(ada)
    assert change(ada, every_week=True).status_code == 200
    answer = ada.post("/expert/hours", data=older)
    assert answer.status_code == 400
    assert "another window" in answer.text
    assert ada.post("/expert/hours", data=older | {"version": form(ada)["version"]}).status_code == 303


def test_another_zone_tells_which_bookings_lie_outside_and_keeps_them(ada: FlaskClient) -> None:
    assert ada.post("/expert/hours", data=form(ada) | {"zone": "America/New_York"}).status_code == 303
    assert "1 booking lies outside your hours now and stays as it is" in ada.get("/expert/hours").text
