"""Real bookings in the console: cancelled, ended and paid back, with the ledger whole afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.jobs.worker import Worker
from helpouts.payments import payouts, refunds
from helpouts.payments.ledger import balance
from helpouts.payments.maturing import mature
from helpouts.payments.models import Payment, Payout, Refund
from helpouts.payments.verify import violations
from helpouts.runtime import Runtime
from helpouts.sessions import quality
from helpouts.sessions import service as rooms
from helpouts.sessions.models import Presence
from helpouts.sessions.models import Session as Room
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Enter = Callable[..., FlaskClient]
Send = Callable[..., Any]


@pytest.fixture
def booked(runtime: Runtime) -> tuple[int, int]:
    """(booking, room) of a confirmed, paid booking in three hours."""
    clock.set(START - timedelta(hours=3))
    with runtime.database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db), starts_at=START)
        room = rooms.session_of(db, booking)
        assert room is not None
        return booking.id, room.id


def take_place(runtime: Runtime, room_id: int) -> None:
    """Both come in time and stay for twenty minutes."""
    clock.set(START)
    with runtime.database.write() as db:
        room = db.get_one(Room, room_id)
        people = (room.booking.host_id, room.booking.customer_id)
        rows = [rooms.join(db, room, user, "node", "") for user in people]
        clock.advance(timedelta(minutes=20))
        rooms.seen(db, {row.id: clock.now() for row in rows})


def row(runtime: Runtime, model: type, **wanted: Any) -> Any:
    """The one row that fits, and proof that the money adds up."""
    with runtime.database.read() as db:
        assert violations(db) == ()
        found = db.scalars(select(model).filter_by(**wanted)).one()
        db.expunge_all()  # what is read stays readable
        return found


def last_action(runtime: Runtime) -> tuple[str, str]:
    """(action, reason) of the newest audit entry."""
    with runtime.database.read() as db:
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        return entry.action, entry.reason


def test_cancelling_gives_everything_back(runtime: Runtime, booked: Any, enter: Enter, send: Send) -> None:
    client, (number, _) = enter("support"), booked
    answer = send(client, f"/console/bookings/{number}/cancel/", **{"cancel-reason": "The expert is ill"})
    assert answer.status_code == 303, answer.text
    assert row(runtime, Booking, id=number).state == "cancelled"
    assert row(runtime, Payment, booking_id=number).captured_minor == 0
    assert last_action(runtime) == ("booking.cancel", "The expert is ill")
    again = send(client, f"/console/bookings/{number}/cancel/", **{"cancel-reason": "Twice"})
    assert again.status_code == 400


def test_ending_a_room_settles_it(runtime: Runtime, booked: Any, enter: Enter, send: Send) -> None:
    number, room = booked
    take_place(runtime, room)
    client = enter("support")
    assert "Cancel for both" not in client.get(f"/console/bookings/details/?id={number}").text
    assert send(client, f"/console/rooms/{room}/end/", **{"end-reason": "Reported from the room"}).status_code == 303
    ended = row(runtime, Room, id=room)
    assert (ended.end_reason, ended.end_note) == ("operator", "Reported from the room")
    assert row(runtime, Booking, id=number).state == "completed"
    Worker(runtime).drain()
    assert row(runtime, Payment, booking_id=number).captured_minor == 2500
    assert last_action(runtime) == ("session.end", "Reported from the room")


def test_an_open_room_shows_who_is_connected_and_how_the_call_is(runtime: Runtime, booked: Any, enter: Enter) -> None:
    _number, room = booked
    take_place(runtime, room)
    reading = quality.reading({"verdict": "poor", "rtt": 437, "loss": 7.5, "send_kbps": 310, "path": "relay"})
    with runtime.database.write() as db:
        found = db.get_one(Room, room)
        [here] = db.scalars(select(Presence).where(Presence.user_id == found.booking.customer_id))
        quality.note(db, {here.id: reading})
        name = found.booking.customer.name
    client = enter("support")
    page = client.get(f"/console/rooms/details/?id={room}").text
    for shown in (name, "437 ms", "7.5 %", "310 kbit/s", "relay", "Poor", "aiortc"):
        assert shown in page, shown
    assert "Poor" in client.get("/console/rooms/").text


def test_a_dispute_is_decided_and_the_money_goes_back(runtime: Runtime, booked: Any, enter: Enter, send: Send) -> None:
    number, room = booked
    take_place(runtime, room)
    client = enter("finance")
    with runtime.database.write() as db:
        rooms.end(db, db.get_one(Room, room), "time", SYSTEM)
    Worker(runtime).drain()
    with runtime.database.write() as db:
        payment = db.scalars(select(Payment).where(Payment.booking_id == number)).one()
        customer = Actor("customer", payment.payer_id, "customer")
        request = refunds.request_refund(db, payment, 2500, "The router does not work", customer)
        refunds.escalate_request(db, request, customer)
    dispute = row(runtime, Refund, payment_id=payment.id)
    assert "Disputes to decide" in client.get("/console/").text
    answer = send(
        client,
        f"/console/refunds/{dispute.id}/decide/",
        **{"decide-amount": "12.50", "decide-reason": "Half of it was done"},
    )
    assert answer.status_code == 303, answer.text
    Worker(runtime).drain()
    assert row(runtime, Refund, id=dispute.id).state == "granted"
    paid = row(runtime, Payment, booking_id=number)
    assert (paid.refunded_minor, paid.fee_refunded_minor, paid.state) == (1250, 250, "part_refunded")


def test_money_is_given_back_without_a_request(runtime: Runtime, booked: Any, enter: Enter, send: Send) -> None:
    number, room = booked
    take_place(runtime, room)
    client = enter("finance")
    with runtime.database.write() as db:
        rooms.end(db, db.get_one(Room, room), "time", SYSTEM)
    Worker(runtime).drain()
    payment = row(runtime, Payment, booking_id=number)
    path = f"/console/payments/{payment.id}/refund/"
    assert send(client, path, **{"refund-amount": "25", "refund-reason": "Goodwill"}).status_code == 303
    Worker(runtime).drain()
    assert row(runtime, Payment, booking_id=number).state == "refunded"
    page = client.get(f"/console/payments/details/?id={payment.id}").text
    assert "€25.00" in page
    assert "/refund/" not in page


@pytest.mark.parametrize(("action", "state", "left"), [("pay", "paid", 0), ("fail", "failed", 2000)])
def test_a_payout_is_paid_or_fails(
    runtime: Runtime, booked: Any, enter: Enter, send: Send, action: str, state: str, left: int
) -> None:
    number, room = booked
    take_place(runtime, room)
    with runtime.database.write() as db:
        rooms.end(db, db.get_one(Room, room), "time", SYSTEM)
    Worker(runtime).drain()
    with runtime.database.write() as db:
        payment = db.scalars(select(Payment).where(Payment.booking_id == number)).one()
        expert = payment.payee_id
        clock.advance(timedelta(days=30))
        assert mature(db, payment)
        payout = payouts.request_payout(db, expert, 2000, "EUR", "k", Actor("expert", expert, "expert")).id
    client, path = enter("finance"), f"/console/payouts/{payout}/{action}/"
    if action == "fail":
        assert send(client, path).status_code == 400
    assert send(client, path, **{"fail-reason": "Unknown account"}).status_code == 303
    assert row(runtime, Payout, id=payout).state == state
    with runtime.database.read() as db:
        assert balance(db, f"earn_avail:{expert}", "EUR") == left
    assert send(client, path, **{"fail-reason": "Again"}).status_code == 400
