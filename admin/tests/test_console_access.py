"""Who gets in where: every route, every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM
from helpouts.plugins.service import set_enabled
from helpouts.runtime import Runtime
from helpouts_admin.permissions import ACTIONS, VIEWS

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROLES = ("support", "curator", "finance", "admin", "customer")
#: Pages with nothing but the form of an action: who may do it may open them.
FORMS = {"console_bookings.place_form": ("console_bookings", "place")}
#: Forms that change nothing about a record: who may open the page may send them.
CHECKS = {"console_ledger.verify", "console_audit.check"}


def routes(site: Flask, method: str) -> Iterator[tuple[str, str]]:
    """(endpoint, path) of every route of the console, variables filled in."""
    values = {
        "record_id": 1,
        "action": "revoke",
        "export_type": "csv",
        "name": "sample",
        "plugin": "sample",
        "filename": "x",
        "public_id": "x",
    }
    with site.test_request_context():
        for rule in site.url_map.iter_rules():
            methods = rule.methods or set()
            if str(rule).startswith("/console") and method in methods and not rule.endpoint.endswith(".static"):
                built = rule.build({name: values[name] for name in rule.arguments})
                assert built is not None
                yield rule.endpoint, built[1]


def test_every_page_has_a_row_in_the_table(site: Flask) -> None:
    blueprints = {endpoint.rpartition(".")[0] for endpoint, _ in [*routes(site, "GET"), *routes(site, "POST")]}
    assert blueprints == set(VIEWS)


def test_a_visitor_is_sent_to_the_sign_in_page(site: Flask) -> None:
    client = site.test_client()
    for endpoint, path in routes(site, "GET"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.split("?")[0]) == (302, "/login"), endpoint


def test_a_visitor_can_send_nothing(site: Flask) -> None:
    client = site.test_client()
    for endpoint, path in routes(site, "POST"):
        assert client.post(path).status_code in (400, 401), endpoint


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_pages_and_no_others(site: Flask, enter: Callable[..., FlaskClient], role: str) -> None:
    client = enter(role)
    for endpoint, path in routes(site, "GET"):
        wanted = ACTIONS[FORMS[endpoint]] if endpoint in FORMS else VIEWS[endpoint.rpartition(".")[0]]
        allowed = role == "admin" or role in wanted
        status = client.get(path).status_code
        assert (status == 403) is not allowed, f"{role} on {endpoint}: {status}"
        assert status < 500, endpoint


@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_its_actions_and_no_others(
    site: Flask, enter: Callable[..., FlaskClient], send: Callable[..., Any], world: Any, role: str
) -> None:
    client, page = enter(role), "/console/" if role != "customer" else "/"
    ids = {
        "console_applications": world.application,
        "console_invitations": world.invitation,
        "console_experts": world.expert,
        "console_listings": world.live_listing,
        "console_bookings": world.booking,
        "console_rooms": world.room,
        "console_payments": world.payment,
        "console_refunds": world.refund,
        "console_payouts": world.payout,
        "console_requests": world.request,
        "console_coupons": world.coupon,
        "console_reviews": world.review,
        "console_reports": world.report,
        "console_calls": world.call,
        "console_users": world.user,
        "console_jobs": world.job,
        "console_mails": world.mail,
    }
    for (view, action), roles in ACTIONS.items():
        if action in ("export", "issue"):
            continue
        allowed = role == "admin" or role in roles
        record = f"{ids[view]}/" if view in ids else ""  # health has no records
        path = f"/console/{view.removeprefix('console_')}/{record}{action}/"
        status = send(client, path, on=page).status_code
        assert (status == 403) is not allowed, f"{role}, {view}.{action}: {status}"


def test_an_action_that_nobody_was_given_is_refused_to_the_admin_too(
    enter: Callable[..., FlaskClient], send: Callable[..., Any], world: Any
) -> None:
    assert send(enter(), f"/console/users/{world.user}/delete/").status_code == 403


def test_a_form_without_its_token_is_refused(site: Flask, enter: Callable[..., FlaskClient], world: Any) -> None:
    client = enter()
    for endpoint, path in routes(site, "POST"):
        assert client.post(path).status_code == 400, endpoint


def test_flask_admins_own_ways_of_writing_have_no_route(site: Flask) -> None:
    ends = ("/new/", "/edit/", "/delete/", "/action/", "/ajax/update/", "/ajax/lookup/")
    assert [path for _, path in [*routes(site, "GET"), *routes(site, "POST")] if path.endswith(ends)] == []


def test_an_operator_whose_role_was_taken_away_is_out_at_the_next_click(
    runtime: Runtime, enter: Callable[..., FlaskClient], people: dict[str, User]
) -> None:
    client = enter("curator")
    assert client.get("/console/applications/").status_code == 200
    with runtime.database.write() as db:
        curator = db.get_one(User, people["curator"].id)
        curator.roles.clear()
    assert client.get("/console/applications/").status_code == 403


def test_the_console_is_gone_while_its_plugin_is_off(runtime: Runtime, enter: Callable[..., FlaskClient]) -> None:
    client = enter()
    with runtime.database.write() as db:
        set_enabled(db, "console", False, SYSTEM)
    assert client.get("/console/").status_code == 404
    assert client.get("/console/users/").status_code == 404


def test_the_menu_shows_only_what_may_be_opened(enter: Callable[..., FlaskClient]) -> None:
    page = enter("finance").get("/console/").text
    assert "/console/ledger/" in page
    assert "/console/plugins/" not in page
    assert "/console/applications/" not in page


def test_pages_carry_a_strict_policy_and_are_kept_by_nobody(enter: Callable[..., FlaskClient]) -> None:
    answer = enter().get("/console/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/console/", "/console/users/", "/console/plugins/", "/console/listings/"])
def test_pages_need_nothing_that_the_policy_forbids(enter: Callable[..., FlaskClient], path: str, world: Any) -> None:
    page = enter().get(path).text
    assert " onclick=" not in page
    assert " style=" not in page
    assert "javascript:" not in page
    assert "<script>" not in page
    assert "https://" not in page.replace("https://example.org", "")
