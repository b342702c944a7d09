"""Saved searches: what is kept, what fits, and which mails leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import select

from helpouts.audit.actor import SYSTEM
from helpouts.catalog import service as catalog
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.records import SearchRequest
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotFound
from helpouts.jobs.models import Job
from helpouts.mail.service import compose
from helpouts.runtime import runtime_of
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule
from helpouts.testing.factories import make_expert, make_listing, make_user
from helpouts.wishes import digest, matching, saved
from helpouts.wishes.models import SavedSearch, SavedSearchHit

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def waiting(db: Any) -> set[int]:
    """Listings that the next mails would tell of."""
    return set(db.scalars(select(SavedSearchHit.listing_id).where(SavedSearchHit.told_at.is_(None))))


def mails(db: Any) -> list[Job]:
    chosen = select(Job).where(Job.kind == "mail.send").order_by(Job.id)
    return [job for job in db.scalars(chosen) if job.payload["template"] == "search_alert"]


def match(db: Any, listing: Listing) -> None:
    matching.match(db, {"listing": listing.id})


def test_a_listing_that_goes_live_becomes_a_mail(db, clara, jonas, operator, drain):
    saved.save(db, clara, SearchRequest(q="wireless router", category="it"), "My router")
    listing = make_listing(db, jonas, state="in_review", pricing="free", price_minor=0, title="Tame a wireless router")
    catalog.approve(db, listing, operator)
    db.commit()
    drain()
    digest.send_due(db, {})
    mail = mails(db)[0].payload
    assert mail["to"] == clara.email
    assert mail["subject"] == "1 new helpout for “My router”"
    assert "Tame a wireless router" in mail["body"]
    assert f"/l/{listing.slug}" in mail["body"]
    assert "/search?q=wireless+router&category=it" in mail["body"]


def test_what_was_on_the_screen_when_the_search_was_saved_is_no_news(db, clara, jonas):
    old = make_listing(db, jonas, title="Router of old")
    saved.save(db, clara, SearchRequest(q="router"), "Routers")
    match(db, old)
    assert waiting(db) == set()
    new = make_listing(db, jonas, title="Router of today")
    match(db, new)
    assert waiting(db) == {new.id}


def test_nobody_hears_of_the_same_listing_twice(db, clara, jonas):
    saved.save(db, clara, SearchRequest(category="it"), "Anything")
    listing = make_listing(db, jonas)
    for _again in range(3):
        match(db, listing)
        digest.send_due(db, {})
        clock.set(clock.now() + timedelta(days=2))
    assert len(mails(db)) == 1


def test_a_search_writes_once_a_day_and_gathers_meanwhile(db, clara, jonas):
    clock.set(MONDAY)
    saved.save(db, clara, SearchRequest(category="it"), "Anything")
    for hour, title in ((0, "The first"), (1, "The second"), (23, "The third")):
        clock.set(MONDAY + timedelta(hours=hour))
        match(db, make_listing(db, jonas, title=title))
        digest.send_due(db, {})
    assert [job.payload["subject"] for job in mails(db)] == ["1 new helpout for “Anything”"]
    clock.set(MONDAY + timedelta(hours=24))
    digest.send_due(db, {})
    assert [job.payload["subject"] for job in mails(db)][1:] == ["2 new helpouts for “Anything”"]
    assert waiting(db) == set()


def test_a_mail_shows_ten_and_says_how_many_more(db, clara, jonas):
    search = saved.save(db, clara, SearchRequest(category="it"), "Anything")
    for number in range(13):
        match(db, make_listing(db, jonas, title=f"Offer {number}"))
    digest.send_due(db, {})
    body = mails(db)[0].payload["body"]
    assert body.count("/l/listing-") == 10
    assert "There are 3 more." in body
    assert search.mailed_at is not None
    assert waiting(db) == set()


def test_the_mail_is_in_the_receivers_language_and_zone(db, jonas):
    clock.set(MONDAY)
    receiver = make_user(db, "Klara Berg", locale="de")
    receiver.zone = "America/New_York"
    saved.save(db, receiver, SearchRequest(category="it"), "Hilfe")
    save_schedule(db, jonas.owner.id, "UTC", [WeeklyRule(1, 15 * 60, 16 * 60)], minimum_notice_minutes=0)
    match(db, make_listing(db, jonas, pricing="fixed", price_minor=2500))
    digest.send_due(db, {})
    body = mails(db)[0].payload["body"]
    assert "25,00\N{NO-BREAK SPACE}€" in body
    assert "10:00" in body, "15:00 UTC on that Tuesday"


def test_the_mail_can_be_stopped_by_the_mail_program(runtime, db, clara, jonas):
    search = saved.save(db, clara, SearchRequest(category="it"), "Anything")
    match(db, make_listing(db, jonas))
    digest.send_due(db, {})
    job = mails(db)[0]
    raw = bytes(compose(runtime.config, job.id, job.payload))
    mail = message_from_bytes(raw, policy=policy.default)
    address = mail["List-Unsubscribe"]
    assert address.startswith("<http")
    assert f"List-Unsubscribe: {address}".encode() in raw, "in one piece, as RFC 8058 wants it"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = address.rstrip(">").rpartition("/")[2]
    assert saved.by_stop_token(db, token) is search


@pytest.mark.parametrize("token", ["", "x", "1", "MQ.abc", "../1"])
@one_database
def test_a_link_that_we_did_not_make_stops_nothing(db, clara, token):
    saved.save(db, clara, SearchRequest(category="it"), "Anything")
    with pytest.raises(NotFound):
        saved.by_stop_token(db, token)


@pytest.mark.parametrize(
    ("request_", "fits"),
    [
        ({"q": "router"}, True),
        ({"q": "ROUTER wireless"}, True),
        ({"q": "printer"}, False),
        ({"q": "router printer"}, False),
        ({"q": "Netze"}, False),
        ({"q": "Jonas"}, True),
        ({"q": "routers"}, True),
        ({"category": "it"}, True),
        ({"category": "fashion"}, False),
        ({"category": "it", "subcategory": "networks"}, True),
        ({"category": "it", "subcategory": "printers"}, False),
        ({"language": "en"}, True),
        ({"language": "fr"}, False),
        ({"price": "paid", "q": "router"}, True),
        ({"price": "free", "q": "router"}, False),
        ({"price_max": 2500}, True),
        ({"price_max": 2400}, False),
        ({"rating_min": 4}, True),
        ({"rating_min": 5}, False),
        ({"category": "it", "facets": {"system": ["windows", "linux"]}}, True),
        ({"category": "it", "facets": {"system": ["macos"]}}, False),
    ],
)
@one_database
def test_a_listing_fits_as_the_search_page_would_have_it(db, clara, jonas, request_, fits):
    saved.save(db, clara, SearchRequest(**request_), "Mine")
    listing = make_listing(db, jonas, fields={"system": ["windows"]}, rating_sum=9, rating_count=2)
    match(db, listing)
    assert (waiting(db) == {listing.id}) is fits


def test_who_asks_for_a_time_hears_when_somebody_becomes_free_then(db, clara, jonas, drain):
    clock.set(MONDAY)
    wish = MONDAY + timedelta(days=1, hours=2)
    save_schedule(db, jonas.owner.id, "UTC", [WeeklyRule(4, 600, 720)], minimum_notice_minutes=0)
    listing = make_listing(db, jonas, title="Tame a router")
    search = saved.save(db, clara, SearchRequest(q="router"), "Tomorrow at eleven")
    search.free_from, search.free_until = wish - timedelta(hours=1), wish + timedelta(hours=1)
    db.execute(SavedSearchHit.__table__.delete())
    match(db, listing)
    assert waiting(db) == set(), "works on Fridays only"
    save_schedule(db, jonas.owner.id, "UTC", [WeeklyRule(1, 660, 700)], minimum_notice_minutes=0)
    db.commit()
    matching.freed(db, [jonas.owner.id])
    db.commit()
    drain()
    assert waiting(db) == {listing.id}


def test_changed_hours_are_no_work_while_nobody_asks_for_a_time(db, clara, jonas):
    saved.save(db, clara, SearchRequest(q="router"), "Any time")
    matching.freed(db, [jonas.owner.id])
    assert db.scalar(select(Job).where(Job.kind == "wishes.freed")) is None


def test_a_search_whose_time_has_passed_is_over(db, clara, jonas):
    clock.set(MONDAY)
    search = saved.save(db, clara, SearchRequest(q="router"), "Today")
    search.free_from = search.free_until = MONDAY + timedelta(hours=1)
    assert not saved.is_over(search)
    clock.set(MONDAY + timedelta(hours=2))
    assert saved.is_over(search)
    match(db, make_listing(db, jonas))
    assert waiting(db) == set()


def test_a_paused_search_gathers_nothing_and_writes_nothing(db, clara, jonas):
    search = saved.save(db, clara, SearchRequest(category="it"), "Anything")
    match(db, make_listing(db, jonas, title="Before the pause"))
    search.paused = True
    match(db, make_listing(db, jonas, title="During the pause"))
    digest.send_due(db, {})
    assert mails(db) == []
    assert len(waiting(db)) == 1


def test_experts_do_not_hear_of_their_own_listings(db, jonas):
    saved.save(db, jonas.owner, SearchRequest(category="it"), "My competition")
    match(db, make_listing(db, jonas))
    other = make_listing(db, make_expert(db, "Bo Gear", paid=False))
    match(db, other)
    assert waiting(db) == {other.id}


def test_what_left_the_site_before_the_mail_is_not_told_and_may_come_back(db, clara, jonas, operator):
    saved.save(db, clara, SearchRequest(category="it"), "Anything")
    listing = make_listing(db, jonas)
    match(db, listing)
    catalog.suspend(db, listing, "We look into it.", operator)
    digest.send_due(db, {})
    assert mails(db) == []
    listing.state = "live"
    match(db, listing)
    digest.send_due(db, {})
    assert len(mails(db)) == 1


def test_people_who_are_locked_out_get_no_mail(db, clara, jonas):
    saved.save(db, clara, SearchRequest(category="it"), "Anything")
    match(db, make_listing(db, jonas))
    clara.active = False
    digest.send_due(db, {})
    assert mails(db) == []


def test_the_same_search_is_kept_once_and_wakes_up_again(db, clara):
    first = saved.save(db, clara, SearchRequest(q="router", sort="price", page=3), "Routers")
    first.paused = True
    assert saved.save(db, clara, SearchRequest(q=" router "), "Other name") is first
    assert (first.name, first.paused) == ("Routers", False)
    assert saved.save(db, clara, SearchRequest(q="router", price="free"), "Free ones") is not first


@one_database
def test_there_is_a_most_and_an_empty_search_is_none(db, clara):
    with pytest.raises(HelpoutsError, match="Look for something first"):
        saved.save(db, clara, SearchRequest(sort="price"), "Nothing")
    for number in range(saved.MOST_SEARCHES):
        saved.save(db, clara, SearchRequest(q=f"word{number}"), f"Search {number}")
    with pytest.raises(HelpoutsError, match="delete one"):
        saved.save(db, clara, SearchRequest(q="one too many"), "Too many")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
@one_database
def test_a_name_is_a_short_line(db, clara, name):
    with pytest.raises(HelpoutsError) as caught:
        saved.save(db, clara, SearchRequest(q="router"), name)
    assert caught.value.field == "name"


@one_database
def test_ten_thousand_searches_take_a_handful_of_queries(db, jonas, count_statements):
    user = make_user(db, "Many Wishes")
    rows = [
        {
            "user_id": user.id,
            "name": "n",
            "key": str(number),
            "category": "it" if number % 2 else "",
            "query": {"q": [f"word{number}" if number % 100 else "router"]},
        }
        for number in range(10_000)
    ]
    db.execute(SavedSearch.__table__.insert(), rows)
    listing = make_listing(db, jonas)
    assert count_statements(lambda: match(db, listing)) < 30
    assert db.scalar(select(SavedSearchHit.listing_id)) == listing.id
    assert len(db.scalars(select(SavedSearchHit)).all()) == 100


def test_a_listing_of_a_field_that_is_off_is_for_nobody(db, clara, jonas):
    from helpouts.plugins.service import set_enabled

    saved.save(db, clara, SearchRequest(q="router"), "Routers")
    listing = make_listing(db, jonas)
    set_enabled(db, "category_it", False, SYSTEM)
    match(db, listing)
    assert waiting(db) == set()
    assert db.get_one(Expert, jonas.id).state == "active"
    assert runtime_of(db).registry.categories(db)
