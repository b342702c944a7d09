"""Posted requests: what may be posted, who sees it, who may answer, and how it ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpouts.accounts.export import export_data
from helpouts.audit.actor import Actor
from helpouts.audit.models import AuditEntry, Transition
from helpouts.catalog.records import SearchRequest
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.jobs.models import Job
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user
from helpouts.wishes import answers, moderation, requests, saved

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def good(**changes: Any) -> dict[str, Any]:
    return {
        "category": "it",
        "subcategory": "networks",
        "title": "My printer hides from the Wi-Fi",
        "text": "It worked until yesterday. The lamp blinks twice and nothing prints any more.",
        "language": "de",
        "budget_minor": 2000,
        "timing": "week",
    } | changes


def as_expert(expert: Any) -> Actor:
    return Actor("expert", expert.owner.id, expert.owner.email)


def mails(db: Any, template: str) -> list[dict[str, Any]]:
    sent = db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return [job.payload for job in sent if job.payload["template"] == template]


def test_an_expert_of_the_field_answers_with_a_listing_and_a_time(db, clara, jonas):
    request = requests.post(db, clara, good(), "UTC")
    listing = make_listing(db, jonas, pricing="free", price_minor=0)
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    given = answers.answer(
        db, request, jonas, as_expert(jonas), listing_id=listing.id, starts_at=start, text="I know this lamp."
    )
    assert request.state == "answered"
    assert (given.listing, given.starts_at) == (listing, start)
    mail = mails(db, "request_answered")[0]
    assert mail["to"] == clara.email
    assert listing.title in mail["body"]
    assert f"/requests/{request.public_id}" in mail["body"]
    step = db.scalar(select(Transition).where(Transition.machine == "help_request"))
    assert (step.event, step.source, step.target) == ("answer", "open", "answered")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"category": "cooking"}, "category"),
        ({"category": ""}, "category"),
        ({"subcategory": "piano"}, "subcategory"),
        ({"title": "Short"}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"title": "Call me: 0171 2345678"}, "title"),
        ({"text": "Too short."}, "text"),
        ({"text": "long " * 400}, "text"),
        ({"text": "Write to clara@example.org, I will answer at once."}, "text"),
        ({"text": "a\x00" * 20}, "text"),
        ({"language": "tlh-x"}, "language"),
        ({"budget_minor": -1}, "budget"),
        ({"budget_minor": "20"}, "budget"),
        ({"timing": "never"}, "timing"),
        ({"timing": "dates"}, "day_from"),
        ({"timing": "dates", "day_from": date(2026, 11, 22)}, "day_from"),
        ({"timing": "dates", "day_from": date(2026, 11, 25), "day_until": date(2026, 11, 24)}, "day_until"),
        ({"timing": "dates", "day_from": date(2026, 11, 25), "day_until": date(2027, 11, 24)}, "day_until"),
    ],
)
@one_database
def test_what_is_wrong_is_said_at_the_field(db, clara, changes, field):
    clock.set(MONDAY)
    with pytest.raises(HelpoutsError) as caught:
        requests.post(db, clara, good(**changes), "UTC")
    assert caught.value.field == field


@pytest.mark.parametrize(
    "text",
    [
        "mail me at a.b@c.de",
        "a.b (at) c (dot) de",
        "call +49 171 2345678",
        "030/1234567-89",
        "see https://example.org/x",
        "my page is www.example.org",
        "find me on example.com",
        "WhatsApp is easier",
        "pay by PayPal",
    ],
)
def test_ways_around_the_site_are_refused(text):
    with pytest.raises(HelpoutsError, match="Leave out"):
        moderation.check(text, "text")


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-24 and on 24.11.2026 from 10-12 o'clock",
        "Windows 11 24H2, 10.0.26100.2314, error 0x80070057",
        "The router shows 192.168.178.1 and costs 1.299,00 EUR",
        "It was 25.50. Then 30.",
        "Node.js and ASP.NET",
        "Seite 12/13, Modell 7590",
    ],
)
def test_figures_and_names_are_not_taken_for_contacts(text):
    assert moderation.check(text, "text") == text


def test_days_are_meant_in_the_customers_zone(db, clara):
    clock.set(datetime(2026, 11, 23, 23, 30, tzinfo=UTC))
    wish = good(timing="dates", day_from=date(2026, 11, 23))
    with pytest.raises(HelpoutsError, match="over"):
        requests.post(db, clara, wish, "Europe/Berlin")
    assert requests.post(db, clara, wish, "America/New_York").day_until == date(2026, 11, 23)


def test_there_is_a_most_a_day_and_a_most_at_the_same_time(db, clara):
    clock.set(MONDAY)
    for _number in range(requests.MOST_A_DAY):
        requests.post(db, clara, good(), "UTC")
    with pytest.raises(HelpoutsError, match="come back tomorrow"):
        requests.post(db, clara, good(), "UTC")
    clock.set(MONDAY + timedelta(hours=24))
    for _number in range(requests.MOST_OPEN - requests.MOST_A_DAY):
        requests.post(db, clara, good(), "UTC")
    with pytest.raises(HelpoutsError, match="close one"):
        requests.post(db, clara, good(), "UTC")


def test_the_board_shows_what_the_expert_is_vetted_for(db, clara, jonas):
    mine = requests.post(db, clara, good(), "UTC")
    requests.post(db, clara, good(category="fashion", subcategory=""), "UTC")
    requests.post(db, jonas.owner, good(), "UTC")
    gone = requests.post(db, clara, good(), "UTC")
    requests.finish(db, gone, "withdraw", Actor("customer", clara.id))
    shown, pages = answers.board(db, jonas)
    assert (shown, pages, answers.open_count(db, jonas)) == ([mine], 1, 1)
    with pytest.raises(NotFound):
        answers.for_expert(db, jonas, gone.public_id)
    jonas.state = "suspended"
    assert answers.board(db, jonas) == ([], 1)


def test_only_the_experts_of_the_field_answer_and_once(db, clara, jonas):
    request = requests.post(db, clara, good(), "UTC")
    stranger = make_expert(db, "Fay Modern", "fashion", paid=False)
    words = "I have seen this many times, let us look together."
    with pytest.raises(NotAllowed):
        answers.answer(db, request, stranger, as_expert(stranger), text=words)
    with pytest.raises(NotAllowed):
        answers.answer(db, request, jonas, as_expert(stranger), text=words)
    answers.answer(db, request, jonas, as_expert(jonas), text=words)
    with pytest.raises(Conflict, match="already"):
        answers.answer(db, request, jonas, as_expert(jonas), text=words)


def test_an_answer_offers_something(db, clara, jonas):
    request = requests.post(db, clara, good(), "UTC")
    listing = make_listing(db, jonas)
    other = make_listing(db, make_expert(db, "Bo Gear", paid=False))
    someday = clock.now().replace(second=7, microsecond=0) + timedelta(days=1)
    for values, field in (
        ({}, "text"),
        ({"text": "Yes."}, "text"),
        ({"text": "Call 0171 23456789 and we are done."}, "text"),
        ({"listing_id": other.id}, "listing"),
        ({"listing_id": 999_999}, "listing"),
        ({"starts_at": someday}, "listing"),
        ({"listing_id": listing.id, "starts_at": someday}, "start"),
        ({"listing_id": listing.id, "text": "x" * 1001}, "text"),
    ):
        with pytest.raises(HelpoutsError) as caught:
            answers.answer(db, request, jonas, as_expert(jonas), **values)
        assert caught.value.field == field, values
    assert request.state == "open"


@one_database
def test_a_request_has_enough_answers_at_some_point(db, clara):
    request = requests.post(db, clara, good(), "UTC")
    words = "I have seen this many times, let us look together."
    for number in range(answers.MOST_ANSWERS):
        expert = make_expert(db, f"Expert{number} Weber", paid=False)
        answers.answer(db, request, expert, as_expert(expert), text=words)
    late = make_expert(db, "Late Weber", paid=False)
    with pytest.raises(Conflict, match="enough"):
        answers.answer(db, request, late, as_expert(late), text=words)


@one_database
def test_an_expert_answers_so_many_a_day(db, jonas, monkeypatch):
    monkeypatch.setattr(answers, "MOST_A_DAY", 1)
    first, second = (requests.post(db, make_user(db, name), good(), "UTC") for name in ("Ann A", "Ben B"))
    words = "I have seen this many times, let us look together."
    answers.answer(db, first, jonas, as_expert(jonas), text=words)
    with pytest.raises(HelpoutsError, match="go on tomorrow"):
        answers.answer(db, second, jonas, as_expert(jonas), text=words)


def test_a_request_ends_after_two_weeks(db, clara, jonas):
    clock.set(MONDAY)
    request = requests.post(db, clara, good(), "UTC")
    clock.set(MONDAY + timedelta(days=14) - timedelta(minutes=1))
    requests.sweep(db, {})
    assert request.state == "open"
    clock.set(MONDAY + timedelta(days=14))
    assert answers.board(db, jonas)[0] == []
    requests.sweep(db, {})
    assert request.state == "expired"
    assert mails(db, "request_expired")[0]["to"] == clara.email
    with pytest.raises(Conflict):
        answers.answer(db, request, jonas, as_expert(jonas), text="I have seen this many times, let us look together.")


def test_a_request_is_closed_when_its_customer_books_an_answer(db):
    customer, expert = make_customer(db), make_expert(db)
    listing = make_listing(db, expert)
    request = requests.post(db, customer, good(), "UTC")
    answers.answer(db, request, expert, as_expert(expert), listing_id=listing.id)
    requests.sweep(db, {})
    assert request.state == "answered"
    make_booking(db, listing, customer)
    requests.sweep(db, {})
    assert request.state == "closed"


@pytest.mark.parametrize(("event", "state"), [("close", "closed"), ("withdraw", "withdrawn")])
@one_database
def test_the_customer_ends_it(db, clara, event, state):
    request = requests.post(db, clara, good(), "UTC")
    requests.finish(db, request, event, Actor("customer", clara.id))
    assert request.state == state
    with pytest.raises(Conflict):
        requests.finish(db, request, event, Actor("customer", clara.id))


def test_an_operator_removes_a_request_with_a_reason_that_is_told_and_audited(db, clara, operator):
    request = requests.post(db, clara, good(), "UTC")
    with pytest.raises(HelpoutsError, match="reason"):
        requests.remove(db, request, " ", operator)
    with pytest.raises(NotAllowed):
        requests.remove(db, request, "I do not like it.", Actor("customer", clara.id))
    requests.remove(db, request, "This is an advertisement.", operator)
    assert (request.state, request.reason) == ("removed", "This is an advertisement.")
    assert "This is an advertisement." in mails(db, "request_removed")[0]["body"]
    assert db.scalar(select(AuditEntry).where(AuditEntry.action == "help_request.remove")) is not None


def test_a_request_is_its_writers_own(db, clara, jonas):
    request = requests.post(db, clara, good(), "UTC")
    assert requests.own_request(db, clara.id, request.public_id) is request
    with pytest.raises(NotFound):
        requests.own_request(db, jonas.owner.id, request.public_id)


def test_people_get_what_they_wrote_in_their_export(db, clara, jonas):
    request = requests.post(db, clara, good(), "UTC")
    saved.save(db, clara, SearchRequest(q="router"), "Routers")
    answers.answer(db, request, jonas, as_expert(jonas), text="I have seen this many times, let us look together.")
    found = export_data(db, clara)
    assert found["saved_searches"][0]["query"] == {"q": ["router"]}
    assert found["help_requests"][0]["title"] == request.title
    assert export_data(db, jonas.owner)["request_answers"][0]["text"].startswith("I have seen")
