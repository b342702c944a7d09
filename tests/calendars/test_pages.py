"""The pages of calendars, as an expert and a customer use them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from helpouts.accounts import passwords
from helpouts.accounts.export import export_data
from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.calendars.models import BusyTime, CalendarFeed, CalendarSource
from helpouts.calendars.service import MOST_SOURCES
from helpouts.clock import clock
from helpouts.jobs.worker import Worker
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

from .conftest import one_database
from .server import serving
from .texts import NOW, calendar, event

pytestmark = one_database
PASSWORD = "seven purple llamas"


class Visitor:
    """Somebody who is signed in."""

    def __init__(self, runtime: Runtime, *roles: str) -> None:
        self.runtime = runtime
        email = f"{'-'.join(('anna', *roles))}@example.org"
        with runtime.database.write() as db:
            self.id = create_user(db, email, PASSWORD, "Anna", roles, confirmed=True).id
        self.client: FlaskClient = create_app(runtime).test_client()
        assert self.post("/login", email=email, password=PASSWORD).status_code == 302

    def post(self, path: str, *, form_on: str = "", **values: Any) -> Any:
        page = self.client.get(form_on or path)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        assert token, page.text[:500]
        return self.client.post(path, data={"csrf_token": token[1], **values})

    def page(self, path: str = "/expert/calendars") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def roomy(runtime, monkeypatch, at_nine) -> Runtime:
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    config = runtime.config.replace(login_rate="1000 per minute", calendar_allow=["127.0.0.1"])
    return Runtime(config, runtime.database, runtime.registry)


@pytest.fixture
def expert(roomy) -> Visitor:
    return Visitor(roomy, "expert")


def connect(expert: Visitor, url: str, **values: str) -> Any:
    return expert.post("/expert/calendars/connect?kind=ical", url=url, **values)


def test_connecting_reading_and_disconnecting(expert):
    assert "No calendar is connected" in expert.page()
    with serving(calendar(event(), event("2", "20261201T100000Z", "20261101T100000Z"))) as server:
        assert connect(expert, f"{server.url}/secret-path.ics", name="My own").status_code == 303
        assert "We are reading it for the first time" in expert.page()
        Worker(expert.runtime).drain()
        page = expert.page()
    assert "Up to date" in page
    assert "1 event counts." in page
    assert "1 event was left out" in page
    assert "secret-path" not in page
    with expert.runtime.database.read() as db:
        public_id = db.scalars(select(CalendarSource.public_id)).one()
    clock.set(NOW + timedelta(minutes=5))
    asked = expert.post(f"/expert/calendars/{public_id}/read", form_on="/expert/calendars")
    assert asked.status_code == 303
    Worker(expert.runtime).drain()
    page = expert.page()
    assert "The server could not be reached." in page
    assert "What we read then still counts" in page
    assert expert.post(f"/expert/calendars/{public_id}/disconnect", form_on="/expert/calendars").status_code == 303
    assert "No calendar is connected" in expert.page()
    with expert.runtime.database.read() as db:
        assert db.scalar(select(func.count()).select_from(BusyTime)) == 0


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "Enter the address."),
        ("http://example.org/a.ics", "must begin with https://"),
        ("https://a:b@example.org/", "Leave user name and password out"),
    ],
)
def test_mistakes_are_said_at_the_field(expert, url, text):
    answer = connect(expert, url)
    assert answer.status_code == 400
    assert text in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_there_is_an_end_to_what_can_be_connected(expert):
    for number in range(MOST_SOURCES):
        assert connect(expert, f"https://example.org/{number}.ics").status_code == 303
    assert "disconnect one first" in connect(expert, "https://example.org/more.ics").text


def test_an_account_is_chosen_from(expert):
    answer = expert.post("/expert/calendars/connect?kind=caldav", url="https://example.org", user="mia", password="x y")
    assert answer.status_code == 303
    with expert.runtime.database.write() as db:
        source = db.scalars(select(CalendarSource)).one()
        items = [("https://example.org/a/", "Family"), ("https://example.org/b/", "Club")]
        source.collections = [{"href": href, "name": name, "chosen": False} for href, name in items]
        path = f"/expert/calendars/{source.public_id}"
    assert "Nothing counts until you choose" in expert.page()
    assert "Choose at least one calendar" in expert.post(path).text
    assert expert.post(path, calendars="https://elsewhere.example/").status_code == 400
    assert expert.post(path, calendars="https://example.org/b/").status_code == 303
    with expert.runtime.database.read() as db:
        source = db.scalars(select(CalendarSource)).one()
        assert [item["chosen"] for item in source.collections] == [False, True]
    assert "x y" not in expert.page(path)


def test_nobody_reaches_the_calendars_of_others(expert, roomy):
    connect(expert, "https://example.org/a.ics")
    other = Visitor(roomy, "expert", "curator")
    with roomy.database.read() as db:
        public_id = db.scalars(select(CalendarSource.public_id)).one()
    assert other.client.get(f"/expert/calendars/{public_id}").status_code == 404
    for verb in ("read", "disconnect"):
        answer = other.post(f"/expert/calendars/{public_id}/{verb}", form_on="/account/calendar")
        assert answer.status_code == 404
    customer = Visitor(roomy)
    assert customer.client.get("/expert/calendars").status_code == 403


def test_the_link_is_shown_once_and_works(roomy):
    customer = Visitor(roomy)
    answer = customer.post("/account/calendar/link", form_on="/account/calendar")
    found = re.search(r'value="(http[^"]+/calendar/[\w-]+\.ics)"', answer.text)
    assert found
    assert f"webcal://{found[1].partition('://')[2]}" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    path = found[1][found[1].index("/calendar/") :]
    assert path not in customer.page("/account/calendar")
    assert customer.client.get(path).status_code == 200
    assert customer.post("/account/calendar/names", form_on="/account/calendar", hide="1").status_code == 303
    assert "checked" in customer.page("/account/calendar")
    assert customer.post("/account/calendar/end", form_on="/account/calendar").status_code == 303
    assert customer.client.get(path).status_code == 404


def test_the_expert_gets_the_link_beside_the_calendars(expert):
    answer = expert.post("/account/calendar/link", form_on="/account/calendar", back="expert")
    assert "No calendar is connected" in answer.text
    assert "Copy this link now" in answer.text


def test_what_is_kept_can_be_taken_along_and_goes_with_the_account(expert):
    with serving(calendar(event())) as server:
        connect(expert, f"{server.url}/secret-path.ics", name="My own")
        Worker(expert.runtime).drain()
    expert.post("/account/calendar/link", form_on="/account/calendar")
    with expert.runtime.database.read() as db:
        document = export_data(db, db.get_one(User, expert.id))
    known = document["calendars"]
    assert known["connected"][0]["busy"] == [["2026-12-01T10:00:00+00:00", "2026-12-01T11:00:00+00:00"]]
    assert known["feed"]["hide_names"] is False
    assert "secret-path" not in json.dumps(document)
    gone: Callable[..., Any] = User.__table__.delete
    with expert.runtime.database.write() as db:
        db.execute(gone().where(User.id == expert.id))
        for model in (CalendarFeed, CalendarSource, BusyTime):
            assert db.scalar(select(func.count()).select_from(model)) == 0
