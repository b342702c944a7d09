"""What a booking costs, in statements; the short cuts give the answers of the long way."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from helpouts.audit.actor import Actor
from helpouts.bookings import quick, service
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.db import Base
from helpouts.demo.history import answers
from helpouts.errors import Conflict
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.payments import ledger
from helpouts.scheduling import service as scheduling
from helpouts.scheduling.rules import WeeklyRule
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
#: Of one whole booking: what is read before the writing transaction, and all of the writing one.
READ, WRITTEN = 5, {"sqlite": 13, "postgresql": 5}


@pytest.fixture
def shop(runtime):
    """(listing id, customer id)."""
    clock.set(NOW)
    with runtime.database.write() as db:
        listing, customer = make_listing(db, make_expert(db)), make_customer(db)
        return listing.id, customer.id


def draft(runtime, shop, start):
    with runtime.database.read() as db:
        listing, customer = service.find(db, *shop)
        given = answers(runtime.registry.category(listing.category))
        return service.draft(
            db, listing, customer, start, given, zone="UTC", idempotency_key=secrets.token_hex(8)
        ), Actor("customer", customer.id, customer.email)


def place(runtime, made, actor):
    with runtime.database.write() as db:
        return service.place(db, made, actor).id


def test_a_whole_booking_takes_a_fixed_number_of_statements(runtime, shop):
    place(runtime, *draft(runtime, shop, START))  # the first opens accounts and fills caches
    seen = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    made, actor = draft(runtime, shop, START + timedelta(hours=1))
    read = [statement for statement in seen if not statement.startswith("BEGIN")]
    seen.clear()
    place(runtime, made, actor)
    written = [statement for statement in seen if not statement.startswith("BEGIN")]
    assert len(read) <= READ, "\n".join(read)
    assert len(written) <= WRITTEN["sqlite" if runtime.database.is_sqlite else "postgresql"], "\n".join(written)


# What PostgreSQL does depends on how much is there; it has the same indexes.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_statement_of_a_booking_looks_at_a_whole_table(runtime, shop):
    place(runtime, *draft(runtime, shop, START))
    seen = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *given: seen.append(given[2:4]))
    place(runtime, *draft(runtime, shop, START + timedelta(hours=1)))
    statements = [given for given in seen if not given[0].startswith("BEGIN")]
    with runtime.database.read() as db:
        driver = db.connection().connection.driver_connection
        steps = {
            step: statement
            for statement, values in statements
            for *_numbers, step in driver.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        }
    of_the_site = {"plugin_flag", "plugin_setting", "site_setting"}  # which are read whole
    whole = {f"SCAN {table}" for table in Base.metadata.tables.keys() - of_the_site}
    assert [statement for step, statement in steps.items() if step in whole] == []
    assert any(step.startswith("SEARCH ledger_account") for step in steps)  # the plans were seen


def test_a_booking_of_a_draft_has_everything_that_others_have(runtime, shop):
    booking_id = place(runtime, *draft(runtime, shop, START))
    Worker(runtime).drain()
    with runtime.database.read() as db:
        booking = db.get_one(Booking, booking_id)
        assert (booking.state, booking.starts_at, booking.host.id) == ("confirmed", START, booking.host_id)
        assert ledger.balance(db, f"escrow:{booking_id}", "EUR") == 2500
        sent = [job.payload["to"] for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
        assert sorted(sent) == sorted([booking.customer.email, booking.host.email])
        assert db.scalar(select(Job.run_at).where(Job.kind == "session.close")) == booking.ends_at + timedelta(
            minutes=15
        )


@pytest.mark.parametrize("change", ["taken", "hours", "price", "suspended", "own session"])
def test_a_draft_that_is_out_of_date_is_checked_again(runtime, shop, change):
    made, actor = draft(runtime, shop, START)
    with runtime.database.write() as db:
        listing, customer = service.find(db, *shop)
        if change == "taken":
            make_booking(db, listing, make_customer(db, "Paul M."), starts_at=START)
        if change == "hours":
            scheduling.save_schedule(db, listing.expert.owner.id, "Europe/Berlin", [WeeklyRule(0, 0, 60)])
        if change == "price":
            listing.price_minor = 3000
        if change == "suspended":
            listing.expert.state = "suspended"
        if change == "own session":
            make_booking(db, make_listing(db, make_expert(db, "Priya R.")), customer, starts_at=START)
    if change == "price":
        booking_id = place(runtime, made, actor)
        with runtime.database.read() as db:
            assert db.get_one(Booking, booking_id).amount_minor == 3000
        return
    with pytest.raises(Exception) as refused:
        place(runtime, made, actor)
    assert isinstance(refused.value, Conflict) or change == "suspended"
    assert getattr(refused.value, "status", 500) in (409, 503)


def test_the_same_draft_twice_is_one_booking(runtime, shop):
    made, actor = draft(runtime, shop, START)
    assert place(runtime, made, actor) == place(runtime, made, actor)


@pytest.mark.parametrize("seed", range(3))
def test_the_short_way_to_a_free_start_agrees_with_the_long_one(runtime, shop, seed):
    chance = random.Random(seed)
    with runtime.database.write() as db:
        listing, _customer = service.find(db, *shop)
        rules = [WeeklyRule(day, 60 * chance.randint(6, 10), 60 * chance.randint(12, 20)) for day in range(5)]
        pause = chance.choice([0, 10])
        owner = listing.expert.members[0].user_id
        scheduling.save_schedule(db, owner, "Europe/Berlin", rules, buffer_after=pause, step_minutes=15)
        free = scheduling.free_slots(db, listing, NOW, NOW + timedelta(days=7))
        for start in chance.sample(free, 6):
            if start in scheduling.free_slots(db, listing, start, start + timedelta(minutes=1)):
                make_booking(db, listing, make_customer(db, f"C{start.hour} X"), starts_at=start)
    with runtime.database.read() as db:
        listing, _customer = service.find(db, *shop)
        starts = [NOW + timedelta(minutes=15 * step) for step in range(4 * 24 * 7)]
        short = [start for start in starts if quick.free_hosts(db, listing, start, length_minutes=30).user_ids]
        long = scheduling.free_slots(db, listing, NOW, NOW + timedelta(days=7))
        assert short == long
