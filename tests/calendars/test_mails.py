"""Invitations as they travel: the parts of the mail, and what a calendar makes of one message after the other."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
import vobject
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.calendars.invitations import calendar_file, changed
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.mail.service import compose
from helpouts.runtime import runtime_of
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

from .conftest import one_database

pytestmark = one_database


@pytest.fixture
def booking(runtime, at_nine) -> int:
    with runtime.database.write() as db:
        return make_booking(db, make_listing(db, make_expert(db)), make_customer(db)).id


def mails(runtime: Any, template: str) -> list[Any]:
    """The mails of a kind, as they come out of the wire."""
    Worker(runtime).drain()
    with runtime.database.read() as db:
        found = [
            compose(runtime_of(db).config, job.id, job.payload)
            for job in db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
            if job.payload["template"] == template
        ]
    return [message_from_bytes(bytes(mail), policy=policy.default) for mail in found]


def test_an_invitation_is_an_alternative_and_a_file(runtime, booking):
    for mail in mails(runtime, "booking_confirmed"):
        assert mail.get_content_type() == "multipart/mixed"
        alternative, file = mail.iter_parts()
        assert alternative.get_content_type() == "multipart/alternative"
        text, invite = alternative.iter_parts()
        assert text.get_content_type() == "text/plain"
        assert (invite.get_content_type(), invite.get_param("method"), invite.get_content_charset()) == (
            "text/calendar",
            "REQUEST",
            "utf-8",
        )
        assert invite.get_content_disposition() is None
        assert (file.get_content_type(), file.get_filename()) == ("application/ics", "invite.ics")
        assert file.get_content() == invite.get_payload(decode=True)
        calendar = vobject.readOne(invite.get_payload(decode=True).decode())
        assert calendar.method.value == "REQUEST"
        assert calendar.vevent.attendee.value == f"mailto:{mail['To']}"
        assert calendar.vevent.attendee.partstat_param == "ACCEPTED"
        assert calendar.vevent.organizer.value == "mailto:helpouts@localhost"


def test_a_cancellation_has_the_same_uid_and_a_higher_sequence(runtime, booking):
    with runtime.database.write() as db:
        row = db.get_one(Booking, booking)
        public_id = row.public_id
        changed(row)
        moved = vobject.readOne(calendar_file(db, row, row.customer, "REQUEST", reminder_minutes=30).content.decode())
    first = mails(runtime, "booking_confirmed")[0].get_body(("plain",))
    assert first is not None
    with runtime.database.write() as db:
        row = db.get_one(Booking, booking)
        bookings.cancel(db, row, "ill", Actor("customer", row.customer_id, "x"))
    mail = mails(runtime, "booking_cancelled")[0]
    _text, invite = next(iter(mail.iter_parts())).iter_parts()
    gone = vobject.readOne(invite.get_payload(decode=True).decode())
    assert invite.get_param("method") == gone.method.value == "CANCEL"
    assert moved.vevent.uid.value == gone.vevent.uid.value == f"{public_id}@127.0.0.1"
    assert (moved.vevent.sequence.value, gone.vevent.sequence.value) == ("1", "2")
    assert gone.vevent.status.value == "CANCELLED"
    assert moved.vevent.valarm.trigger.value.total_seconds() == -1800
