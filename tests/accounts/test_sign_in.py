"""Signing in and out, and the sessions behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask, session
from sqlalchemy import delete, event, func, select

from helpouts.accounts.login_store import token_hash
from helpouts.accounts.models import LoginSession, User
from helpouts.accounts.overview import browser_name
from helpouts.accounts.service import grant_role, set_active
from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.runtime import Runtime

from .conftest import PASSWORD, sign_in, submit, token_in

COOKIE = "helpouts_session"


def rows(runtime: Runtime) -> list[LoginSession]:
    with runtime.database.read() as db:
        found = list(db.scalars(select(LoginSession).order_by(LoginSession.id)))
        db.expunge_all()
    return found


def test_the_right_password_signs_in_and_a_wrong_one_does_not(site: Flask, person: Callable[..., User]) -> None:
    person()
    client = site.test_client()
    assert client.get("/account").status_code == 302
    refused = sign_in(client, password="seven purple lamas")
    assert refused.status_code == 200
    assert "Mail address or password is wrong." in refused.text
    assert client.get("/account").status_code == 302
    assert sign_in(client).headers["Location"] == "/account"
    assert client.get("/account").status_code == 200


def test_a_visitor_who_stores_nothing_has_no_row_and_no_cookie(site: Flask, runtime: Runtime) -> None:
    client = site.test_client()
    for path in ("/healthz", "/static/js/site.js", "/nowhere"):
        with client.get(path) as answer:
            assert "Set-Cookie" not in answer.headers, path
    assert rows(runtime) == []


def test_signing_in_makes_a_new_token_and_only_its_hash_is_kept(
    site: Flask, runtime: Runtime, person: Callable[..., User]
) -> None:
    user = person()
    client = site.test_client()
    client.get("/login")
    planted = client.get_cookie(COOKIE)
    assert planted is not None
    sign_in(client)
    mine = client.get_cookie(COOKIE)
    assert mine is not None
    assert mine.value != planted.value
    [row] = rows(runtime)
    assert row.user_id == user.id
    assert row.token_hash == token_hash(mine.value)
    assert mine.value not in str(row.data)
    thief = site.test_client()
    thief.set_cookie(COOKIE, planted.value)
    assert thief.get("/account").status_code == 302


def test_a_copied_cookie_is_dead_after_signing_out(site: Flask, runtime: Runtime, person: Callable[..., User]) -> None:
    person()
    client, thief = site.test_client(), site.test_client()
    sign_in(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    thief.set_cookie(COOKIE, cookie.value)
    assert thief.get("/account").status_code == 200
    assert submit(client, "/logout", form_on="/account").status_code == 302
    assert thief.get("/account").status_code == 302
    assert client.get("/account").status_code == 302
    assert [row.user_id for row in rows(runtime)] in ([], [None])


@pytest.mark.parametrize("cookie", ["", "x" * 64, "x" * 5000, "ö", "' OR 1=1 --", "%00"])
def test_an_odd_cookie_is_no_cookie(site: Flask, cookie: str) -> None:
    client = site.test_client()
    answer = client.get("/account", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert answer.status_code == 302
    assert client.get("/login", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 200


@pytest.mark.parametrize(
    ("roles", "idle", "longest"),
    [((), timedelta(days=14), timedelta(days=30)), (("support",), timedelta(hours=3), timedelta(hours=12))],
)
def test_a_session_ends_after_idle_time_and_after_its_longest_time(
    site: Flask, person: Callable[..., User], roles: tuple[str, ...], idle: timedelta, longest: timedelta
) -> None:
    person("anna@example.org", *roles)
    step = timedelta(seconds=1)
    start = clock.now()
    clock.set(start)
    client = site.test_client()
    sign_in(client)
    clock.set(start + idle - step)
    assert client.get("/account").status_code == 200
    clock.set(start + 2 * idle - 2 * step)
    assert client.get("/account").status_code == 200, "using it prolongs it"
    last = start + 2 * idle - 2 * step
    while last + idle - step < start + longest:
        last += idle - step
        clock.set(last)
        assert client.get("/account").status_code == 200
    clock.set(start + longest)
    assert client.get("/account").status_code == 302, "but not for ever"

    clock.set(start)
    sign_in(client)
    clock.set(start + idle)
    assert client.get("/account").status_code == 302, "left alone it ends"


def test_reading_pages_writes_the_use_of_a_session_once_a_minute(
    site: Flask, runtime: Runtime, person: Callable[..., User]
) -> None:
    person()
    start = clock.now()
    clock.set(start)
    client = site.test_client()
    sign_in(client)
    client.get("/account")
    clock.set(start + timedelta(seconds=59))
    client.get("/account")
    assert rows(runtime)[0].last_seen_at == start
    clock.set(start + timedelta(seconds=60))
    client.get("/account")
    assert rows(runtime)[0].last_seen_at == start + timedelta(seconds=60)


def test_who_is_signed_in_costs_one_query(site: Flask, runtime: Runtime, person: Callable[..., User]) -> None:
    person()
    client = site.test_client()
    sign_in(client)
    client.get("/account/profile")  # makes the token of the forms
    seen: list[str] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    client.get("/account/profile")
    touching = [sql for sql in seen if "login_session" in sql or "user_role" in sql or '"user"' in sql]
    assert len(touching) == 1, "\n".join(touching)


def test_a_post_does_not_wait_for_its_own_lock(site: Flask, person: Callable[..., User]) -> None:
    """On SQLite a second writing transaction of the same request would wait 30 seconds and fail."""
    person()
    client = site.test_client()
    token = token_in(client, "/login")
    begun = time.monotonic()
    client.post("/login", data={"csrf_token": token, "email": "anna@example.org", "password": PASSWORD})
    submit(client, "/account/profile", name="Anna B", locale="en", zone="Europe/Berlin")
    submit(client, "/logout", form_on="/account")
    assert time.monotonic() - begun < 5


def test_signing_out_everywhere_ends_every_session(site: Flask, runtime: Runtime, person: Callable[..., User]) -> None:
    user, other = person(), person("bert@example.org")
    laptop, phone, stranger = site.test_client(), site.test_client(), site.test_client()
    for client in (laptop, phone):
        sign_in(client)
    sign_in(stranger, other.email)
    assert "Where you are signed in" in laptop.get("/account/security").text
    submit(laptop, "/account/security/sign-out", form_on="/account/security")
    assert phone.get("/account").status_code == 302
    assert laptop.get("/account").status_code == 302
    assert stranger.get("/account").status_code == 200
    with runtime.database.read() as db:
        left = db.scalar(select(func.count()).select_from(LoginSession).where(LoginSession.user_id == user.id))
    assert left == 0


def test_one_other_device_can_be_signed_out_but_no_stranger_s(
    site: Flask, runtime: Runtime, person: Callable[..., User]
) -> None:
    anna, bert = person(), person("bert@example.org")
    laptop, phone, stranger = site.test_client(), site.test_client(), site.test_client()
    sign_in(laptop), sign_in(phone), sign_in(stranger, "bert@example.org")
    of = {row.user_id: row.id for row in rows(runtime)}  # the last of each: phone and stranger
    refused = submit(laptop, f"/account/security/sign-out/{of[bert.id]}", form_on="/account/security")
    assert refused.status_code == 404
    assert stranger.get("/account").status_code == 200
    submit(laptop, f"/account/security/sign-out/{of[anna.id]}", form_on="/account/security")
    assert phone.get("/account").status_code == 302
    assert laptop.get("/account").status_code == 200


def test_a_locked_account_is_out_at_once_and_cannot_come_back(
    site: Flask, runtime: Runtime, person: Callable[..., User]
) -> None:
    user = person()
    client = site.test_client()
    sign_in(client)
    with runtime.database.write() as db:
        held = db.get(User, user.id)
        assert held is not None
        set_active(db, held, False, SYSTEM, "spam")
    assert client.get("/account").status_code == 302
    assert "This account is locked" in sign_in(client).text
    assert client.get("/account").status_code == 302


def test_a_session_that_was_ended_meanwhile_does_not_come_back(
    site: Flask, runtime: Runtime, person: Callable[..., User]
) -> None:
    person()
    ending = False

    @site.before_request
    def end_it() -> None:
        if ending:
            session["something"] = "new"
            with runtime.database.write() as db:
                db.execute(delete(LoginSession))

    client = site.test_client()
    sign_in(client)
    ending = True
    client.get("/account")
    assert rows(runtime) == []


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        " https://evil.example",
        "/%0d%0aSet-Cookie: a=b\r\nX: y",
        "///evil.example",
        "evil.example",
    ],
)
def test_nobody_is_sent_to_another_site(site: Flask, person: Callable[..., User], target: str) -> None:
    person()
    client = site.test_client()
    token = token_in(client, "/login")
    form = {"csrf_token": token, "email": "anna@example.org", "password": PASSWORD}
    for answer in (
        client.post("/login", query_string={"next": target}, data=form),
        client.post("/login", data={**form, "next": target}),
    ):
        assert answer.status_code == 400
    answer = client.post("/language/de", data={"next": target})
    assert answer.headers["Location"] == "/"


def test_after_signing_in_people_are_where_they_wanted_to_go(site: Flask, person: Callable[..., User]) -> None:
    person()
    client = site.test_client()
    asked = client.get("/account/profile?x=1")
    assert asked.headers["Location"] == "/login?next=/account/profile?x%3D1"
    page = client.get(asked.headers["Location"])
    token = token_in(client, asked.headers["Location"])
    assert 'name="next"' in page.text
    answer = client.post(
        "/login",
        data={"csrf_token": token, "email": "anna@example.org", "password": PASSWORD, "next": "/account/profile?x=1"},
    )
    assert answer.headers["Location"] == "/account/profile?x=1"


def test_a_form_without_the_token_changes_nothing(site: Flask, runtime: Runtime, person: Callable[..., User]) -> None:
    person()
    client = site.test_client()
    assert client.post("/login", data={"email": "anna@example.org", "password": PASSWORD}).status_code == 400
    sign_in(client)
    assert client.post("/logout").status_code == 400
    assert client.post("/account/security/sign-out").status_code == 400
    assert client.get("/account").status_code == 200


def test_a_token_in_a_header_opens_nothing(site: Flask, person: Callable[..., User]) -> None:
    """Flask-Security's own tokens would outlive signing out; they are switched off."""
    user = person()
    with site.test_request_context():
        token = user.get_auth_token()
    client = site.test_client()
    assert client.get("/account", headers={"Authentication-Token": str(token)}).status_code == 302
    assert client.get(f"/account?auth_token={token}").status_code == 302


def test_a_new_role_shortens_the_session_at_its_next_use(
    site: Flask, runtime: Runtime, person: Callable[..., User]
) -> None:
    user = person()
    start = clock.now()
    clock.set(start)
    client = site.test_client()
    sign_in(client)
    with runtime.database.write() as db:
        held = db.get(User, user.id)
        assert held is not None
        grant_role(db, held, "admin", SYSTEM)
    clock.set(start + timedelta(hours=1))
    client.get("/account")
    clock.set(start + timedelta(hours=5))
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_browsers_are_called_as_people_call_them(agent: str, name: str) -> None:
    assert browser_name(agent) == name
