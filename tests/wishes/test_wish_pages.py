"""The pages: searching, saving, stopping, asking, answering, as browsers do it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.accounts import passwords
from helpouts.accounts.models import User
from helpouts.catalog.models import Listing
from helpouts.catalog.records import SearchRequest
from helpouts.clock import clock
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_expert, make_listing, make_user
from helpouts.web.app import create_app
from helpouts.wishes import saved
from helpouts.wishes.models import HelpRequest, RequestAnswer, SavedSearch

PASSWORD = "seven purple llamas"
TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NASTY = "<script>alert(1)</script>"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)


@pytest.fixture
def world(runtime: Runtime) -> dict[str, Any]:
    with runtime.database.write() as db:
        clara = make_user(db, "Clara Berg")
        jonas = make_expert(db, "Jonas Weber", paid=False)
        listing = make_listing(db, jonas, slug="router", pricing="free", price_minor=0)
        for user in (clara, jonas.owner):
            user.password = passwords.hash_password(PASSWORD)
        return {"clara": clara.email, "jonas": jonas.owner.email, "listing": listing.id, "clara_id": clara.id}


@pytest.fixture
def site(runtime: Runtime, world: dict[str, Any]) -> Flask:
    roomy = Runtime(runtime.config.replace(login_rate="1000 per minute"), runtime.database, runtime.registry)
    return create_app(roomy)


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


@pytest.fixture
def enter(site: Flask, world: dict[str, Any]) -> Callable[[str], FlaskClient]:
    def sign_in(who: str, client: FlaskClient | None = None, path: str = "/login") -> FlaskClient:
        client = client or site.test_client()
        data = {"csrf_token": token(client, path), "email": world[who], "password": PASSWORD}
        assert client.post(path, data=data).status_code in (302, 303)
        return client

    return sign_in


def request_form(**changes: str) -> dict[str, str]:
    return {
        "topic": "it/networks",
        "title": "My printer hides from the Wi-Fi",
        "text": "It worked until yesterday; the lamp blinks twice and nothing prints.",
        "timing": "week",
        "language": "",
        "budget": "20",
    } | changes


@pytest.fixture
def tuesday() -> None:
    """Ask for it before the world, which is then made on that day."""
    clock.set(TUESDAY)


def test_filters_become_chips_that_can_be_taken_away(tuesday: None, site: Flask) -> None:
    client = site.test_client()
    client.set_cookie("zone", "Europe/Berlin")
    page = client.get("/search?q=router&category=it&price=free&date=2026-11-25&time=15:30&around=60&language=en").text
    chips = re.findall(r'<a class="chip chip--out" href="([^"]+)"', page)
    assert len(chips) == 4
    assert "Wed 25 Nov, 15:30" in page.replace(",", "").replace("Nov 15", "Nov, 15") or "15:30" in page
    without_price = next(html.unescape(link) for link in chips if "price=" not in link)
    assert "q=router" in without_price
    assert "date=2026-11-25" in without_price
    assert "1 helpout" in page


@pytest.mark.parametrize(
    "query",
    [
        "date=nonsense&time=25:99",
        "time=15:30",
        "date=0001-01-01&time=00:00",
        "date=9999-12-31&time=23:59&around=99999999",
        "now=yes&price_max=-5&rating_min=99&page=-1",
        "sub=%00&category=%00&f_x=%00",
        "date=2026-03-29&time=02:30",
    ],
)
def test_a_search_takes_any_question(site: Flask, query: str) -> None:
    client = site.test_client()
    client.set_cookie("zone", "Europe/Berlin")
    assert client.get(f"/search?{query}").status_code == 200
    assert client.get(f"/c/it?{query}").status_code == 200


def test_a_time_that_cannot_be_meant_is_said(site: Flask) -> None:
    clock.set(TUESDAY)
    client = site.test_client()
    assert "it was left out of the search" in client.get("/search?date=tomorrow").text
    assert "This time is over" in client.get("/search?date=2026-11-23&time=10:00").text
    assert "This time is over" not in client.get("/search?date=2026-11-25&time=10:00").text


def test_an_empty_result_offers_to_ask_and_to_be_told(site: Flask, enter: Callable[..., FlaskClient]) -> None:
    page = site.test_client().get("/search?q=xyzzyplugh&category=it").text
    assert "/requests/new?title=xyzzyplugh&amp;topic=it" in page
    assert "/account/searches/new?q=xyzzyplugh&amp;category=it" in page
    assert 'method="post" action="/account/searches/new?' in enter("clara").get("/search?q=xyzzyplugh").text


def test_one_click_saves_the_search_under_a_name_of_its_own(
    enter: Callable[..., FlaskClient], runtime: Runtime
) -> None:
    client = enter("clara")
    path = "/account/searches/new?q=xyzzy&category=it&price=free"
    answer = client.post(path, data={"csrf_token": token(client, "/search?q=xyzzy")})
    assert answer.status_code == 303
    with runtime.database.read() as db:
        row = db.scalars(select(SavedSearch)).unique().one()
        assert (row.name, row.category, row.price) == ("“xyzzy” · Information technology · Free", "it", "free")
    assert "xyzzy" in client.get("/account/searches").text


def test_a_visitor_signs_in_on_the_way_to_saving(site: Flask, enter: Callable[..., FlaskClient]) -> None:
    answer = site.test_client().get("/account/searches/new?q=router")
    assert answer.status_code == 302
    assert "next=" in answer.headers["Location"]
    assert "“router”" in enter("clara").get("/account/searches/new?q=router").text


def test_a_saved_search_is_renamed_paused_and_deleted_by_its_owner_alone(
    enter: Callable[..., FlaskClient], runtime: Runtime, world: dict[str, Any]
) -> None:
    with runtime.database.write() as db:
        row_id = saved.save(db, db.get_one(User, world["clara_id"]), SearchRequest(q="tap"), "Taps").id
    clara, jonas = enter("clara"), enter("jonas")
    path = f"/account/searches/{row_id}"
    stranger = {"csrf_token": token(jonas, "/account/profile")}
    assert jonas.post(f"{path}/delete", data=stranger).status_code == 404
    csrf = {"csrf_token": token(clara, "/account/searches")}
    clara.post(f"{path}/rename", data={**csrf, "name": NASTY})
    clara.post(f"{path}/pause", data=csrf)
    page = clara.get("/account/searches").text
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert "Paused" in page
    clara.post(f"{path}/delete", data=csrf)
    assert "No saved searches" in clara.get("/account/searches").text


def test_looking_at_the_link_of_a_mail_changes_nothing_and_one_post_stops_it(
    site: Flask, runtime: Runtime, world: dict[str, Any]
) -> None:
    with runtime.database.write() as db:
        row = saved.save(db, db.get_one(User, world["clara_id"]), SearchRequest(q="tap"), "Taps")
        row_id, path = row.id, f"/alerts/stop/{saved.stop_token(db, row)}"
    anybody = site.test_client()
    assert "Stop these mails?" in anybody.get(path).text
    with runtime.database.read() as db:
        assert not db.get_one(SavedSearch, row_id).paused
    answer = anybody.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200, "without a session and without a token, as RFC 8058 has it"
    with runtime.database.read() as db:
        assert db.get_one(SavedSearch, row_id).paused
    assert anybody.get(path[:-1]).status_code == 404


def test_what_a_visitor_wrote_is_there_after_the_sign_in(
    site: Flask, enter: Callable[..., FlaskClient], runtime: Runtime
) -> None:
    client = site.test_client()
    sent = {"csrf_token": token(client, "/requests/new"), **request_form()}
    answer = client.post("/requests/new", data=sent)
    assert answer.status_code == 303
    assert "/login" in answer.headers["Location"]
    enter("clara", client, answer.headers["Location"])
    page = client.get("/requests/new").text
    assert "My printer hides from the Wi-Fi" in page
    assert "This is what you wrote" in page
    done = client.post("/requests/new", data={"csrf_token": token(client, "/requests/new"), **request_form()})
    assert done.status_code == 303
    with runtime.database.read() as db:
        posted = db.scalars(select(HelpRequest)).unique().one()
        assert (posted.category, posted.subcategory, posted.budget_minor) == ("it", "networks", 2000)
        assert done.headers["Location"] == f"/requests/{posted.public_id}"
    assert "This is what you wrote" not in client.get("/requests/new").text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"topic": ""}, "topic"),
        ({"topic": "it/none"}, "topic"),
        ({"title": "x"}, "title"),
        ({"text": "call 0171 23456789 please, it is urgent"}, "text"),
        ({"timing": "dates"}, "day_from"),
        ({"timing": "someday"}, "timing"),
        ({"budget": "a lot"}, "budget"),
        ({"language": "tlh"}, "language"),
    ],
)
def test_a_visitors_mistakes_are_said_before_the_sign_in(site: Flask, changes: dict[str, str], field: str) -> None:
    client = site.test_client()
    sent = {"csrf_token": token(client, "/requests/new"), **request_form(**changes)}
    answer = client.post("/requests/new", data=sent)
    assert answer.status_code == 400
    assert f'href="#{field}"' in answer.text


def test_an_expert_answers_from_the_board_and_the_customer_books_from_it(
    enter: Callable[..., FlaskClient], runtime: Runtime, world: dict[str, Any]
) -> None:
    clara, jonas = enter("clara"), enter("jonas")
    sent = {"csrf_token": token(clara, "/requests/new"), **request_form(text=f"It says {NASTY} and then it stops.")}
    mine = clara.post("/requests/new", data=sent).headers["Location"]
    board = jonas.get("/expert/requests").text
    assert "My printer hides from the Wi-Fi" in board
    assert "Clara B." in board
    assert "Berg" not in board
    path = f"/expert{mine}"
    assert NASTY not in jonas.get(path).text
    bad = jonas.post(path, data={"csrf_token": token(jonas, path), "listing": "", "text": ""})
    assert bad.status_code == 400
    form = {"listing": str(world["listing"]), "day": "2026-12-01", "time": "10:00", "text": "I know this lamp."}
    clock.set(TUESDAY)
    assert jonas.post(path, data={"csrf_token": token(jonas, path), **form}).status_code == 303
    with runtime.database.read() as db:
        given = db.scalars(select(RequestAnswer)).unique().one()
        assert given.starts_at == datetime(2026, 12, 1, 9, 0, tzinfo=UTC), "the expert's zone is Europe/Berlin"
    page = clara.get(mine).text
    assert f"/book/{world['listing']}?start=2026-12-01T09:00:00Z" in page.replace("%3A", ":")
    assert "I know this lamp." in page
    assert jonas.get(mine).status_code == 404
    clara.post(f"{mine}/close", data={"csrf_token": token(clara, mine)})
    assert jonas.get("/expert/requests").text.count("My printer hides") == 0
    assert "Your answer" in jonas.get(path).text


def test_the_board_is_for_experts(site: Flask, enter: Callable[..., FlaskClient]) -> None:
    assert site.test_client().get("/expert/requests").status_code == 302
    assert enter("clara").get("/expert/requests").status_code == 403


def test_pages_know_their_neighbours(site: Flask, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        expert = db.scalars(select(Listing)).unique().one().expert
        for number in range(49):
            make_listing(db, expert, title=f"Offer {number}")
    page = site.test_client().get("/search?category=it&page=2").text
    assert "Page 2 of 3" in page
    assert re.search(r'<link rel="prev" href="[^"]*category=it[^"]*page=1"', page)
    assert re.search(r'<link rel="next" href="[^"]*category=it[^"]*page=3"', page)
