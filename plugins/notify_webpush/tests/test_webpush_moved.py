"""A booking that is moved after somebody was reminded of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from push_service import PushService, sign_up

from helpouts.audit.actor import Actor
from helpouts.bookings import moving
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.jobs.worker import Worker
from helpouts.notices.models import ReminderMark
from helpouts.notices.reminders import send_reminder
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_booking, make_expert, make_listing, make_user

START = datetime.fromisoformat("2026-12-01T10:00:00+00:00")
OPERATOR = Actor("operator", None, "ops")


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    return (
        ("notify_webpush", "helpouts_notify_webpush"),
        ("category_it", "helpouts_category_it"),
        ("video_p2p", "helpouts_video_p2p"),
    )


@pytest.fixture
def booking(runtime: Runtime) -> Booking:
    """Tomorrow, confirmed and free."""
    clock.set(START - timedelta(hours=20))
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db, paid=False), pricing="free", price_minor=0)
        return make_booking(db, listing, make_user(db), starts_at=START)


def remind(runtime: Runtime, booking: Booking) -> None:
    with runtime.database.write() as db:
        mark: dict[str, Any] = {"minutes": 1440, "starts_at": booking.starts_at, "sent": True}
        db.add(ReminderMark(booking_id=booking.id, user_id=booking.customer_id, **mark))
        send_reminder(db, db.get_one(Booking, booking.id), booking.customer_id)
    Worker(runtime).drain()


def move(runtime: Runtime, booking: Booking, to: datetime) -> None:
    with runtime.database.write() as db:
        moving.reschedule(db, db.get_one(Booking, booking.id), to, OPERATOR)


def test_a_reminder_of_the_old_time_gives_way_to_the_new_one(
    runtime: Runtime, push: PushService, booking: Booking
) -> None:
    sign_up(runtime, booking.customer_id, push.browser())
    remind(runtime, booking)
    before = len(push.requests)
    move(runtime, booking, START + timedelta(days=1, hours=3))
    Worker(runtime).drain()
    tags = [message["tag"] for message in push.messages()]
    (replaced,) = [message for message in push.messages()[before:] if message["tag"] == tags[0]]
    assert "Dec 2" in replaced["body"]
    assert replaced["body"].startswith("Moved: it begins at another time,")
    assert "2:00" in replaced["body"], "on the customer's clock in Berlin"


def test_who_was_not_reminded_gets_no_correction(runtime: Runtime, push: PushService, booking: Booking) -> None:
    sign_up(runtime, booking.customer_id, push.browser())
    move(runtime, booking, START + timedelta(days=1))
    Worker(runtime).drain()
    assert not [message for message in push.messages() if message["body"].startswith("Moved: it begins")]


def test_two_moves_in_a_row_are_corrected_once_to_where_it_is_now(
    runtime: Runtime, push: PushService, booking: Booking
) -> None:
    sign_up(runtime, booking.customer_id, push.browser())
    remind(runtime, booking)
    move(runtime, booking, START + timedelta(days=1))
    move(runtime, booking, START + timedelta(days=2, hours=3))
    Worker(runtime).drain()
    (correction,) = [message for message in push.messages() if message["body"].startswith("Moved: it begins")]
    assert "Dec 3" in correction["body"]
