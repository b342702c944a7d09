"""The page "Notices": switches for each kind and channel, and when to be reminded."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.accounts import passwords
from helpouts.accounts.models import Role, User
from helpouts.accounts.service import create_user
from helpouts.notices.choices import unwanted
from helpouts.notices.reminders import leads_of
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

PASSWORD = "seven purple llamas"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def client(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    with runtime.database.write() as db:
        create_user(db, "clara@example.org", PASSWORD, "Clara Berg", confirmed=True)
    client = create_app(runtime, TESTING=True).test_client()
    page = client.get("/login").text
    client.post("/login", data={"email": "clara@example.org", "password": PASSWORD, "csrf_token": token(page)})
    return client


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def switched_on(page: str) -> set[str]:
    boxes = re.findall(r'<input type="checkbox" name="wanted" value="([^"]+)"( checked)?', page)
    return {value for value, checked in boxes if checked}


def save(client: FlaskClient, **data: Any) -> Any:
    return client.post("/account/notices", data={"csrf_token": token(client.get("/account/notices").text), **data})


def test_everything_is_on_at_first_and_the_confirmation_has_no_switch(client: FlaskClient) -> None:
    page = client.get("/account/notices").text
    assert {"reminder:mail", "reminder:webpush", "ring:webpush", "booking:webpush"} <= switched_on(page)
    assert 'value="booking:mail"' not in page
    assert 'id="always-booking">always<' in page


def test_what_is_switched_off_stays_off(client: FlaskClient, runtime: Runtime) -> None:
    assert save(client, wanted=["reminder:mail", "ring:webpush"], leads=["10"]).status_code == 303
    page = client.get("/account/notices").text
    assert switched_on(page) == {"reminder:mail", "ring:webpush"}
    with runtime.database.read() as db:
        assert ("reminder", "webpush") in unwanted(db, 1)
        assert leads_of(db, 1) == (10,)


@pytest.mark.parametrize("data", [{"wanted": ["booking:mail"]}, {"wanted": ["gossip:mail"]}, {"leads": ["11"]}])
def test_switches_that_do_not_exist_are_refused(client: FlaskClient, runtime: Runtime, data: Any) -> None:
    assert save(client, **data).status_code == 400
    with runtime.database.read() as db:
        assert unwanted(db, 1) == set()


def test_who_asks_for_a_test_without_a_way_to_reach_them_is_told_how(client: FlaskClient) -> None:
    page = client.get("/account/notices").text
    answer = client.post("/account/notices/test", data={"csrf_token": token(page)}, follow_redirects=True)
    assert "no way to reach you yet" in answer.text


def test_the_channel_brings_its_part_of_the_page_and_its_script(client: FlaskClient) -> None:
    page = client.get("/account/notices").text
    assert "data-webpush" in page
    script = re.search(r'src="(/x/notify_webpush/static/panel.js[^"]*)"', page)
    assert script is not None
    with client.get(script[1]) as answer:
        assert "javascript" in answer.content_type
    with client.get("/x/notify_webpush/static/worker.js") as answer:
        assert "javascript" in answer.content_type, "browsers take no other type for a service worker"


def test_a_browser_is_signed_up_and_off_again(client: FlaskClient) -> None:
    headers = {"X-CSRFToken": token(client.get("/account/notices").text)}
    keys = {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }
    here = {"endpoint": "https://push.example/abc", "keys": keys}
    assert client.post("/x/notify_webpush/subscribe", json=here).status_code == 400, "no form key"
    assert client.post("/x/notify_webpush/subscribe", json=here, headers=headers).status_code == 201
    page = client.get("/account/notices").text
    assert "Browsers that take notices" in page
    assert "Send me a test" in page
    number = re.search(r"/x/notify_webpush/remove/(\d+)", page)
    assert number is not None
    client.post(number[0], data={"csrf_token": token(page)})
    assert "Browsers that take notices" not in client.get("/account/notices").text


@pytest.mark.parametrize(
    "sent", [None, [], {"endpoint": 7}, {"endpoint": "https://10.0.0.1/", "keys": {"p256dh": "", "auth": ""}}]
)
def test_nonsense_from_a_browser_is_refused(client: FlaskClient, sent: Any) -> None:
    headers = {"X-CSRFToken": token(client.get("/account/notices").text), "Accept": "application/json"}
    assert client.post("/x/notify_webpush/subscribe", json=sent, headers=headers).status_code == 400


def test_the_page_is_for_people_with_an_account(runtime: Runtime) -> None:
    client = create_app(runtime, TESTING=True).test_client()
    assert client.get("/account/notices").status_code == 302
    assert client.post("/account/notices/test").status_code in (400, 401)


def test_operators_have_a_switch_for_calls_and_others_do_not(client: FlaskClient, runtime: Runtime) -> None:
    assert "support:mail" not in switched_on(client.get("/account/notices").text)
    with runtime.database.write() as db:
        clara = db.scalars(select(User)).one()
        clara.roles.append(db.scalars(select(Role).where(Role.name == "support")).one())
    assert {"support:mail", "support:webpush"} <= switched_on(client.get("/account/notices").text)
    save(client, wanted=["support:webpush"])
    assert switched_on(client.get("/account/notices").text) == {"support:webpush"}
