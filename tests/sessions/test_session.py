"""The meter, the end of a session and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.errors import Conflict, NotAllowed
from helpouts.payments import ledger
from helpouts.sessions import service, tickets
from helpouts.sessions.chat import say, since
from helpouts.sessions.meter import overlap
from helpouts.sessions.models import LiveNode
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
seconds = st.integers(0, 60)
intervals = st.lists(st.tuples(seconds, seconds), max_size=6)


@given(intervals, intervals)
def test_the_overlap_is_what_counting_seconds_gives(left, right):
    def moments(pairs):
        return [(START + timedelta(seconds=a), START + timedelta(seconds=b)) for a, b in pairs]

    def there(pairs):
        return {s for a, b in pairs for s in range(a, b)}

    assert overlap(moments(left), moments(right)).total_seconds() == len(there(left) & there(right))


@pytest.fixture
def booked(db):
    clock.set(START - timedelta(hours=3))

    def make(**values):
        listing = make_listing(db, make_expert(db), **values)
        booking = make_booking(db, listing, make_customer(db), starts_at=START)
        return booking, service.session_of(db, booking)

    return make


def together(db, session, seconds):
    """Both are there from now on, for so many seconds, heard of every second."""
    booking = session.booking
    rows = [service.join(db, session, user, "node", "") for user in (booking.host_id, booking.customer_id)]
    clock.advance(timedelta(seconds=seconds))
    service.seen(db, {row.id: clock.now() for row in rows})
    db.expire_all()
    return rows


def test_a_fixed_price_is_captured_with_the_fee(db, booked):
    booking, session = booked()
    clock.set(START)
    together(db, session, 600)
    service.end(db, session, "expert", SYSTEM)
    assert (booking.state, session.connected_seconds) == ("completed", 600)
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 0
    assert ledger.balance(db, f"earn_pending:{booking.host_id}", "EUR") == 2000
    assert ledger.balance(db, "revenue:fee", "EUR") == 500


def test_per_minute_bills_only_the_time_both_were_connected(db, booked):
    booking, session = booked(pricing="per_minute", price_minor=100)
    before = ledger.balance(db, f"wallet:{booking.customer_id}", "EUR")
    clock.set(START)
    rows = together(db, session, 90)
    service.leave(db, rows[1].id, clock.now())
    clock.advance(timedelta(minutes=5))
    service.seen(db, {rows[0].id: clock.now()})
    db.expire_all()
    service.end(db, session, "expert", SYSTEM)
    assert session.connected_seconds == 90
    assert ledger.balance(db, f"earn_pending:{booking.host_id}", "EUR") == 120
    assert ledger.balance(db, f"wallet:{booking.customer_id}", "EUR") == before + 3000 - 150


def test_a_crash_costs_the_meter_no_more_than_the_last_second(db, booked):
    _booking, session = booked()
    clock.set(START)
    together(db, session, 100)
    clock.advance(timedelta(minutes=10))
    service.forget_node(db, "node")
    db.expire_all()
    assert service.connected_seconds(db, session) == 100


def test_an_expert_who_is_late_makes_the_session_free(db, booked):
    booking, session = booked()
    before = ledger.balance(db, f"wallet:{booking.customer_id}", "EUR")
    clock.set(START + timedelta(minutes=6))
    together(db, session, 300)
    service.end(db, session, "expert", SYSTEM)
    assert booking.state == "completed"
    assert ledger.balance(db, f"wallet:{booking.customer_id}", "EUR") == before + 2500


def test_nobody_came(db, booked):
    booking, session = booked()
    before = ledger.balance(db, f"wallet:{booking.customer_id}", "EUR")
    clock.set(START + timedelta(hours=1))
    service.end(db, session, "time", SYSTEM)
    assert booking.state == "no_show"
    assert ledger.balance(db, f"wallet:{booking.customer_id}", "EUR") == before + 2500


def test_a_customer_who_stays_away_pays_what_a_late_cancellation_costs(db, booked):
    booking, session = booked()
    clock.set(START)
    service.join(db, session, booking.host_id, "node", "")
    clock.set(START + timedelta(hours=1))
    service.end(db, session, "time", SYSTEM)
    assert booking.state == "no_show"
    assert ledger.balance(db, f"earn_pending:{booking.host_id}", "EUR") == 1000


def test_ending_twice_changes_nothing(db, booked):
    booking, session = booked()
    clock.set(START)
    together(db, session, 60)
    service.end(db, session, "expert", SYSTEM)
    earned = ledger.balance(db, f"earn_pending:{booking.host_id}", "EUR")
    service.end(db, session, "time", SYSTEM)
    assert ledger.balance(db, f"earn_pending:{booking.host_id}", "EUR") == earned


def test_a_ticket_lets_in_once(db, booked):
    booking, session = booked()
    clock.set(START)
    db.add(LiveNode(name="n1", public_url="http://live", heartbeat_at=clock.now()))
    db.flush()
    ticket = tickets.issue_ticket(db, session, booking.customer)
    assert ticket.url == "ws://live/ws"
    assert tickets.redeem_ticket(db, ticket.token, "n1")[1].id == booking.customer_id
    with pytest.raises(NotAllowed):
        tickets.redeem_ticket(db, ticket.token, "n1")


@pytest.mark.parametrize("how", ["expired", "other node", "unknown"])
def test_a_bad_ticket_lets_nobody_in(db, booked, how):
    booking, session = booked()
    clock.set(START)
    db.add(LiveNode(name="n1", public_url="http://live", heartbeat_at=clock.now()))
    db.flush()
    token = tickets.issue_ticket(db, session, booking.customer).token
    if how == "expired":
        clock.advance(timedelta(seconds=61))
    with pytest.raises(NotAllowed):
        tickets.redeem_ticket(db, "x" if how == "unknown" else token, "n2" if how == "other node" else "n1")


def test_the_room_is_for_two_and_opens_a_quarter_of_an_hour_before(db, booked):
    booking, session = booked()
    with pytest.raises(Conflict, match="15 minutes"):
        tickets.check_may_enter(session, booking.customer)
    clock.set(START - timedelta(minutes=14))
    tickets.check_may_enter(session, booking.customer)
    with pytest.raises(NotAllowed):
        tickets.check_may_enter(session, make_user(db, "Eve X"))


def test_a_chat_line_is_kept_once_and_can_be_caught_up_with(db, booked):
    booking, session = booked()
    first = say(db, session, booking.customer_id, "a", "hello")
    assert say(db, session, booking.customer_id, "a", "hello").id == first.id
    say(db, session, booking.host_id, "b", "hi")
    assert [line["body"] for line in since(db, session.id, 0)] == ["hello", "hi"]
    assert [line["seq"] for line in since(db, session.id, 1)] == [2]
