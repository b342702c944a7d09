"""Somebody's own pages: bookings, profile, data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.accounts.overview import PER_PAGE
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.plugins.records import UserData
from helpouts.runtime import Runtime

from .conftest import one_database, sign_in, submit

pytestmark = one_database


@pytest.fixture
def book(runtime: Runtime) -> Callable[..., None]:
    """Puts bookings of a customer with an expert into the database, as they are after booking."""
    made = 0

    def add(customer: User, host: User, days: float, state: str = "confirmed", **values: Any) -> None:
        nonlocal made
        made += 1
        with runtime.database.write() as db:
            expert = db.scalar(select(Expert)) or Expert(slug="bert", name="Bert Gärtner")
            if expert.id is None:
                db.add(expert)
                db.flush()
                db.add(ExpertMember(expert_id=expert.id, user_id=host.id))
                db.add(
                    Listing(
                        slug="l",
                        expert_id=expert.id,
                        category="it",
                        title="T",
                        summary="",
                        pricing="free",
                        price_minor=0,
                        currency="EUR",
                        length_minutes=30,
                    )
                )
                db.flush()
            start = clock.now() + timedelta(days=days, minutes=made)
            db.add(
                Booking(
                    public_id=f"b{made}",
                    listing_id=db.scalars(select(Listing.id)).one(),
                    expert_id=expert.id,
                    host_id=host.id,
                    customer_id=customer.id,
                    state=state,
                    starts_at=start,
                    ends_at=start + timedelta(seconds=30),
                    title=f"Session {made} <b>",
                    category="it",
                    pricing="free",
                    price_minor=0,
                    currency="EUR",
                    amount_minor=0,
                    fee_bp=2000,
                    cancellation_policy="flexible",
                    customer_zone="UTC",
                    host_zone="UTC",
                    **values,
                )
            )

    return add


def titles(page: str, heading: str) -> list[str]:
    section = re.search(rf'<section aria-labelledby="{heading}">.*?</section>', page, re.DOTALL)
    return re.findall(r"Session \d+", section[0]) if section else []


def test_bookings_that_come_and_those_that_are_over(
    site: Flask, person: Callable[..., User], book: Callable[..., None]
) -> None:
    anna, bert, eve = person(), person("bert@example.org"), person("eve@example.org")
    book(anna, bert, 3)  # 1
    book(anna, bert, 1)  # 2
    book(anna, bert, -2, "completed")  # 3
    book(anna, bert, 5, "cancelled")  # 4
    book(eve, bert, 6)  # 5: somebody else's
    book(anna, bert, 7, "held", held_until=clock.now() + timedelta(minutes=5))  # 6
    book(anna, bert, 8, "held", held_until=clock.now() - timedelta(minutes=5))  # 7: lapsed
    client = site.test_client()
    sign_in(client)
    page = client.get("/account").text
    assert titles(page, "coming") == ["Session 2", "Session 1", "Session 6"]
    assert titles(page, "past") == ["Session 7", "Session 4", "Session 3"]
    assert "Session 2 &lt;b&gt;" in page
    assert 'href="/bookings/b2"' in page
    assert "To my expert pages" not in page
    client = site.test_client()
    sign_in(client, "bert@example.org")
    assert "To my expert pages" in client.get("/account").text


def test_the_past_comes_in_pages(site: Flask, person: Callable[..., User], book: Callable[..., None]) -> None:
    anna, bert = person(), person("bert@example.org")
    for number in range(PER_PAGE + 1):
        book(anna, bert, -10 - number, "completed")
    client = site.test_client()
    sign_in(client)
    assert len(titles(client.get("/account").text, "past")) == PER_PAGE
    assert titles(client.get("/account?page=2").text, "past") == [f"Session {PER_PAGE + 1}"]
    for page in ("0", "-1", "99999999999999999999", "x", ""):
        assert client.get(f"/account?page={page}").status_code == 200


def test_the_profile_changes_name_language_and_zone(site: Flask, runtime: Runtime, person: Callable[..., User]) -> None:
    person()
    client = site.test_client()
    sign_in(client)
    page = client.get("/account/profile").text
    assert '<option value="Europe/Berlin">Berlin (UTC' in page
    answer = submit(client, "/account/profile", name=" Anna  B ", locale="de", zone="America/New_York")
    assert answer.status_code == 303
    with runtime.database.read() as db:
        assert db.execute(select(User.name, User.locale, User.zone)).one() == ("Anna B", "de", "America/New_York")
    page = client.get("/account/profile").text
    assert '<html lang="de"' in page
    assert '<option selected value="America/New_York">' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", "a\nb"),
        ("locale", "tlh"),
        ("zone", "Mars/Olympus"),
        ("zone", "../../etc/passwd"),
        ("zone", ""),
    ],
)
def test_a_wrong_profile_is_told_at_the_field_and_not_kept(
    site: Flask, runtime: Runtime, person: Callable[..., User], field: str, value: str
) -> None:
    person()
    client = site.test_client()
    sign_in(client)
    answer = submit(
        client, "/account/profile", **{"name": "Changed", "locale": "de", "zone": "Europe/Berlin", field: value}
    )
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    with runtime.database.read() as db:
        assert db.execute(select(User.name, User.locale, User.zone)).one() == ("Anna Muster", "en", "")


def test_people_get_all_their_data_and_nobody_else_s(
    site: Flask,
    runtime: Runtime,
    person: Callable[..., User],
    book: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna, bert, eve = person(), person("bert@example.org"), person("eve@example.org")
    book(anna, bert, 3, intake=[{"key": "q", "label": "What?", "answer": "My router"}])
    book(eve, bert, 4, intake=[{"key": "q", "label": "What?", "answer": "Eve's secret"}])
    surface = runtime.registry.surface

    def with_plugin(hook: str, kind: Any) -> Any:
        if hook == "helpouts_user_data":
            return [("diary", UserData(export=lambda db, user: {"entries": [user]}, erase=lambda db, user: None))]
        return surface(hook, kind)

    monkeypatch.setattr(runtime.registry, "surface", with_plugin)
    client = site.test_client()
    sign_in(client)
    answer = client.get("/account/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="helpouts-data.json"'
    data = json.loads(answer.text)
    assert data["account"]["email"] == "anna@example.org"
    assert data["account"]["roles"] == ["customer"]
    assert [b["intake"][0]["answer"] for b in data["bookings"]] == ["My router"]
    assert data["plugins"] == {"diary": {"entries": [anna.id]}}
    assert len(data["sign_ins"]) == 1
    assert "argon2" not in answer.text
    assert "eve" not in answer.text.lower()


@pytest.mark.parametrize("path", ["/account", "/account/profile", "/account/security", "/account/data"])
def test_own_pages_are_for_those_who_are_signed_in(site: Flask, path: str) -> None:
    answer = site.test_client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")
