"""The feed, as a calendar application reads it: with vobject, which had no part in writing it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import vobject
from sqlalchemy import event, select

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.calendars import feed as feeds
from helpouts.calendars.expand import merged
from helpouts.calendars.parse import busy_times
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.web.app import create_app

from .conftest import one_database
from .texts import NOW


@pytest.fixture
def client(runtime, at_nine):
    return create_app(runtime).test_client()


@pytest.fixture
def people(runtime, at_nine) -> tuple[int, int]:
    """(customer, booking): a customer with a confirmed booking."""
    with runtime.database.write() as db:
        customer = make_customer(db, "Clara Berg")
        booking = make_booking(db, make_listing(db, make_expert(db)), customer)
        return customer.id, booking.id


def link(runtime, user_id: int) -> str:
    with runtime.database.write() as db:
        return f"/calendar/{feeds.renew(db, user_id)}.ics"


def events(response: Any) -> list[Any]:
    assert response.status_code == 200
    calendar = vobject.readOne(response.text)
    return list(getattr(calendar, "vevent_list", []))


def test_both_people_see_the_session(runtime, client, people):
    with runtime.database.read() as db:
        booking = db.get_one(Booking, people[1])
        known = (booking.starts_at, booking.ends_at, booking.public_id, booking.host_id)
    for user_id, other in ((people[0], "Jonas Weber"), (known[3], "Clara Berg")):
        answer = client.get(link(runtime, user_id))
        (found,) = events(answer)
        assert (found.dtstart.value, found.dtend.value) == known[:2]
        assert found.uid.value == f"{known[2]}@127.0.0.1"
        assert found.summary.value == f"Set up your wireless router with {other}"
        assert found.url.value.endswith(f"/bookings/{known[2]}")
        assert (found.status.value, found.transp.value) == ("CONFIRMED", "OPAQUE")
        assert "VTIMEZONE" not in answer.text
        assert "REFRESH-INTERVAL;VALUE=DURATION:PT30M\r\n" in answer.text
        assert re.search(r"DTSTART:\d{8}T\d{6}Z\r\n", answer.text)


@one_database
def test_it_needs_no_sign_in_sets_no_cookie_and_stays_private(runtime, client, people):
    path = link(runtime, people[0])
    answer = client.get(path)
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert "Set-Cookie" not in answer.headers
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert client.head(path).status_code == 200


@one_database
def test_nobody_elses_sessions_are_in_it(runtime, client, people):
    with runtime.database.write() as db:
        stranger = make_customer(db, "Max Fremd").id
    assert events(client.get(link(runtime, stranger))) == []


@one_database
def test_a_cancelled_session_is_shown_as_such_for_a_while(runtime, client, people):
    path = link(runtime, people[0])
    before = client.get(path).headers["ETag"]
    with runtime.database.write() as db:
        booking = db.get_one(Booking, people[1])
        bookings.cancel(db, booking, "ill", Actor("customer", people[0], "x"))
        sequence = booking.ical_sequence
    answer = client.get(path, headers={"If-None-Match": before})
    (found,) = events(answer)
    assert (found.status.value, found.transp.value) == ("CANCELLED", "TRANSPARENT")
    assert int(found.sequence.value) == sequence > 0
    clock.set(NOW + feeds.CANCELLED + timedelta(days=1))
    assert events(client.get(path)) == []


@one_database
def test_what_is_long_over_or_was_never_confirmed_is_not_in_it(runtime, client, people):
    path = link(runtime, people[0])
    with runtime.database.write() as db:
        listing = db.scalars(select(Listing)).one()
        customer = db.get_one(User, people[0])
        start = NOW + timedelta(days=2)
        told, actor = answers(runtime.registry.category("it")), Actor("customer", customer.id, "x")
        made = bookings.draft(db, listing, customer, start, told, zone="UTC", idempotency_key="k")
        held = bookings.reserve(db, made, actor)
        assert held.state == "held"
        bookings.cancel(db, held, "", actor)
    assert len(events(client.get(path))) == 1
    clock.set(NOW + timedelta(days=80))
    assert len(events(client.get(path))) == 1
    clock.set(NOW + timedelta(days=95))
    assert events(client.get(path)) == []


@one_database
def test_names_can_be_left_out(runtime, client, people):
    path = link(runtime, people[0])
    with runtime.database.write() as db:
        feeds.hide_names(db, people[0], True)
    answer = client.get(path)
    assert events(answer)[0].summary.value == "Session on Helpouts"
    assert "Jonas" not in answer.text
    assert "router" not in answer.text


@one_database
def test_a_new_link_ends_the_old_one_and_ending_it_ends_all(runtime, client, people):
    old, new = link(runtime, people[0]), link(runtime, people[0])
    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200
    with runtime.database.write() as db:
        assert new.split("/")[-1].removesuffix(".ics") not in feeds.feed_of(db, people[0]).token_hash
        feeds.revoke(db, people[0])
    assert client.get(new).status_code == 404


@one_database
def test_a_blocked_account_has_no_feed(runtime, client, people):
    path = link(runtime, people[0])
    with runtime.database.write() as db:
        db.get_one(User, people[0]).active = False
    assert client.get(path).status_code == 404


@one_database
def test_subscribed_back_it_blocks_nothing(runtime, client, people):
    text = client.get(link(runtime, people[0])).text
    own = busy_times([text], NOW, NOW + timedelta(days=400), "UTC", ["@127.0.0.1"])
    foreign = busy_times([text], NOW, NOW + timedelta(days=400), "UTC", ["@elsewhere"])
    assert own.busy == []
    assert len(merged(foreign.busy)) == 1


def test_a_long_history_takes_as_many_queries_as_a_short_one(runtime, client, people):
    path = link(runtime, people[0])
    counts = []
    seen: list[str] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    for more in (True, False):
        seen.clear()
        size = len(events(client.get(path)))
        counts.append((size, len([statement for statement in seen if "SELECT" in statement])))
        if not more:
            break
        with runtime.database.write() as db:
            first = db.get_one(Booking, people[1])
            for number in range(1, 300):
                values = {column.name: getattr(first, column.name) for column in Booking.__table__.columns}
                move = timedelta(hours=number)
                values |= {"id": None, "public_id": f"b{number}", "idempotency_key": None}
                values |= {"starts_at": first.starts_at + move, "ends_at": first.ends_at + move}
                del values["id"]
                db.add(Booking(**values))
    assert [size for size, _ in counts] == [1, 300]
    assert counts[0][1] == counts[1][1] <= 4
