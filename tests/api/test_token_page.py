"""The page on which people make and revoke access tokens."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from helpouts.accounts import passwords
from helpouts.accounts.export import export_data
from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

PASSWORD = "seven purple llamas"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def form_key(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def client(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    with runtime.database.write() as db:
        create_user(db, "clara@example.org", PASSWORD, "Clara Berg", confirmed=True)
    made = create_app(runtime, TESTING=True).test_client()
    key = form_key(made.get("/login").text)
    made.post("/login", data={"email": "clara@example.org", "password": PASSWORD, "csrf_token": key})
    return made


def test_a_token_is_shown_once_works_and_is_revoked(client: FlaskClient, runtime: Runtime) -> None:
    key = form_key(client.get("/account/tokens").text)
    page = client.post("/account/tokens", data={"csrf_token": key, "name": "My calendar", "scopes": ["read"]}).text
    secret = re.search(r"helpouts_[\w-]{43}", page)
    assert secret is not None
    headers = {"Authorization": f"Bearer {secret[0]}"}
    assert client.get("/api/v1/bookings", headers=headers).status_code == 200
    again = client.get("/account/tokens").text
    assert secret[0] not in again
    assert "My calendar" in again
    with runtime.database.read() as db:
        known = export_data(db, db.get_one(User, 1))["access_tokens"]
    assert [(row["name"], row["scopes"]) for row in known] == [("My calendar", ["read"])]
    revoke = re.search(r"/account/tokens/\d+/revoke", again)
    assert revoke is not None
    client.post(revoke[0], data={"csrf_token": form_key(again)})
    assert client.get("/api/v1/bookings", headers=headers).status_code == 401


@pytest.mark.parametrize("data", [{"scopes": ["read"]}, {"name": "x"}, {"name": "x", "scopes": ["admin"]}])
def test_a_form_that_is_not_whole_makes_no_token(client: FlaskClient, data: dict[str, object]) -> None:
    key = form_key(client.get("/account/tokens").text)
    answer = client.post("/account/tokens", data={"csrf_token": key, **data})
    assert answer.status_code == 400
    assert "You have none." in answer.text


def test_being_signed_in_does_not_open_the_api(client: FlaskClient) -> None:
    assert client.get("/account").status_code == 200
    assert client.get("/api/v1/bookings").status_code == 401
