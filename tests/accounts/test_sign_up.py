"""Signing up, confirming, and setting a new password: through a real mail server, as people do it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup
from sqlalchemy import func, select

from helpouts.accounts.models import LoginSession, User
from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.runtime import Runtime
from helpouts.site import put
from helpouts.web.app import create_app

from .conftest import PASSWORD, Postman, drain, one_database, sign_in, submit, token_in

GOOD = {"name": "Anna Muster", "email": "anna@example.org", "password": PASSWORD, "is_old_enough": "y"}


@pytest.fixture
def mailing(runtime: Runtime, postman: tuple[Postman, int]) -> Runtime:
    """The runtime with a mail server."""
    config = runtime.config.replace(
        mail_host="127.0.0.1", mail_port=postman[1], public_url="https://help.example", login_rate="1000 per minute"
    )
    return Runtime(config, runtime.database, runtime.registry)


def link_in(mail: Any) -> str:
    found = re.search(r"https://help\.example(/\S+)", mail.get_content())
    assert found, mail.get_content()
    return found[1]


def users(runtime: Runtime) -> int:
    with runtime.database.read() as db:
        return db.scalar(select(func.count()).select_from(User)) or 0


def jobs(runtime: Runtime) -> int:
    with runtime.database.read() as db:
        return db.scalar(select(func.count()).select_from(Job)) or 0


def secure(client: FlaskClient) -> FlaskClient:
    client.environ_base["wsgi.url_scheme"] = "https"
    client.environ_base["HTTP_REFERER"] = "https://localhost/"
    return client


def test_from_sign_up_to_sign_in(mailing: Runtime, postman: tuple[Postman, int]) -> None:
    client = secure(create_app(mailing).test_client())
    answer = submit(client, "/register", **GOOD)
    assert answer.headers["Location"] == "/login"
    assert "open the link in the mail that we have just sent to anna@example.org" in client.get("/login").text
    assert "Confirm your mail address first" in sign_in(client).text
    assert client.get("/account").status_code == 302

    assert drain(mailing) == 1
    [mail] = postman[0].mails
    assert mail["To"] == "anna@example.org"
    assert mail["Subject"] == "Confirm your mail address"
    assert "Hello Anna Muster," in mail.get_content()
    link = link_in(mail)

    page = client.get(link)
    assert "Confirm my address" in page.text
    assert "Confirm your mail address first" in sign_in(client).text, "looking at the page confirms nothing"
    submit(client, link)
    assert "Your mail address is confirmed." in client.get("/login").text
    assert sign_in(client).headers["Location"] == "/account"
    with mailing.database.read() as db:
        user = db.scalars(select(User)).one()
        assert (user.name, user.email, [role.name for role in user.roles]) == (
            "Anna Muster",
            "anna@example.org",
            ["customer"],
        )
        assert user.confirmed_at is not None
        assert (user.password or "").startswith("$argon2id$")


@one_database
def test_mails_speak_the_language_of_their_reader(mailing: Runtime, postman: tuple[Postman, int]) -> None:
    client = secure(create_app(mailing).test_client())
    client.post("/language/de")
    submit(client, "/register", **GOOD)
    drain(mailing)
    [mail] = postman[0].mails
    with mailing.database.read() as db:
        assert db.scalars(select(User.locale)).one() == "de"
    assert "2 Tage" in mail.get_content()


@one_database
def test_links_lead_to_the_public_address_whatever_the_request_says(
    mailing: Runtime, postman: tuple[Postman, int], person: Callable[..., User]
) -> None:
    person()
    client = secure(create_app(mailing).test_client())
    token = token_in(client, "/reset")
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Referer": "https://evil.example/"}
    cookie = client.get_cookie("__Host-session")
    assert cookie is not None
    other = secure(create_app(mailing).test_client())
    other.set_cookie("__Host-session", cookie.value, domain="evil.example", secure=True)
    other.post(
        "/reset", data={"csrf_token": token, "email": "anna@example.org"}, headers=evil, base_url="https://evil.example"
    )
    drain(mailing)
    [mail] = postman[0].mails
    assert "evil" not in mail.as_string()
    assert link_in(mail).startswith("/reset/")


def test_a_new_password_by_mail(mailing: Runtime, postman: tuple[Postman, int], person: Callable[..., User]) -> None:
    person()
    app = create_app(mailing)
    client, elsewhere = secure(app.test_client()), secure(app.test_client())
    sign_in(elsewhere)
    submit(client, "/reset", email="Anna@Example.ORG")
    drain(mailing)
    link = link_in(postman[0].mails[0])
    assert "At least 12 characters" in client.get(link).text
    assert "Use at least 12 characters" in submit(client, link, password="short").text
    answer = submit(client, link, password="nine yellow teapots")
    assert answer.headers["Location"] == "/login"
    assert elsewhere.get("/account").status_code == 302, "a new password signs everybody else out"
    assert "Mail address or password is wrong." in sign_in(client).text
    assert sign_in(client, password="nine yellow teapots").status_code == 302
    drain(mailing)
    assert postman[0].mails[-1]["Subject"] == "Your password was changed"
    third = secure(app.test_client())
    assert third.get(link).headers["Location"] == "/reset", "the link works once"
    assert "This link is not good any more." in third.get("/reset").text


@one_database
def test_known_and_unknown_addresses_look_the_same(
    mailing: Runtime, postman: tuple[Postman, int], person: Callable[..., User]
) -> None:
    person()
    app = create_app(mailing)

    def answers(email: str) -> list[str]:
        client = secure(app.test_client())
        seen = [
            submit(client, "/reset", email=email).text,
            submit(client, "/confirm", email=email).text,
            sign_in(client, email, "wrong but long").text,
        ]
        client = secure(app.test_client())
        seen += [submit(client, "/register", **{**GOOD, "email": email}).headers["Location"], client.get("/login").text]
        return [re.sub(r'value="[^"]*"', "", text.replace(email, "EMAIL")) for text in seen]

    assert answers("anna@example.org") == answers("nobody@example.org")
    drain(mailing)
    to_anna = [mail["Subject"] for mail in postman[0].mails if mail["To"] == "anna@example.org"]
    assert to_anna == ["Set a new password", "You have an account already"]
    assert users(mailing) == 2


def test_changing_the_password_signs_out_the_others_and_keeps_this_one(
    mailing: Runtime, person: Callable[..., User]
) -> None:
    person()
    app = create_app(mailing)
    here, there = secure(app.test_client()), secure(app.test_client())
    sign_in(here), sign_in(there)
    assert "The password is wrong." in submit(here, "/change", password="x", new_password="nine yellow teapots").text
    assert "present password" in submit(here, "/change", password=PASSWORD, new_password=PASSWORD).text
    assert "among the first" in submit(here, "/change", password=PASSWORD, new_password="password1234").text
    assert there.get("/account").status_code == 200
    done = submit(here, "/change", password=PASSWORD, new_password="nine yellow teapots")
    assert done.headers["Location"] == "/account/security"
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200
    with mailing.database.read() as db:
        assert db.scalar(select(func.count()).select_from(LoginSession).where(LoginSession.user_id.is_not(None))) == 1


@one_database
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "Tell us your name."),
        ("name", "   ", "Tell us your name."),
        ("name", "x" * 121, "Use at most 120 characters."),
        ("name", "Anna\r\nBcc: victim@example.org", "no line breaks"),
        ("name", "Anna\0", "no line breaks"),
        ("name", "Anna‮", "no line breaks"),
        ("email", "", "Tell us your mail address."),
        ("email", "anna", "This is not a mail address"),
        ("email", "anna@", "This is not a mail address"),
        ("email", "anna@example.org\r\nBcc: victim@example.org", "This is not a mail address"),
        ("email", "anna@example.org, bert@example.org", "This is not a mail address"),
        ("email", "a" * 250 + "@example.org", "This is too long."),
        ("email", "' OR 1=1 --@example.org", "This is not a mail address"),
        ("password", "", "Choose a password."),
        ("password", "elevenchars", "Use at least 12 characters"),
        ("password", "x1!" * 100, "Use at most 256 characters."),
        ("password", "iloveyou1234", "among the first that are tried"),
        ("password", "AnnaMuster1985", "among the first that are tried"),
        ("password", "Helpouts2026!", "among the first that are tried"),
        ("is_old_enough", None, "You must be 13 or older"),
        ("invitation", "x" * 81, "This is too long."),
    ],
)
def test_a_wrong_answer_gets_a_message_at_its_field_and_changes_nothing(
    site: Flask, runtime: Runtime, field: str, value: str | None, says: str
) -> None:
    client = site.test_client()
    given = {key: text for key, text in {**GOOD, field: value}.items() if text is not None}
    page = submit(client, "/register", **given)
    assert page.status_code == 200
    at_field = re.search(rf'id="{field}-error".*?</p>', page.text, re.DOTALL)
    assert at_field is not None
    assert says in at_field[0]
    assert PASSWORD not in page.text
    assert users(runtime) == 0
    assert jobs(runtime) == 0


@one_database
@pytest.mark.parametrize("path", ["/login", "/reset", "/confirm"])
@pytest.mark.parametrize(
    "email", ["", "anna", "anna@", "a" * 250 + "@example.org", "a@example.org\nBcc: b@c.org", "\0"]
)
def test_what_is_no_address_is_told_at_the_field(site: Flask, runtime: Runtime, path: str, email: str) -> None:
    page = submit(site.test_client(), path, email=email, password=PASSWORD)
    assert page.status_code == 200
    assert 'id="email-error"' in page.text
    assert "is on its way" not in page.text
    assert jobs(runtime) == 0


def test_what_is_flashed_may_contain_anything(site: Flask) -> None:
    client = site.test_client()
    with client.session_transaction() as kept:
        kept["_flashes"] = [("info", "a\0b"), ("info", Markup("<b>"))]
        kept["text"] = "\\u0000"
    with client.session_transaction() as kept:
        assert kept["_flashes"] == [("info", "ab"), ("info", Markup("<b>"))]
        assert kept["text"] == "\\u0000"


@one_database
@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm", "/change", "/account/profile"])
@pytest.mark.parametrize("value", ["\0", "x" * 100_000, "{{7*7}}", "<script>alert(1)</script>", "💥\u202e", "[]"])
def test_hostile_values_break_no_form(
    site: Flask, runtime: Runtime, person: Callable[..., User], path: str, value: str
) -> None:
    person()
    client = site.test_client()
    if path in ("/change", "/account/profile"):
        sign_in(client)
    fields = ("name", "email", "password", "new_password", "invitation", "is_old_enough", "locale", "zone", "submit")
    page = submit(client, path, **dict.fromkeys(fields, value))
    assert page.status_code in (200, 400)
    assert "<script>alert(1)" not in page.text
    assert "49" not in re.sub(r'csrf_token"[^>]*>|<svg.*?</svg>|\?v=\w+', "", page.text) or value != "{{7*7}}"
    assert users(runtime) == 1


@one_database
def test_a_body_that_is_no_form_is_refused(site: Flask) -> None:
    client = site.test_client()
    token = token_in(client, "/login")
    for body in ({"email": ["x"]}, ["x"], "x", 3):
        assert client.post("/login", json=body, headers={"X-CSRFToken": token}).status_code == 415


def test_blanks_around_a_name_and_capitals_in_an_address_do_not_matter(site: Flask, runtime: Runtime) -> None:
    client = site.test_client()
    submit(client, "/register", **{**GOOD, "name": "  Anna   Muster ", "email": " Anna@Example.ORG "})
    with runtime.database.read() as db:
        user = db.scalars(select(User)).one()
        assert (user.name, user.email) == ("Anna Muster", "anna@example.org")


@one_database
def test_who_asks_too_often_has_to_wait(runtime: Runtime, person: Callable[..., User]) -> None:
    person()
    strict = Runtime(runtime.config.replace(login_rate="5 per minute"), runtime.database, runtime.registry)
    client = create_app(strict).test_client()
    token = token_in(client, "/login")
    tries = [
        client.post(path, data={"csrf_token": token, "email": "anna@example.org", "password": "wrong but long"})
        for path in ("/login", "/login", "/reset", "/login", "/register", "/login", "/reset", "/confirm")
    ]
    assert [answer.status_code for answer in tries] == [200] * 5 + [429] * 3
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert client.get("/login").status_code == 200, "looking is free"


@one_database
@pytest.mark.parametrize("state", ["prelaunch", "invitation_only"])
def test_while_the_site_is_closed_a_code_is_needed(
    site: Flask, runtime: Runtime, person: Callable[..., User], state: str
) -> None:
    from helpouts.vetting.service import issue

    with runtime.database.write() as db:
        put(db, "state", state, SYSTEM)
        _, code = issue(db, "it", "anna@example.org", SYSTEM)
    client = site.test_client()
    assert "not open to everybody yet" in client.get("/register").text
    assert "enter the code of your invitation" in submit(client, "/register", **GOOD).text
    assert 'id="invitation-error"' in submit(client, "/register", **GOOD, invitation="WRONG-CODE").text
    assert users(runtime) == 0
    assert f'value="{code}"' in client.get(f"/register?invitation={code}").text
    assert submit(client, "/register", **GOOD, invitation=code).headers["Location"] == "/login"
    assert users(runtime) == 1


@one_database
def test_a_link_runs_out(mailing: Runtime, postman: tuple[Postman, int]) -> None:
    from datetime import timedelta

    from flask_security.proxies import _security

    app = create_app(mailing, SECURITY_CONFIRM_EMAIL_WITHIN=timedelta(seconds=-1))
    client = secure(app.test_client())
    submit(client, "/register", **GOOD)
    drain(mailing)
    link = link_in(postman[0].mails[0])
    submit(client, link)
    assert "This link is not good any more." in client.get("/confirm").text
    with app.app_context():
        assert _security.confirmable
    assert clock.now() is not None
