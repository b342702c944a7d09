"""The front page, languages, and the rule that every page says who may see it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import AnyConverter

from helpouts.accounts.models import LoginSession, User
from helpouts.accounts.service import create_user
from helpouts.audit.actor import SYSTEM
from helpouts.runtime import Runtime
from helpouts.site import put
from helpouts.web.app import create_app
from helpouts.web.permissions import declared

PASSWORD = "seven purple llamas"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def site(runtime: Runtime) -> Flask:
    """The application."""
    return create_app(runtime)


def test_every_page_says_who_may_see_it(site: Flask) -> None:
    silent = [
        rule.endpoint
        for rule in site.url_map.iter_rules()
        if rule.endpoint != "static" and not rule.endpoint.endswith(".static") and declared(site, rule.endpoint) is None
    ]
    assert silent == []


def test_a_page_that_says_nothing_is_refused_to_everybody(runtime: Runtime) -> None:
    app = create_app(runtime)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = app.test_client().get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_every_form_needs_its_token(site: Flask) -> None:
    """But for the choice of a language, mail programs that stop mails (RFC 8058), and webhooks of plugins."""
    assert {view for view in site.extensions["csrf"]._exempt_views if view.startswith("helpouts.")} == {
        "helpouts.web.views.set_language",
        "helpouts.wishes.views.stop",
    }
    client = site.test_client()
    open_to_forgery = []
    for rule in site.url_map.iter_rules():
        view = site.view_functions[rule.endpoint]
        if f"{view.__module__}.{view.__name__}" in site.extensions["csrf"]._exempt_views:
            continue
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            values = {name: _sample(converter) for name, converter in rule._converters.items()}
            path = site.url_map.bind("localhost").build(rule.endpoint, values, method=method)
            answer = client.open(path, method=method)
            # For the API no cookie counts, so there is nothing to forge: whoever brings no token is nobody.
            if answer.status_code != (401 if rule.endpoint.startswith("api.") else 400):
                open_to_forgery.append((rule.endpoint, method, answer.status_code))
    assert open_to_forgery == []


def _sample(converter: Any) -> Any:
    return sorted(converter.items)[0] if isinstance(converter, AnyConverter) else 1


def test_a_visitor_who_looks_around_leaves_no_row(site: Flask, runtime: Runtime) -> None:
    client = site.test_client()
    for path in ("/", "/about", "/imprint", "/search"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert not [cookie for cookie in page.headers.getlist("Set-Cookie") if "session" in cookie], path
    with runtime.database.read() as db:
        assert db.scalars(select(LoginSession)).all() == []


def test_the_language_is_the_browser_s_until_somebody_chooses(site: Flask) -> None:
    german = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.1"}
    client = site.test_client()
    assert '<html lang="de"' in client.get("/", headers=german).text
    assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "xx"}).text
    answer = client.post("/language/en", data={"next": "/about?"}, headers=german)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/about")
    assert '<html lang="en"' in client.get("/", headers=german).text
    assert client.post("/language/tlh").status_code == 404


def test_the_language_is_kept_with_the_account(site: Flask, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        create_user(db, "anna@example.org", PASSWORD, "Anna", confirmed=True)
    client = site.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token
    client.post("/login", data={"csrf_token": token[1], "email": "anna@example.org", "password": PASSWORD})
    client.post("/language/de")
    with runtime.database.read() as db:
        assert db.scalars(select(User.locale)).one() == "de"
    assert '<html lang="de"' in client.get("/account").text


@pytest.mark.parametrize(
    ("state", "roles", "sees"),
    [
        ("open", None, "home"),
        ("prelaunch", None, "closed"),
        ("invitation_only", None, "closed"),
        ("prelaunch", (), "closed"),
        ("prelaunch", ("expert",), "home"),
        ("prelaunch", ("support",), "home"),
        ("invitation_only", (), "home"),
    ],
)
def test_who_sees_the_inside_while_the_site_is_closed(
    site: Flask, runtime: Runtime, state: str, roles: tuple[str, ...] | None, sees: str
) -> None:
    client = site.test_client()
    with runtime.database.write() as db:
        put(db, "state", state, SYSTEM)
        if roles is not None:
            create_user(db, "anna@example.org", PASSWORD, "Anna", roles, confirmed=True)
    if roles is not None:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
        assert token
        client.post("/login", data={"csrf_token": token[1], "email": "anna@example.org", "password": PASSWORD})
    page = client.get("/")
    assert page.status_code == 200
    assert ("We are looking for people who know." in page.text) == (sees == "closed")
    assert client.get("/search").status_code == (302 if sees == "closed" else 200)


def test_the_operator_s_own_words(site: Flask, runtime: Runtime) -> None:
    client = site.test_client()
    assert "has not written anything here yet" in client.get("/imprint").text
    folder = runtime.config.data_dir / "pages"
    folder.mkdir()
    (folder / "imprint.txt").write_text("Muster & Co <b>GmbH</b>\n", "utf-8")
    (folder / "imprint.de.txt").write_text("Auf Deutsch", "utf-8")
    assert "Muster &amp; Co &lt;b&gt;GmbH&lt;/b&gt;" in client.get("/imprint").text
    assert "Auf Deutsch" in client.get("/imprint", headers={"Accept-Language": "de"}).text
