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
