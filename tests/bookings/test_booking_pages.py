"""The page on which a time is booked: what it waits for, what it says when somebody is faster, a second click."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from helpouts.bookings import service, views
from helpouts.bookings.lapse import expire_lapsed
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

from .conftest import submit

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
#: Statements of a booking, or of a reservation, while the lock is held.
WRITTEN = 6


@pytest.fixture
def place(runtime, request):
    """(listing id, customer id, answers) of a listing at the price of the test's parameter, 25 EUR by default."""
    clock.set(NOW)
    price = getattr(request, "param", 2500)
    with runtime.database.write() as db:
        values = {} if price else {"pricing": "free", "price_minor": 0}
        listing, customer = make_listing(db, make_expert(db), **values), make_customer(db)
        given = {f"intake_{key}": value for key, value in answers(service.check_bookable(db, listing)).items()}
        return listing.id, customer.id, given


def send(client, listing_id, given, key="one"):
    path = f"/book/{listing_id}?start=2026-11-26T12:00:00Z"
    return submit(client, path, start="2026-11-26T12:00:00Z", key=key, **given)


def states(runtime):
    with runtime.database.read() as db:
        return list(db.scalars(select(Booking.state).where(Booking.starts_at == START)))


@pytest.mark.parametrize("place", [0, 2500], indirect=True)
def test_a_second_click_leads_to_the_same_booking(runtime, browser, place):
    listing_id, customer_id, given = place
    client = browser(customer_id)
    first, second = (send(client, listing_id, given) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(states(runtime)) == 1


@pytest.mark.parametrize("place", [0], indirect=True)
def test_a_click_beside_another_leads_to_the_same_booking(runtime, browser, place, monkeypatch):
    listing_id, customer_id, given = place
    client, other, prepare, first = browser(customer_id), browser(customer_id), service.prepare, []

    def click():
        first.append(send(other, listing_id, given).headers["Location"])

    def late(*args, **more):
        made = prepare(*args, **more)
        if threading.current_thread() is threading.main_thread():
            rival = threading.Thread(target=click)
            rival.start()
            rival.join()
        return made

    monkeypatch.setattr(views.service, "prepare", late)
    answer = send(client, listing_id, given)
    assert [answer.headers.get("Location")] == first
    assert states(runtime) == ["confirmed"]


def test_somebody_faster_does_not_wait_for_the_one_who_is_checked_and_is_told_of(runtime, browser, place, monkeypatch):
    listing_id, customer_id, given = place
    prepare = service.prepare

    def slow(*args, **more):
        made = prepare(*args, **more)
        with runtime.database.write() as db:
            make_booking(db, db.get_one(Listing, listing_id), make_customer(db, "Paul M."), starts_at=START)
        return made

    monkeypatch.setattr(views.service, "prepare", slow)
    answer = send(browser(customer_id), listing_id, given)
    assert answer.status_code == 400
    assert "This time is not free any more" in answer.text
    assert "Set up your wireless router" in answer.text
    assert states(runtime) == ["confirmed"]


@pytest.mark.parametrize("place", [0, 2500], indirect=True)
def test_little_is_asked_while_others_wait_to_write(runtime, browser, place):
    listing_id, customer_id, given = place
    client, seen = browser(customer_id), []

    def note(connection, _cursor, statement, *_rest):
        if connection.get_execution_options().get("helpouts_write"):
            seen.append(statement)

    client.get("/account")  # who is signed in is written down
    event.listen(runtime.database.engine, "before_cursor_execute", note)
    try:
        assert send(client, listing_id, given).status_code == 303
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", note)
    assert len(seen) <= WRITTEN, "\n".join(seen)


def test_a_hold_that_runs_out_during_the_checkout_is_told_of_and_charges_nothing(runtime, browser, place, monkeypatch):
    listing_id, customer_id, given = place
    client, confirm = browser(customer_id), service.confirm
    checkout = send(client, listing_id, given).headers["Location"]

    def late(*given, **more):
        clock.advance(timedelta(minutes=16))
        expire_lapsed(given[0])
        return confirm(*given, **more)

    monkeypatch.setattr(views.service, "confirm", late)
    answer = submit(client, checkout)
    assert answer.status_code == 409
    assert "Your reservation has run out" in answer.text
    assert states(runtime) == ["held"]  # the worker will see to it: a request that is refused changes nothing
