"""Booking, cancelling, and the guard against selling a slot twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from helpouts.audit.actor import Actor
from helpouts.bookings import service
from helpouts.bookings.models import Booking
from helpouts.bookings.policy import cancellation_charge
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, Unavailable
from helpouts.jobs.models import Job
from helpouts.payments import ledger
from helpouts.plugins.service import set_enabled
from helpouts.scheduling.service import free_slots
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.jobs import do_jobs

OPERATOR = Actor("operator", None, "test")


def test_a_booking_holds_the_money_and_mails_both(db):
    listing = make_listing(db, make_expert(db))
    customer = make_customer(db)
    before = ledger.balance(db, f"wallet:{customer.id}", "EUR")
    booking = make_booking(db, listing, customer)
    assert booking.state == "confirmed"
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 2500
    assert ledger.balance(db, f"wallet:{customer.id}", "EUR") == before - 2500
    do_jobs(db, "booking.announce")
    mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
    confirmed = [mail for mail in mails if mail["template"] == "booking_confirmed"]
    assert {mail["to"] for mail in confirmed} == {customer.email, booking.host.email}
    assert all(mail["attachments"][0]["mime"].startswith("text/calendar; method=REQUEST") for mail in confirmed)


def test_the_expert_reads_the_answers_in_the_words_of_the_form(db):
    listing, customer = make_listing(db, make_expert(db)), make_customer(db)
    listing.expert.owner.locale = "de"
    category = service.check_bookable(db, listing)
    question = next(question for question in category.intake if question.type == "choice")
    chosen = question.choices[0]
    start = free_slots(db, listing, clock.now(), clock.now() + timedelta(days=1))[0]
    told = answers(category) | {question.key: chosen.value}
    made = service.draft(db, listing, customer, start, told, zone="UTC", idempotency_key="one request")
    service.place(db, made, Actor("customer", customer.id, ""))
    do_jobs(db, "booking.announce")
    mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
    body = next(mail["body"] for mail in mails if mail["to"] == listing.expert.owner.email)
    assert f"  {question.label['de']}\n  {chosen.label['de']}\n" in body


def test_a_free_booking_touches_no_money(db):
    listing = make_listing(db, make_expert(db, paid=False), pricing="free", price_minor=0)
    booking = make_booking(db, listing, make_customer(db))
    assert (booking.state, booking.amount_minor, booking.fee_bp) == ("confirmed", 0, 0)
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 0


def test_the_same_request_twice_is_one_booking(db):
    listing = make_listing(db, make_expert(db))
    customer = make_customer(db)
    start = free_slots(db, listing, clock.now(), clock.now() + timedelta(days=1))[3]
    actor = Actor("customer", customer.id, customer.email)
    category = service.check_bookable(db, listing)
    given = (db, listing, customer, start, answers(category))
    first = service.place(db, service.prepare(*given, zone="UTC", idempotency_key="key"), actor)
    assert service.prepare(*given, zone="UTC", idempotency_key="key") is first


def test_overlapping_times_are_refused_whoever_asks(db):
    listing = make_listing(db, make_expert(db))
    booking = make_booking(db, listing, make_customer(db))
    with pytest.raises(Conflict):
        make_booking(db, listing, make_customer(db, "Paul M."), starts_at=booking.starts_at + timedelta(minutes=15))


def test_a_customer_cannot_be_in_two_sessions_at_once(db):
    customer = make_customer(db)
    booking = make_booking(db, make_listing(db, make_expert(db)), customer)
    other = make_listing(db, make_expert(db, "Priya Raman"))
    with pytest.raises(Conflict, match="another session"):
        make_booking(db, other, customer, starts_at=booking.starts_at)


def test_the_database_itself_refuses_an_overlap(db):
    booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
    columns = {c.key: getattr(booking, c.key) for c in Booking.__table__.columns if c.key != "id"}
    columns.update(public_id="another", idempotency_key="another", customer_id=make_customer(db, "Eve X").id)
    db.add(Booking(**columns))
    with pytest.raises(IntegrityError, match="host_overlap"):
        db.flush()


def test_a_lapsed_hold_frees_the_slot(db):
    clock.set(datetime(2026, 11, 24, 8, 0, tzinfo=UTC))
    listing = make_listing(db, make_expert(db))
    first, second = make_customer(db), make_customer(db, "Paul M.")
    category = service.check_bookable(db, listing)
    start = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def hold(customer):
        actor = Actor("customer", customer.id, customer.email)
        made = service.draft(db, listing, customer, start, answers(category), zone="UTC", idempotency_key="k")
        return service.reserve(db, made, actor)

    held = hold(first)
    with pytest.raises(Conflict):
        hold(second)
    clock.advance(timedelta(minutes=16))
    assert hold(second).state == "held"
    assert held.state == "expired"
    with pytest.raises(Conflict, match="run out"):
        service.confirm(db, held, Actor("customer", first.id, ""))


def test_a_disabled_category_takes_no_new_bookings(db):
    listing = make_listing(db, make_expert(db))
    set_enabled(db, "category_it", False, OPERATOR)
    with pytest.raises(Unavailable, match="paused"):
        make_booking(db, listing, make_customer(db))


def test_nobody_books_their_own_listing(db):
    expert = make_expert(db)
    with pytest.raises(NotAllowed):
        make_booking(db, make_listing(db, expert), expert.owner)


def test_a_required_question_must_be_answered(db):
    listing = make_listing(db, make_expert(db))
    customer = make_customer(db)
    start = free_slots(db, listing, clock.now(), clock.now() + timedelta(days=1))[0]
    required = next(q.key for q in service.check_bookable(db, listing).intake if q.required)
    with pytest.raises(HelpoutsError) as refused:
        service.draft(db, listing, customer, start, {}, zone="UTC", idempotency_key="k")
    assert refused.value.field == f"intake_{required}"
    assert db.scalar(select(func.count(Booking.id))) == 0


@pytest.mark.parametrize(
    ("policy", "pricing", "hours_before", "charge"),
    [
        ("flexible", "fixed", 2, 0),
        ("flexible", "fixed", 0.5, 1250),
        ("moderate", "fixed", 25, 0),
        ("moderate", "fixed", 23, 1250),
        ("moderate", "per_minute", 23, 500),
        ("strict", "fixed", 24 * 8, 0),
        ("strict", "fixed", 48, 1250),
        ("strict", "fixed", 2, 2500),
        ("strict", "free", 2, 0),
    ],
)
def test_the_policy_decides_what_a_cancellation_costs(policy, pricing, hours_before, charge):
    start = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
    price = 100 if pricing == "per_minute" else 2500
    assert cancellation_charge(policy, pricing, price, 2500, start, start - timedelta(hours=hours_before)) == charge


def test_cancelling_in_time_gives_everything_back(db):
    clock.set(datetime(2026, 11, 24, 8, 0, tzinfo=UTC))
    customer = make_customer(db)
    before = ledger.balance(db, f"wallet:{customer.id}", "EUR")
    listing = make_listing(db, make_expert(db))
    booking = make_booking(db, listing, customer, starts_at=datetime(2026, 11, 26, 12, 0, tzinfo=UTC))
    service.cancel(db, booking, "ill", Actor("customer", customer.id, ""))
    assert booking.state == "cancelled"
    assert ledger.balance(db, f"wallet:{customer.id}", "EUR") == before
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 0
    with pytest.raises(Conflict):
        service.cancel(db, booking, "again", Actor("customer", customer.id, ""))


@pytest.mark.slow
@pytest.mark.parametrize("step", [0, 15])
def test_of_twenty_at_once_exactly_one_gets_the_slot(runtime, step):
    with runtime.database.write() as db:
        listing_id = make_listing(db, make_expert(db)).id
        customers = [make_customer(db, f"Customer{n} X").id for n in range(20)]
    start = (clock.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    gate = threading.Barrier(len(customers))
    outcomes = []

    def attempt(number, customer_id):
        from helpouts.accounts.models import User
        from helpouts.catalog.models import Listing

        gate.wait()
        try:
            with runtime.database.write() as db:
                moment = start + timedelta(minutes=step * (number % 2))
                make_booking(db, db.get_one(Listing, listing_id), db.get_one(User, customer_id), starts_at=moment)
            outcomes.append("booked")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt, args=pair) for pair in enumerate(customers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["booked", *["refused"] * 19]
    with runtime.database.read() as db:
        assert db.scalar(select(func.count(Booking.id))) == 1
