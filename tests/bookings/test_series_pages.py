"""The pages of series and of the wait-list."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from helpouts.bookings import service, waiting, waiting_views
from helpouts.bookings.models import Booking, BookingSeries
from helpouts.bookings.waiting_models import WaitlistEntry
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

from .conftest import one_database, submit

pytestmark = one_database
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def place(runtime):
    """(listing, customer, answers) of a listing for 25 EUR."""
    clock.set(NOW)
    with runtime.database.write() as db:
        listing, customer = make_listing(db, make_expert(db)), make_customer(db)
        given = {f"intake_{key}": value for key, value in answers(service.check_bookable(db, listing)).items()}
    return listing, customer, given


def fields(page):
    """What a browser would send of the selects and hidden fields of a page."""
    hidden = dict(re.findall(r'name="(\w+)" type="hidden" value="([^"]*)"', page))
    dates = {}
    for name, body in re.findall(r'<select id="[^"]+" name="(date-\d+)">(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', body)
        dates[name] = chosen[1] if chosen else ""
    return hidden | dates


def test_a_second_click_leads_to_the_same_series(runtime, browser, place):
    listing, customer, given = place
    client = browser(customer.id)
    sent = fields(client.get(f"/book/{listing.id}/series?start=2026-11-26T12:00:00Z&count=3&every=1").text)
    replies = [client.post(f"/book/{listing.id}/series", data=sent | given) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [303, 303]
    assert replies[0].headers["Location"] == replies[1].headers["Location"]
    with runtime.database.read() as db:
        assert len(db.scalars(select(Booking.id)).all()) == 3


def test_a_series_is_chosen_paid_and_cancelled(runtime, browser, place):
    listing, customer, given = place
    with runtime.database.write() as db:
        make_booking(db, db.merge(listing), make_customer(db, "Paul M."), starts_at=START + timedelta(weeks=1))
    client = browser(customer.id)
    path = f"/book/{listing.id}/series?start=2026-11-26T12:00:00Z&count=4&every=1"
    page = client.get(path).text
    assert "is not free at that time" in page
    sent = fields(page)
    assert sent["date-0"] == "2026-11-26T12:00:00Z"
    assert sent["date-1"] == ""
    reply = client.post(f"/book/{listing.id}/series", data=sent | given)
    assert reply.status_code == 303, reply.text
    page = client.get(reply.headers["Location"])
    assert "€75.00" in page.text
    assert submit(client, reply.headers["Location"]).status_code == 303
    with runtime.database.read() as db:
        mine = db.scalars(select(Booking).where(Booking.customer_id == customer.id)).unique().all()
        assert [booking.state for booking in mine] == ["confirmed"] * 3
        first, series = mine[0].public_id, db.scalars(select(BookingSeries)).one().public_id
    assert "The series" in client.get(f"/bookings/{first}").text
    assert submit(client, f"/series/{series}/cancel", reason="").status_code == 303
    with runtime.database.read() as db:
        states = db.scalars(select(Booking.state).where(Booking.customer_id == customer.id)).all()
        assert states == ["cancelled"] * 3


def test_a_first_time_that_is_taken_leads_back_to_the_listing(runtime, browser, place):
    listing, customer, _given = place
    with runtime.database.write() as db:
        make_booking(db, db.merge(listing), make_customer(db, "Paul M."), starts_at=START)
    reply = browser(customer.id).get(f"/book/{listing.id}/series?start=2026-11-26T12:00:00Z")
    assert reply.status_code == 303
    assert reply.headers["Location"].endswith(f"/l/{listing.slug}") or listing.slug in reply.headers["Location"]


def test_somebody_elses_series_is_not_there(runtime, browser, place):
    with runtime.database.write() as db:
        stranger = make_customer(db, "Eve X").id
    assert browser(stranger).get("/series/nothing/cancel").status_code == 404


def test_joining_changing_and_leaving_the_wait_list(runtime, browser, place):
    listing, customer, given = place
    client, path = browser(customer.id), f"/wait/{listing.id}"
    reply = submit(client, path, weekdays="2", from_time="10:00", until_time="12:00", until="", **given)
    assert reply.status_code == 303, reply.text
    page = client.get(reply.headers["Location"]).text
    assert "Wednesday" in page
    assert "10:00" in page
    assert 'value="10:00' in client.get(path).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    assert client.post(f"{reply.headers['Location']}/leave", data={"csrf_token": token}).status_code == 303
    with runtime.database.read() as db:
        assert db.scalar(select(WaitlistEntry.state)) == "left"


def test_others_write_while_wishes_are_looked_at(browser, place, others_write):
    listing, customer, given = place
    client = browser(customer.id)
    others_write(waiting_views, "waiting_form")
    reply = submit(client, f"/wait/{listing.id}", from_time="", until_time="", until="", **given)
    assert reply.status_code == 303, reply.text


def test_waiting_for_another_length_of_the_listing(runtime, browser, place):
    listing, customer, given = place
    client = browser(customer.id)
    assert "How long?" not in client.get(f"/wait/{listing.id}").text, "there is one length only"
    with runtime.database.write() as db:
        db.merge(listing).more_lengths = [[60, 0 if listing.pricing == "free" else 4500]]
    path = f"/wait/{listing.id}?length=60"
    assert re.search(r'<option selected value="60">', client.get(path).text)
    wrong = submit(client, path, length="45", from_time="", until_time="", until="", **given)
    assert wrong.status_code == 400
    reply = submit(client, path, length="60", from_time="", until_time="", until="", **given)
    assert reply.status_code == 303, reply.text
    assert "<dd>1 h</dd>" in client.get(reply.headers["Location"]).text
    with runtime.database.read() as db:
        assert db.scalar(select(WaitlistEntry.length_minutes)) == 60


def test_wishes_that_make_no_sense_are_refused_at_their_field(runtime, browser, place):
    listing, customer, given = place
    reply = submit(
        browser(customer.id), f"/wait/{listing.id}", from_time="10:00", until_time="10:10", until="", **given
    )
    assert reply.status_code == 400
    assert 'id="until_time-error"' in reply.text


@pytest.mark.parametrize(("answer", "state"), [("pass", "cancelled"), ("take", "held")])
def test_the_offers_link_shows_first_and_then_does(runtime, browser, place, answer, state):
    listing, customer, given = place
    with runtime.database.write() as db:
        told = {key.removeprefix("intake_"): value for key, value in given.items()}
        waiting.join(db, db.merge(listing), customer.id, told, zone="Europe/Berlin")
    Worker(runtime).drain()
    with runtime.database.read() as db:
        mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
        offer_id = db.scalar(select(Booking.id))
    [mail] = [mail for mail in mails if mail["template"] == "booking_offered"]
    path = "/b/take/" + re.search(r"/b/take/(\S+)", mail["body"])[1]
    assert browser().get(path).status_code == 200
    reply = submit(browser(), path, answer=answer)
    assert reply.status_code == (200 if answer == "pass" else 303)
    with runtime.database.read() as db:
        assert db.get_one(Booking, offer_id).state == state
