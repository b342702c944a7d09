"""What the pages show: one of everything, with nasty texts, and how much it asks of the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from helpouts.accounts.models import User
from helpouts.audit.models import AuditEntry
from helpouts.db import Database
from helpouts.jobs.models import Job
from helpouts.runtime import Runtime
from helpouts_admin.views.base import Records
from helpouts_admin.views.jobs import JobsView, without_keys

LISTS = {
    "applications": "application", "invitations": "invitation", "experts": "expert", "listings": "live_listing",
    "bookings": "booking", "rooms": "room", "payments": "payment", "refunds": "refund", "packages": "package",
    "payouts": "payout", "ledger": "journal", "requests": "request", "coupons": "coupon",
    "reviews": "review", "reports": "report", "calls": "call",
    "users": "user", "jobs": "job", "mails": "mail", "audit": "audit",
}  # fmt: skip
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OTHERS = (
    "",
    "plugins/",
    "plugins/sample/",
    "site/",
    "health/",
    "more/",
    "more/sample/plain/",
    "ledger/accounts/",
    "invitations/issue/",
)


def test_list_and_record_show_nasty_texts_as_texts(enter: Callable[..., FlaskClient], world: Any) -> None:
    client = enter()
    for name, attribute in LISTS.items():
        number = getattr(world, attribute)
        for path in (f"/console/{name}/", f"/console/{name}/details/?id={number}"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text, path
            assert "<img src=x" not in answer.text, path
            assert 'href="javascript' not in answer.text, path
        assert "&lt;script&gt;" in answer.text or name == "payments", name


@SQLITE
def test_the_other_pages_show_nasty_texts_as_texts(enter: Callable[..., FlaskClient], world: Any) -> None:
    client = enter()
    for path in OTHERS:
        answer = client.get(f"/console/{path}")
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path


def test_a_list_takes_any_question(enter: Callable[..., FlaskClient], world: Any) -> None:
    client = enter()
    for name in LISTS:
        for query in (
            "search=a+%25+b",
            "search=jonas",
            "sort=0&desc=1",
            "page=3",
            "flt0_0=nonsense",
            "page=-1",
            "sort=99",
        ):
            assert client.get(f"/console/{name}/?{query}").status_code == 200, (name, query)


def test_every_choice_of_every_filter_works(site: Flask, enter: Callable[..., FlaskClient], world: Any) -> None:
    client = enter()
    for view in site.extensions["admin"][0]._views:
        if isinstance(view, Records):
            with site.test_request_context():
                choices = [(index, value) for index, _, options, _ in view.filter_rows() for value, _ in options]
            for index, value in choices:
                answer = client.get(f"/console/{view.url.rpartition('/')[2]}/?flt{index}_{index}={value}")
                assert answer.status_code == 200, (view.endpoint, index, value)


@SQLITE
def test_the_newest_comes_first(
    runtime: Runtime, enter: Callable[..., FlaskClient], world: Any, fill_world: Any, people: dict[str, User]
) -> None:
    with runtime.database.write() as db:
        newer = fill_world(db, people)
    client = enter()
    for name, attribute in LISTS.items():
        shown = [
            int(number)
            for number in re.findall(rf"/console/{name}/details/\?id=(\d+)", client.get(f"/console/{name}/").text)
        ]
        older, newest = getattr(world, attribute), getattr(newer, attribute)
        assert name == "applications" or shown.index(newest) < shown.index(older), name


def test_a_record_that_is_not_there_is_not_found(enter: Callable[..., FlaskClient]) -> None:
    client = enter()
    for name in LISTS:
        for number in ("0", "999999", "9" * 30, "x", "", "1 OR 1=1", "٣"):
            answer = client.get(f"/console/{name}/details/", query_string={"id": number})
            assert answer.status_code == 404, (name, number)


@SQLITE
def test_a_record_that_the_list_hides_is_not_reached_by_its_number(
    enter: Callable[..., FlaskClient], send: Callable[..., Any], world: Any
) -> None:
    client = enter()
    assert client.get(f"/console/jobs/details/?id={world.mail}").status_code == 404
    assert client.get(f"/console/mails/details/?id={world.job}").status_code == 404
    assert send(client, f"/console/jobs/{world.mail}/retry/").status_code == 404


def count_queries(database: Database, do: Callable[[], Any]) -> int:
    """How many statements ``do`` sends."""
    seen: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        do()
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)
    return len(seen)


@SQLITE
def test_a_list_asks_the_database_equally_often_whatever_its_length(
    runtime: Runtime, enter: Callable[..., FlaskClient], world: Any, fill_world: Any, people: dict[str, User]
) -> None:
    client = enter()
    client.get("/console/")
    few = {name: count_queries(runtime.database, lambda n=name: client.get(f"/console/{n}/")) for name in LISTS}  # type: ignore[misc]
    with runtime.database.write() as db:
        for _ in range(6):
            fill_world(db, people)
    many = {name: count_queries(runtime.database, lambda n=name: client.get(f"/console/{n}/")) for name in LISTS}  # type: ignore[misc]
    assert {name: count for name, count in many.items() if count > few[name]} == {}
    assert max(many.values()) <= 12, many


@SQLITE
def test_every_list_names_its_columns(site: Flask) -> None:
    lists = [view for view in site.extensions["admin"][0]._views if isinstance(view, Records)]
    assert len(lists) == len(LISTS)
    for view in lists:
        assert view.column_list, view.endpoint
        assert view.column_details_list, view.endpoint
        assert not any((view.can_create, view.can_edit, view.can_delete))
        assert not view.can_export or view.column_export_list


def test_a_list_without_named_columns_cannot_be_made() -> None:
    class Careless(JobsView):
        column_details_list = None  # type: ignore[assignment]  # what Flask-Admin has by default, and is refused

    with pytest.raises(TypeError, match="column_details_list"):
        Careless("Jobs", "Site")


@SQLITE
def test_secrets_of_users_are_on_no_page(
    runtime: Runtime, enter: Callable[..., FlaskClient], people: dict[str, User]
) -> None:
    with runtime.database.write() as db:
        user = db.get_one(User, people["support"].id)
        user.password, user.tf_totp_secret, user.mf_recovery_codes = (
            "hash-of-password",
            "totp-secret",
            ["recovery-code"],
        )
    client = enter()
    pages = client.get("/console/users/").text + client.get(f"/console/users/details/?id={people['support'].id}").text
    for secret in ("hash-of-password", "totp-secret", "recovery-code", people["support"].fs_uniquifier):
        assert secret not in pages


@SQLITE
def test_a_mail_is_shown_without_the_keys_in_it(enter: Callable[..., FlaskClient], world: Any) -> None:
    page = enter("support").get(f"/console/mails/details/?id={world.mail}").text
    assert "HELP…" in page
    assert "7Q4M" not in page
    assert "c2VjcmV0" not in page


def test_ordinary_words_of_a_mail_stay() -> None:
    text = "Your session with Jonas Weber starts on Tuesday. Donaudampfschifffahrt! https://x.example/b/abc"
    assert without_keys(text) == text


def test_mails_are_found_by_receiver_and_subject(runtime: Runtime, enter: Callable[..., FlaskClient]) -> None:
    with runtime.database.write() as db:
        for to, subject in (("anna@test.example", "Grüße"), ("ben@test.example", "100 % off")):
            payload = {"to": to, "subject": subject, "body": "x", "attachments": []}
            db.add(Job(kind="mail.send", payload=payload))
    client = enter()
    for search, found in (("anna", "Grüße"), ("grüße", "Grüße"), ("100 %", "100 % off")):
        page = client.get("/console/mails/", query_string={"search": search}).text
        assert found in page, search
        assert page.count("records__main") == 1, search


def test_an_export_is_escaped_capped_and_audited(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any], world: Any
) -> None:
    with runtime.database.write() as db:
        from helpouts.bookings.models import Booking

        db.get_one(Booking, world.booking).title = "=HYPERLINK(1)"
    answer = send(enter("finance"), "/console/bookings/export/csv/")
    assert answer.mimetype == "text/csv"
    assert "'=HYPERLINK(1)" in answer.text
    assert ",=HYPERLINK" not in answer.text
    with runtime.database.read() as db:
        entry = db.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
        assert entry is not None
        assert (entry.action, entry.detail["view"]) == ("console.export", "console_bookings")


@SQLITE
def test_the_overview_counts_what_waits(enter: Callable[..., FlaskClient], world: Any) -> None:
    page = enter().get("/console/").text
    for text in ("Applications to answer", "1 is overdue", "Listings to review", "Disputes to decide", "Jobs given up"):
        assert text in page
