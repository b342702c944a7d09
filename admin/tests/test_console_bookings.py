"""Operators book for people, move and cancel; what they set aside is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from helpouts.audit.models import AuditEntry
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def shop(runtime):
    """(paid listing, free listing, customer's address, a booking of the paid listing at 13:00 in Berlin)."""
    clock.set(NOW)
    with runtime.database.write() as db:
        paid = make_listing(db, make_expert(db))
        expert = make_expert(db, "Priya R.", paid=False)
        free = make_listing(db, expert, pricing="free", price_minor=0)
        customer = make_customer(db)
        booked = make_booking(db, paid, make_customer(db, "Paul M."), starts_at=START)
        return paid.slug, free.slug, customer.email, booked.id


def only(runtime, query):
    with runtime.database.session(write=False) as db:
        return db.scalars(query).one()


def place(send, client, **values):
    given = {f"place-{key}": value for key, value in {"reason": "by phone", **values}.items()}
    return send(client, "/console/bookings/place/", **given)


def test_a_free_session_is_booked_at_once(runtime, enter, send, shop):
    _paid, free, customer, _booked = shop
    answer = place(send, enter("support"), customer=customer, listing=free, start="2026-11-27T15:00")
    assert answer.status_code == 200, answer.text
    entry = only(runtime, select(AuditEntry).where(AuditEntry.action == "booking.place"))
    assert (entry.reason, entry.detail["waived"]) == ("by phone", [])
    with runtime.database.read() as db:
        assert db.scalar(select(Booking.state).where(Booking.id == int(entry.subject_id))) == "confirmed"


def test_one_that_costs_is_held_and_the_customer_pays(runtime, enter, send, shop):
    paid, _free, customer, _booked = shop
    assert place(send, enter("support"), customer=customer, listing=paid, start="2026-11-27T15:00").status_code == 200
    Worker(runtime).drain()
    with runtime.database.read() as db:
        assert db.scalar(select(Booking.state).order_by(Booking.id.desc())) == "held"
        templates = [job.payload["template"] for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
    assert "booking_offered" in templates


def test_soft_rules_are_named_and_can_be_set_aside_an_overlap_cannot(runtime, enter, send, shop):
    _paid, free, customer, _booked = shop
    with runtime.database.write() as db:
        from helpouts.catalog.models import Listing
        from helpouts.scheduling.service import schedule_of

        listing = db.scalars(select(Listing).where(Listing.slug == free)).one()
        schedule_of(db, listing.expert.owner.id).horizon_days = 1
    client, wanted = enter("support"), {"customer": customer, "listing": free, "start": "2026-11-27T15:00"}
    refused = place(send, client, **wanted)
    assert refused.status_code == 400
    assert "further ahead" in refused.text
    assert place(send, client, **wanted, waive="y").status_code == 200
    entry = only(runtime, select(AuditEntry).where(AuditEntry.action == "booking.place"))
    assert entry.detail["waived"] == ["horizon"]
    assert place(send, client, **{**wanted, "start": "2026-11-27T15:10"}, waive="y").status_code == 400


def test_an_operator_moves_a_booking(runtime, enter, send, shop):
    *_others, booked = shop
    path = f"/console/bookings/{booked}/move/"
    answer = send(enter("support"), path, **{"move-start": "2026-11-26T15:00", "move-reason": "asked by phone"})
    assert answer.status_code == 303, answer.text
    with runtime.database.read() as db:
        moved = db.get_one(Booking, booked).starts_at
    assert moved == START + timedelta(hours=2)
    entry = only(runtime, select(AuditEntry).where(AuditEntry.action == "booking.move"))
    assert entry.detail["before"] == START.isoformat()
    assert "asked by phone" in enter("support").get(f"/console/bookings/details/?id={booked}").text


@pytest.mark.parametrize(
    "wrong", [{"customer": "nobody@example.org"}, {"listing": "nothing"}, {"start": "2020-01-01T10:00"}]
)
def test_what_makes_no_sense_is_refused_at_its_field(runtime, enter, send, shop, wrong):
    _paid, free, customer, _booked = shop
    wanted = {"customer": customer, "listing": free, "start": "2026-11-27T15:00", "waive": "y", **wrong}
    answer = place(send, enter("support"), **wanted)
    assert answer.status_code == 400
    assert f'id="place-{next(iter(wrong))}-error"' in answer.text


def test_only_support_books_for_people(enter, send, shop):
    assert enter("finance").get("/console/bookings/place/").status_code == 403
