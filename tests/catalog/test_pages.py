"""The public pages and the experts' own, as browsers see them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shop import make_expert, make_listing, make_review, make_user
from sqlalchemy import select

from helpouts.accounts import passwords
from helpouts.accounts.service import create_user
from helpouts.audit.actor import SYSTEM
from helpouts.catalog import service
from helpouts.catalog.cards import expert_path, listing_path
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.plugins.service import set_enabled
from helpouts.runtime import Runtime
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule, schedule_of
from helpouts.web.app import create_app

PASSWORD = "seven purple llamas"
NASTY = "<script>alert('x')</script><b>\" onload="
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
#: For what never reaches the database, whichever it is: half of the time for the same knowledge.
WITHOUT_POSTGRESQL = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def site(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, with a bicycle expert who works on weekdays."""
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    clock.set(MONDAY)
    with runtime.database.write() as db:
        user = create_user(
            db, "ada@example.org", PASSWORD, "Ada Wrench", ("expert",), confirmed=True, zone="Europe/Berlin"
        )
        expert = Expert(slug="ada-wrench", name="Ada Wrench", headline="Bicycles and clocks", languages=["en"])
        expert.members = [ExpertMember(user_id=user.id, role="owner")]
        expert.categories = [ExpertCategory(category="repair")]
        db.add(expert)
        db.flush()
        save_schedule(db, user.id, "Europe/Berlin", [WeeklyRule(day, 540, 720) for day in range(5)])
        make_listing(
            db, expert, "True a bicycle wheel", description="First line.\n\nSecond line.", summary="Round again"
        )
    return create_app(runtime)


@pytest.fixture
def visitor(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture
def ada(site: Flask) -> FlaskClient:
    """Ada, signed in."""
    client = site.test_client()
    answer = client.post("/login", data={**token(client, "/login"), "email": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def token(client: FlaskClient, path: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, f"no form on {path}"
    return {"csrf_token": found[1]}


def good_form(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Fix your bicycle brakes",
        "summary": "Brakes that brake.",
        "subcategory": "bikes",
        "description": "We look at your brakes together and adjust them step by step.",
        "requirements": "",
        "languages": ["en"],
        "field_level": "easy",
        "field_tools": ["spanner"],
        "field_years": "12",
        "pricing": "fixed",
        "price": "12,50",
        "currency": "EUR",
        "length_minutes": "30",
        "cancellation_policy": "moderate",
    } | changes


def errors_in(page: str) -> dict[str, str]:
    return dict(re.findall(r'class="field__error" id="([^"]+)-error">.*?<span>(.*?)</span>', page, re.S))


# -- the public side ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/search",
        "/search?q=wheel",
        "/search?q=%00&page=-1&price_max=99999999999999999999&rating_min=x&language=%00&sort=drop",
        "/search?q=" + "x" * 2000,
        "/search?page=1e9&category[]=repair&f_=1&f_level=%00",
        "/search?category=repair&f_level=easy&f_level=hard&f_tools=saw",
        "/search?q=%F0%9F%92%A9&rating_min=99",
        "/c/repair",
        "/c/repair?sub=clocks&sort=next_free&price=free&price_max=20",
        "/l/true-a-bicycle-wheel",
        "/l/true-a-bicycle-wheel?from=nonsense",
        "/l/true-a-bicycle-wheel?from=9999-12-31T23:59:59",
        "/l/true-a-bicycle-wheel?from=0001-01-01",
        "/e/ada-wrench",
        "/",
    ],
)
def test_public_pages_answer_whatever_the_address_says(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/c/nothing", "/c/..", "/l/nothing", "/e/nothing", "/l/999999/slots", "/c/%00"])
def test_what_is_not_there_is_not_found(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_the_addresses_of_cards_are_those_of_the_pages(site: Flask) -> None:
    with site.test_request_context():
        from flask import url_for

        assert url_for("catalog.listing", slug="a-b") == listing_path("a-b")
        assert url_for("catalog.expert", slug="a-b") == expert_path("a-b")


def test_a_listing_says_everything_and_offers_its_times(visitor: FlaskClient) -> None:
    visitor.set_cookie("zone", "America/New_York")
    page = visitor.get("/l/true-a-bicycle-wheel").text
    for text in ("True a bicycle wheel", "Ada Wrench", "Second line.", "Level", "Easy", "Checked: Repair", "New York"):
        assert text in page
    assert 'value="2026-11-23T08:00:00Z"' in page, "9 o'clock in Berlin, an hour from now"
    assert "3:00" in page, "which is 3 o'clock in New York"
    with_form = re.search(r'<form[^>]*action="(/book/\d+)"', page)
    assert with_form


def test_a_listing_tells_machines_what_it_is(visitor: FlaskClient) -> None:
    page = visitor.get("/l/true-a-bicycle-wheel").text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    assert found
    data = json.loads(found[1])
    assert (data["@type"], data["offers"]["price"], data["offers"]["priceCurrency"]) == ("Service", "0.00", "EUR")
    assert data["url"].endswith("/l/true-a-bicycle-wheel")
    assert 'property="og:title" content="True a bicycle wheel"' in page
    expert = visitor.get("/e/ada-wrench").text
    assert json.loads(re.search(r"ld\+json\">(.*?)</script>", expert, re.S)[1])["mainEntity"]["name"] == "Ada Wrench"  # type: ignore[index]  # it is there


def test_more_times_come_as_a_piece_of_page_or_as_json(visitor: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.read() as db:
        listing_id = db.scalars(select(Listing.id)).one()
    piece = visitor.get(f"/l/{listing_id}/slots?from=2026-12-07&days=7").text
    assert 'value="2026-12-07T08:00:00Z"' in piece
    assert "<html" not in piece
    answer = visitor.get(f"/l/{listing_id}/slots?from=2026-12-07&days=7", headers={"Accept": "application/json"}).json
    assert [day["date"] for day in answer["days"]] == [f"2026-12-{day:02}" for day in (7, 8, 9, 10, 11)]
    assert answer["days"][0]["slots"][0]["value"] == "2026-12-07T08:00:00Z"
    wide = visitor.get(f"/l/{listing_id}/slots?days=999", headers={"Accept": "application/json"}).json
    assert len(wide["days"]) <= 31


def test_somebody_who_is_always_free_does_not_fill_the_page(visitor: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        user_id = db.scalars(select(ExpertMember.user_id)).one()
        save_schedule(db, user_id, "UTC", [WeeklyRule(day, 0, 1440) for day in range(7)], step_minutes=5)
    seen: list[str] = []
    path = "/l/true-a-bicycle-wheel"
    for _page in range(4):
        page = visitor.get(path).text
        found = re.findall(r'name="start" value="([^"]+)"', page)
        assert 0 < len(found) <= 2 * 288
        seen += found
        path = html.unescape(re.findall(r'href="([^"]*from=[^"]*)#book"', page)[-1])
    assert len(seen) == len(set(seen)), "no time twice"
    gaps = {later - earlier for earlier, later in pairwise(map(datetime.fromisoformat, seen))}
    assert gaps == {timedelta(minutes=5)}, "and none left out"


def test_a_category_that_is_switched_off_pauses_its_listings_and_hides_its_page(
    visitor: FlaskClient, runtime: Runtime
) -> None:
    with runtime.database.write() as db:
        listing_id = db.scalars(select(Listing.id)).one()
        set_enabled(db, "category_repair", False, SYSTEM)
    assert visitor.get("/c/repair").status_code == 404
    assert "True a bicycle wheel" not in visitor.get("/search").text
    page = visitor.get("/l/true-a-bicycle-wheel")
    assert page.status_code == 200
    assert "are paused" in page.text
    assert "/book/" not in page.text
    assert "2026-11-24T08:00:00Z" not in page.text
    assert visitor.get(f"/l/{listing_id}/slots").status_code == 404
    with runtime.database.write() as db:
        set_enabled(db, "category_repair", True, SYSTEM)
    assert visitor.get("/c/repair").status_code == 200
    assert "/book/" in visitor.get("/l/true-a-bicycle-wheel").text


@pytest.mark.parametrize("state", ["draft", "in_review", "declined", "suspended", "retired"])
def test_strangers_do_not_see_what_is_not_live(
    visitor: FlaskClient, ada: FlaskClient, runtime: Runtime, state: str
) -> None:
    with runtime.database.write() as db:
        db.scalars(select(Listing)).one().state = state
    assert visitor.get("/l/true-a-bicycle-wheel").status_code == 404
    assert ada.get("/l/true-a-bicycle-wheel").status_code == 200
    assert "/book/" not in ada.get("/l/true-a-bicycle-wheel").text


def test_a_suspended_expert_is_gone(visitor: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        service.suspend_expert(db, db.scalars(select(Expert)).one(), "Several complaints.", SYSTEM)
    assert visitor.get("/e/ada-wrench").status_code == 404
    assert visitor.get("/l/true-a-bicycle-wheel").status_code == 404


def test_an_experts_picture_may_be_kept_until_it_changes(visitor: FlaskClient, runtime: Runtime) -> None:
    assert visitor.get("/e/ada-wrench/picture.svg").status_code == 404
    with runtime.database.write() as db:
        expert = db.scalars(select(Expert).where(Expert.slug == "ada-wrench")).one()
        expert.owner.avatar = "<svg xmlns='http://www.w3.org/2000/svg'/>"
    address = re.findall(r'src="(/e/ada-wrench/picture[^"]+)"', visitor.get("/e/ada-wrench").text)[0]
    answer = visitor.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "immutable" not in visitor.get("/e/ada-wrench/picture.svg?v=00000000").headers["Cache-Control"]
    with runtime.database.write() as db:
        db.scalars(select(Expert).where(Expert.slug == "ada-wrench")).one().state = "suspended"
    assert visitor.get(address).status_code == 404


def test_nothing_that_people_wrote_becomes_markup(visitor: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        nasty = make_expert(db, "Mallory", headline=NASTY, bio=NASTY)
        nasty.name = NASTY
        fields = {"level": "easy", "notes": NASTY}
        listing = make_listing(
            db, nasty, NASTY, slug="nasty", summary=NASTY, description=NASTY, requirements=NASTY, fields=fields
        )
        review = make_review(db, listing, make_user(db, "Eve"), 5, NASTY)
        review.reply = NASTY
    for path in ("/l/nasty", "/e/mallory", "/c/repair", "/search?q=alert", f"/search?q={NASTY}", "/"):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert '<b>"' not in page
        assert "alert" in page


# -- the experts' side -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/expert", "/expert/listings/new", "/expert/listings/1", "/expert/profile", "/expert/hours"]
)
def test_the_experts_pages_are_for_experts(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_a_new_listing_becomes_a_draft_and_is_handed_in(ada: FlaskClient, runtime: Runtime) -> None:
    sent = {**token(ada, "/expert/listings/new"), **good_form()}
    assert ada.post("/expert/listings/new", data=sent).status_code == 303
    with runtime.database.read() as db:
        listing = db.scalars(select(Listing).where(Listing.title == "Fix your bicycle brakes")).one()
        listing_id = listing.id
        assert (listing.state, listing.price_minor) == ("draft", 1250)
        assert listing.fields == {"tools": ["spanner"], "level": "easy", "years": 12, "remote": False}
    desk = ada.get("/expert").text
    assert "Hand in for review" in desk
    answer = ada.post(f"/expert/listings/{listing_id}/submit", data=token(ada, "/expert"))
    assert answer.status_code == 303
    assert "In review" in ada.get("/expert").text


@WITHOUT_POSTGRESQL
def test_a_listing_is_offered_in_several_lengths_and_its_page_lets_one_choose(
    ada: FlaskClient, runtime: Runtime
) -> None:
    more = {"more_lengths-0-minutes": "60", "more_lengths-0-price": "22", "more_lengths-1-minutes": "0"}
    sent = {**token(ada, "/expert/listings/new"), **good_form(**more)}
    assert ada.post("/expert/listings/new", data=sent).status_code == 303
    with runtime.database.write() as db:
        listing = db.scalars(select(Listing).where(Listing.title == "Fix your bicycle brakes")).one()
        assert listing.offered() == ((30, 1250), (60, 2200))
        listing.state, path, edit = "live", f"/l/{listing.slug}", f"/expert/listings/{listing.id}"
    assert re.search(r'<option selected value="60">', ada.get(edit).text)
    plain, long = ada.get(path).text, ada.get(f"{path}?length=60").text
    assert f'href="{path}?length=60#book"' in plain
    assert 'name="length"' not in plain
    assert '<input type="hidden" name="length" value="60">' in long
    assert long.count("slots-time__input") < plain.count("slots-time__input"), "an hour fits less often"
    assert 'name="length"' not in ada.get(f"{path}?length=45").text, "what is not offered is left out"


@WITHOUT_POSTGRESQL
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 300}, "title"),
        ({"title": "Short"}, "title"),
        ({"summary": "s" * 300}, "summary"),
        ({"description": "no"}, "description"),
        ({"description": "d" * 7000}, "description"),
        ({"requirements": "r" * 3000}, "requirements"),
        ({"subcategory": "piano"}, "subcategory"),
        ({"subcategory": ""}, "subcategory"),
        ({"languages": []}, "languages"),
        ({"languages": ["tlh-x"]}, "languages"),
        ({"field_level": ""}, "field_level"),
        ({"field_level": "impossible"}, "field_level"),
        ({"field_tools": ["hammer"]}, "field_tools"),
        ({"field_years": "many"}, "field_years"),
        ({"field_years": "-1"}, "field_years"),
        ({"field_notes": "n" * 500}, "field_notes"),
        ({"pricing": "auction"}, "pricing"),
        ({"price": ""}, "price"),
        ({"price": "a lot"}, "price"),
        ({"price": "-5"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "1e99"}, "price"),
        ({"price": "0.001"}, "price"),
        ({"price": "0.50"}, "price"),
        ({"more_lengths-0-minutes": "60", "more_lengths-0-price": ""}, "more_lengths"),
        ({"more_lengths-0-minutes": "60", "more_lengths-0-price": "9" * 20}, "more_lengths"),
        ({"more_lengths-0-minutes": "30", "more_lengths-0-price": "20"}, "more_lengths"),
        ({"currency": "XXX"}, "currency"),
        ({"length_minutes": "7"}, "length_minutes"),
        ({"length_minutes": "x"}, "length_minutes"),
        ({"cancellation_policy": "flexible"}, "cancellation_policy"),
    ],
)
def test_what_is_wrong_with_a_listing_is_said_at_the_field(
    ada: FlaskClient, runtime: Runtime, changes: dict[str, Any], field: str
) -> None:
    answer = ada.post("/expert/listings/new", data={**token(ada, "/expert/listings/new"), **good_form(**changes)})
    assert answer.status_code == 400
    assert list(errors_in(answer.text)) == [field]
    with runtime.database.read() as db:
        assert len(db.scalars(select(Listing)).all()) == 1


def test_a_nasty_listing_is_shown_back_as_text(ada: FlaskClient) -> None:
    sent = {**token(ada, "/expert/listings/new"), **good_form(title=NASTY * 9, description=NASTY)}
    page = ada.post("/expert/listings/new", data=sent).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_form_without_the_token_changes_nothing(ada: FlaskClient, runtime: Runtime) -> None:
    assert ada.post("/expert/listings/new", data=good_form()).status_code == 400
    with runtime.database.read() as db:
        listing_id = db.scalars(select(Listing.id)).one()
    assert ada.post(f"/expert/listings/{listing_id}/retire").status_code == 400
    assert ada.post("/expert/hours", data={"zone": "UTC"}).status_code == 400


def test_the_edit_of_a_live_listing_waits_and_can_be_taken_back(ada: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.read() as db:
        listing_id = db.scalars(select(Listing.id)).one()
    path = f"/expert/listings/{listing_id}"
    assert ada.post(path, data={**token(ada, path), **good_form(pricing="free", price="")}).status_code == 303
    assert "True a bicycle wheel" in ada.get("/l/true-a-bicycle-wheel").text
    assert "Changes in review" in ada.get("/expert").text
    assert 'value="Fix your bicycle brakes"' in ada.get(path).text, "the form goes on from what waits"
    ada.post(f"{path}/withdraw", data=token(ada, "/expert"))
    assert "Changes in review" not in ada.get("/expert").text


def test_the_reason_of_a_refusal_is_on_the_desk(ada: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        service.suspend(db, db.scalars(select(Listing)).one(), f"Because of {NASTY}", SYSTEM)
    page = ada.get("/expert").text
    assert "Because of &lt;script&gt;" in page
    assert "Suspended" in page


def test_nobody_touches_the_listings_of_others(ada: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.write() as db:
        other = make_listing(db, make_expert(db, "Bo Gear"), "Brakes for beginners").id
    csrf = hours_token(ada)
    assert ada.get(f"/expert/listings/{other}").status_code == 404
    for action in ("", "/submit", "/withdraw", "/retire"):
        assert ada.post(f"/expert/listings/{other}{action}", data={**csrf, **good_form()}).status_code == 404
    with runtime.database.read() as db:
        assert db.get_one(Listing, other).title == "Brakes for beginners"


def test_a_listing_is_retired_after_a_question(ada: FlaskClient, runtime: Runtime) -> None:
    with runtime.database.read() as db:
        listing_id = db.scalars(select(Listing.id)).one()
    page = f"/expert/listings/{listing_id}/retire"
    assert "for good" in ada.get(page).text
    ada.post(page, data=token(ada, page))
    with runtime.database.read() as db:
        assert db.get_one(Listing, listing_id).state == "retired"
    assert ada.get("/expert").status_code == 200


def test_the_profile_is_changed_and_checked(ada: FlaskClient) -> None:
    csrf = token(ada, "/expert/profile")
    bad = ada.post("/expert/profile", data={**csrf, "headline": "x", "bio": "b" * 5000})
    assert bad.status_code == 400
    assert set(errors_in(bad.text)) == {"headline", "bio", "languages"}
    good = {"headline": "Every bicycle there is", "bio": "Since 1999.", "languages": ["de"]}
    assert ada.post("/expert/profile", data={**csrf, **good}).status_code == 303
    assert "Every bicycle there is" in ada.get("/e/ada-wrench").text


# -- hours -----------------------------------------------------------------------------------------------------------


def hours_token(client: FlaskClient) -> dict[str, str]:
    """The token, and the version of the hours that the form was made for."""
    version = re.search(r'name="version" value="(\d+)"', client.get("/expert/hours").text)
    assert version is not None
    return {**token(client, "/expert/hours"), "version": version[1]}


def hours_form(**changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "zone": "Europe/Berlin",
        "step_minutes": "30",
        "buffer_before": "0",
        "buffer_after": "10",
        "minimum_notice_minutes": "120",
        "horizon_days": "30",
        "date": [],
    }
    for day in range(7):
        form |= {f"day{day}-from": ["", ""], f"day{day}-to": ["", ""]}
    return form | changes


def test_hours_are_saved_and_shown(ada: FlaskClient, runtime: Runtime) -> None:
    sent = hours_form(
        **{
            "day0-from": ["09:00", "14:00"],
            "day0-to": ["12:30", "00:00"],
            "date": ["2026-12-24", "2026-12-05", ""],
            "date0-off": "1",
            "date1-from": ["10:00"],
            "date1-to": ["11:00"],
            "season-day": ["6", "0"],
            "season-from": ["18:00", ""],
            "season-to": ["20:00", ""],
            "season-first": ["2027-06-01", ""],
            "season-last": ["2027-08-31", ""],
        }
    )
    assert ada.post("/expert/hours", data={**hours_token(ada), **sent}).status_code == 303
    with runtime.database.read() as db:
        row = schedule_of(db, db.scalars(select(ExpertMember.user_id)).one())
        week = [(h.weekday, h.start_minute, h.end_minute) for h in row.weekly]
        assert week == [(0, 540, 750), (0, 840, 1440), (6, 1080, 1200)]
        assert [(h.valid_from, h.valid_until) for h in row.weekly][2] == (date(2027, 6, 1), date(2027, 8, 31))
        assert {o.day.isoformat(): o.windows for o in row.overrides} == {
            "2026-12-24": [],
            "2026-12-05": [[600, 660]],
        }
        assert (row.buffer_after, row.minimum_notice_minutes, row.horizon_days) == (10, 120, 30)
    page = ada.get("/expert/hours").text
    for value in ("09:00", "12:30", "00:00", "2026-12-24", "18:00", "2027-08-31"):
        assert f'value="{value}"' in page


@WITHOUT_POSTGRESQL
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": ""}, "zone"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": NASTY}, "zone"),
        ({"day0-from": ["09:00", ""], "day0-to": ["", ""]}, "day0"),
        ({"day3-from": ["12:00", ""], "day3-to": ["09:00", ""]}, "day3"),
        ({"day3-from": ["09:00", ""], "day3-to": ["09:00", ""]}, "day3"),
        ({"day6-from": ["soon", ""], "day6-to": ["later", ""]}, "day6"),
        ({"day6-from": ["25:00", ""], "day6-to": ["26:00", ""]}, "day6"),
        ({"day1-from": ["09:00", "10:00"], "day1-to": ["11:00", "12:00"]}, "day1"),
        ({"day1-from": ["01:00"] * 50, "day1-to": ["02:00"] * 50}, "day1"),
        ({"date": ["2026-02-30"], "date0-off": "1"}, "date0"),
        ({"date": [NASTY], "date0-off": "1"}, "date0"),
        ({"date": ["2026-12-24"]}, "date0"),
        ({"date": ["2026-12-24", "2026-12-24"], "date0-off": "1", "date1-off": "1"}, "date1"),
        ({"date": ["2026-12-24"], "date0-from": ["9"], "date0-to": ["8"]}, "date0"),
        ({"date": [""], "date0-off": "1"}, "date0"),
        (
            {
                "season-day": "1",
                "season-from": "9",
                "season-to": "10",
                "season-first": "2027-02-02",
                "season-last": "2027-02-01",
            },
            "season0-dates",
        ),
        ({"horizon_days": "0"}, "horizon_days"),
        ({"horizon_days": "99999"}, "horizon_days"),
        ({"step_minutes": "7"}, "step_minutes"),
        ({"buffer_before": "-1"}, "buffer_before"),
        ({"buffer_after": ""}, "buffer_after"),
        ({"minimum_notice_minutes": "9" * 10}, "minimum_notice_minutes"),
    ],
)
def test_what_is_wrong_with_hours_is_said_at_its_place_and_saves_nothing(
    ada: FlaskClient, runtime: Runtime, changes: dict[str, Any], field: str
) -> None:
    answer = ada.post("/expert/hours", data={**hours_token(ada), **hours_form(**changes)})
    assert answer.status_code == 400
    assert set(errors_in(answer.text)) == {field}
    assert "<script>alert" not in answer.text
    with runtime.database.read() as db:
        assert schedule_of(db, db.scalars(select(ExpertMember.user_id)).one()).version == 1


def test_monday_is_copied_to_all_weekdays_without_saving(ada: FlaskClient, runtime: Runtime) -> None:
    sent = hours_form(**{"day0-from": ["07:15", ""], "day0-to": ["08:45", ""], "copy": "1"})
    page = ada.post("/expert/hours", data={**hours_token(ada), **sent})
    assert page.status_code == 200
    assert page.text.count('value="07:15"') == 5
    with runtime.database.read() as db:
        assert schedule_of(db, db.scalars(select(ExpertMember.user_id)).one()).version == 1


def test_dates_that_are_over_are_kept_but_not_shown(ada: FlaskClient, runtime: Runtime) -> None:
    sent = {**hours_token(ada), **hours_form(**{"date": ["2026-11-24"], "date0-off": "1"})}
    ada.post("/expert/hours", data=sent)
    clock.set(MONDAY + timedelta(days=3))
    assert "2026-11-24" not in ada.get("/expert/hours").text
    ada.post("/expert/hours", data={**hours_token(ada), **hours_form()})
    with runtime.database.read() as db:
        row = schedule_of(db, db.scalars(select(ExpertMember.user_id)).one())
        assert [override.day.isoformat() for override in row.overrides] == ["2026-11-24"]


def test_pages_take_few_queries(visitor: FlaskClient, runtime: Runtime, count_queries: Callable[..., int]) -> None:
    for path, most in (("/l/true-a-bicycle-wheel", 24), ("/search?q=wheel", 12), ("/c/repair", 12)):
        visitor.get(path)
        assert count_queries(lambda p=path: visitor.get(p)) <= most
