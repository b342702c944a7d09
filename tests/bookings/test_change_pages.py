"""Cancelling and moving on the site and through the links in mails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.bookings import moving
from helpouts.bookings.forms import CancelForm
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

from .conftest import one_database, submit

pytestmark = one_database
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)


@pytest.fixture
def booking(runtime):
    """A confirmed booking in two days; its mails are made."""
    clock.set(NOW)
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db))
        made = make_booking(db, listing, make_customer(db), starts_at=START)
    Worker(runtime).drain(1)
    return made


def now(runtime, booking):
    with runtime.database.read() as db:
        row = db.get_one(Booking, booking.id)
        return row.state, row.starts_at


def links(runtime, receiver, template="booking_confirmed"):
    """By purpose: the links in a mail, as paths."""
    with runtime.database.read() as db:
        mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))]
    body = [mail["body"] for mail in mails if mail["to"] == receiver and mail["template"] == template][-1]
    return {purpose: f"/b/{purpose}/{token}" for purpose, token in re.findall(r"/b/(\w+)/(\S+)", body)}


@pytest.mark.parametrize("side", ["customer", "host"])
def test_a_mails_link_shows_first_and_cancels_only_when_asked(runtime, booking, browser, side):
    person = getattr(booking, side)
    path = links(runtime, person.email)["cancel"]
    visitor = browser()
    page = visitor.get(path)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert visitor.head(path).status_code == 200
    assert now(runtime, booking)[0] == "confirmed"
    assert submit(visitor, path, reason="ill").status_code == 200
    assert now(runtime, booking)[0] == "cancelled"
    assert visitor.get(path).status_code == 404


def test_without_its_token_a_form_does_nothing(runtime, booking, site):
    path = links(runtime, booking.customer.email)["cancel"]
    site.config["WTF_CSRF_CHECK_DEFAULT"] = True
    assert site.test_client().post(path, data={"reason": "x"}).status_code == 400
    assert now(runtime, booking)[0] == "confirmed"


def test_a_link_of_one_purpose_opens_no_other_page(runtime, booking, browser):
    found = links(runtime, booking.customer.email)
    assert browser().get(found["cancel"].replace("/cancel/", "/move/")).status_code == 404
    assert browser().get("/b/cancel/nonsense").status_code == 404


def test_a_mails_link_moves_the_session(runtime, booking, browser):
    path = links(runtime, booking.customer.email)["move"]
    later = START + timedelta(hours=1)
    assert later.strftime("%Y-%m-%dT%H:%M:%SZ") in browser().get(f"{path}?from=2026-11-26T00:00:00Z").text
    answer = submit(browser(), path, start=later.isoformat(), reason="")
    assert answer.status_code == 200, answer.text
    assert now(runtime, booking) == ("confirmed", later)
    Worker(runtime).drain()
    assert browser().get(links(runtime, booking.host.email, "booking_moved")["cancel"]).status_code == 200


@pytest.mark.parametrize(("answer", "state", "moved"), [("accept", "confirmed", 1), ("decline", "cancelled", 0)])
def test_the_customer_answers_the_experts_proposal_by_link(runtime, booking, browser, answer, state, moved):
    later = START + timedelta(hours=1)
    expert = browser(booking.host_id)
    reply = submit(expert, f"/bookings/{booking.public_id}/move", start=later.isoformat(), reason="doctor")
    assert reply.status_code == 303
    assert "Take the proposal back" in expert.get(f"/bookings/{booking.public_id}").text
    Worker(runtime).drain()
    path = links(runtime, booking.customer.email, "booking_move_proposed")["answer"]
    assert "doctor" in browser().get(path).text
    assert submit(browser(), path, answer=answer, reason="").status_code == 200
    assert now(runtime, booking) == (state, START + timedelta(hours=moved))


def test_a_proposal_can_be_taken_back(runtime, booking, browser):
    expert = browser(booking.host_id)
    page = f"/bookings/{booking.public_id}"
    submit(expert, f"{page}/move", start=(START + timedelta(hours=1)).isoformat(), reason="")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', expert.get(page).text)[1]
    assert expert.post(f"{page}/move/withdraw", data={"csrf_token": token}).status_code == 303
    customer = browser(booking.customer_id)
    assert "no proposal" in customer.get(f"{page}/move/answer").text


def test_a_taken_time_is_refused_at_its_field(runtime, booking, browser):
    with runtime.database.write() as db:
        listing = booking.listing
        make_booking(db, db.merge(listing), make_customer(db, "Paul M."), starts_at=START + timedelta(hours=1))
    customer = browser(booking.customer_id)
    path = f"/bookings/{booking.public_id}/move"
    reply = submit(customer, path, start=(START + timedelta(hours=1)).isoformat(), reason="")
    assert reply.status_code == 400
    assert "not free any more" in reply.text


def test_others_write_while_a_page_looks_for_other_times(booking, browser, others_write):
    customer = browser(booking.customer_id)
    others_write(moving, "other_starts")
    reply = submit(customer, f"/bookings/{booking.public_id}/move", start=START.isoformat(), reason="")
    assert reply.status_code == 400
    assert "It is at this time already" in reply.text


def test_a_link_that_becomes_void_between_the_look_and_the_click_changes_nothing(
    runtime, booking, browser, monkeypatch
):
    validate, path = CancelForm.validate_on_submit, links(runtime, booking.customer.email)["cancel"]

    def moved_meanwhile(form, *given):
        if form.is_submitted():
            with runtime.database.write() as db:
                moving.reschedule(db, db.get_one(Booking, booking.id), LATER, Actor("operator", None, "x"))
        return validate(form, *given)

    monkeypatch.setattr(CancelForm, "validate_on_submit", moved_meanwhile)
    reply = submit(browser(), path, reason="")
    assert reply.status_code == 404
    assert "This link does not work any more" in reply.text
    assert now(runtime, booking) == ("confirmed", LATER)


def test_strangers_see_nothing(runtime, booking, browser):
    with runtime.database.write() as db:
        stranger = make_customer(db, "Eve X").id
    for page in ("move", "cancel", "move/answer"):
        assert browser(stranger).get(f"/bookings/{booking.public_id}/{page}").status_code == 404
        assert browser().get(f"/bookings/{booking.public_id}/{page}").status_code == 302
