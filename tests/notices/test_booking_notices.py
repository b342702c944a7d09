"""Who hears what of a booking through the channels: whoever does not know it yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.bookings.models import Booking
from helpouts.bookings.moving import reschedule
from helpouts.bookings.service import cancel
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.notices.kinds import KINDS
from helpouts.notices.service import reachable
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

START = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


@pytest.fixture
def booked(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A booking of two people whose every channel reaches them; nothing leaves the machine."""
    from helpouts.notices import service

    monkeypatch.setattr(service, "_reaches", lambda *_: True)
    monkeypatch.setattr(service.handler, "outside", {**service.handler.outside, "notice.send": lambda *_: None})
    clock.set(START - timedelta(days=3))
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db, paid=False), pricing="free", price_minor=0, title="Router")
        return make_booking(db, listing, make_customer(db), starts_at=START)


def told(runtime: Runtime) -> list[tuple[int, str, str]]:
    """(who, title, body) of all notices that were promised until now, oldest first."""
    Worker(runtime).drain()
    with runtime.database.read() as db:
        jobs = db.scalars(select(Job).where(Job.kind == "notice.send").order_by(Job.id))
        return [(j.payload["user"], j.payload["notice"]["title"], j.payload["notice"]["body"]) for j in jobs]


def test_the_expert_hears_of_a_new_booking(runtime: Runtime, booked: Any) -> None:
    assert told(runtime) == [(booked.host_id, "Booked", "Router, Friday, 27 November 2026, 15:30")]
    assert {"booking", "waitlist"} <= set(KINDS)


def test_who_cancels_is_not_told(runtime: Runtime, booked: Any) -> None:
    before = told(runtime)
    with runtime.database.write() as db:
        booking = db.get_one(Booking, booked.id)
        cancel(db, booking, "ill", Actor("customer", booking.customer_id, "clara"))
    assert [(who, title) for who, title, _ in told(runtime)[len(before) :]] == [(booked.host_id, "Cancelled")]


def test_the_customer_hears_of_the_time_that_the_expert_proposes(runtime: Runtime, booked: Any) -> None:
    before = told(runtime)
    with runtime.database.write() as db:
        booking = db.get_one(Booking, booked.id)
        reschedule(db, booking, START + timedelta(hours=2), Actor("expert", booking.host_id, "jonas"))
    new = told(runtime)[len(before) :]
    assert [(who, title) for who, title, _ in new] == [(booked.customer_id, "Another time is proposed")]


def test_nobody_is_reached_who_has_set_nothing_up(runtime: Runtime) -> None:
    with runtime.database.write() as db:
        assert reachable(db, make_customer(db).id) == []
