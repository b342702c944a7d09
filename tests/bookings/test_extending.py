"""More minutes for a running session: asked for, agreed to, paid for, and never at somebody else's time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.bookings import extending
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.jobs.models import Job
from helpouts.payments import Declined, ledger
from helpouts.payments import service as money
from helpouts.payments.ledger import Line
from helpouts.payments.verify import violations
from helpouts.sessions import service as rooms
from helpouts.sessions.models import LiveEvent, Session
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.jobs import do_jobs

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def minutes(n):
    return timedelta(minutes=n)


def running_session(db, customer=None, **values):
    """A session that both are in for ten minutes already."""
    clock.set(START - timedelta(hours=3))
    listing = make_listing(db, make_expert(db), **values)
    booking = make_booking(db, listing, customer or make_customer(db), starts_at=START)
    clock.set(START)
    meet(db, booking, 600)
    return booking


def meet(db, booking, seconds):
    session = rooms.session_of(db, booking)
    rows = [rooms.join(db, session, user, "node", "") for user in (booking.host_id, booking.customer_id)]
    clock.advance(timedelta(seconds=seconds))
    rooms.seen(db, {row.id: clock.now() for row in rows})
    db.expire_all()


@pytest.fixture
def booking(db):
    """30 minutes for 25.00 EUR, running for ten minutes."""
    return running_session(db)


def customer(booking):
    return Actor("customer", booking.customer_id, "customer")


def expert(booking):
    return Actor("expert", booking.host_id, "expert")


def wallet(db, booking):
    return ledger.balance(db, f"wallet:{booking.customer_id}", "EUR")


def test_an_offer_changes_nothing_until_the_customer_agrees(db, booking):
    before = wallet(db, booking)
    offer = extending.ask(db, booking, 15, expert(booking))
    assert (offer.state, offer.amount_minor, booking.ends_at) == ("proposed", 1250, START + minutes(30))
    assert wallet(db, booking) == before
    extending.agree(db, booking, offer.id, customer(booking))
    assert booking.ends_at == START + minutes(45)
    assert (booking.amount_minor, booking.price_minor) == (3750, 3750)
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 3750
    assert wallet(db, booking) == before - 1250
    assert violations(db) == ()


def test_both_get_a_mail_that_changes_their_calendar(db, booking):
    offer = extending.ask(db, booking, 15, expert(booking))
    extending.agree(db, booking, offer.id, customer(booking))
    assert booking.ical_sequence == 1
    do_jobs(db, "booking.announce")
    sent = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
    told = [mail for mail in sent if mail["template"] == "booking_extended"]
    assert {mail["to"] for mail in told} == {booking.customer.email, booking.host.email}
    assert all("method=REQUEST" in mail["attachments"][0]["mime"] for mail in told)


def test_the_live_process_hears_of_each_step(db, booking):
    session = rooms.session_of(db, booking)
    offer = extending.ask(db, booking, 5, customer(booking))
    extending.decline(db, booking, offer.id, expert(booking))
    heard = db.scalars(select(LiveEvent.payload).where(LiveEvent.topic == f"room:{session.room_id}")).all()
    assert heard == [{"type": "extension"}] * 2
    assert (offer.state, booking.ends_at) == ("declined", START + minutes(30))


def test_time_after_the_old_end_counts_and_is_paid(db):
    booking = running_session(db, pricing="per_minute", price_minor=100)
    wish = extending.ask(db, booking, 10, customer(booking))
    extending.agree(db, booking, wish.id, expert(booking))
    assert (booking.amount_minor, booking.price_minor) == (4000, 100)
    clock.set(START + minutes(27))
    meet(db, booking, 660)
    session = rooms.session_of(db, booking)
    rooms.end(db, session, "expert", expert(booking))
    assert session.connected_seconds == 600 + 660
    payment = money.payment_of(db, booking.id)
    assert (payment.captured_minor, payment.amount_minor) == (2100, 4000)
    assert violations(db) == ()


def test_a_fixed_price_is_captured_with_its_extension(db, booking):
    offer = extending.ask(db, booking, 30, expert(booking))
    extending.agree(db, booking, offer.id, customer(booking))
    rooms.end(db, rooms.session_of(db, booking), "expert", expert(booking))
    payment = money.payment_of(db, booking.id)
    assert (payment.captured_minor, payment.fee_minor) == (5000, 1000)
    assert violations(db) == ()


def test_a_free_session_stays_free(db):
    booking = running_session(db, pricing="free", price_minor=0)
    offer = extending.ask(db, booking, 10, expert(booking))
    extending.agree(db, booking, offer.id, customer(booking))
    assert (booking.ends_at, booking.amount_minor) == (START + minutes(40), 0)
    assert money.payment_of(db, booking.id) is None


def test_the_room_is_closed_after_the_new_end_and_not_before(db, booking):
    offer = extending.ask(db, booking, 15, expert(booking))
    extending.agree(db, booking, offer.id, customer(booking))
    session = rooms.session_of(db, booking)
    clock.set(START + minutes(46))
    rooms.close(db, {"session": session.id})
    assert session.state == "open"
    clock.set(START + minutes(60))
    rooms.close(db, {"session": session.id})
    assert session.state == "ended"


def spend(db, booking, left):
    """Leave so much in the customer's wallet."""
    there = wallet(db, booking)
    ledger.post(db, "spent", "topup", "test", [Line(f"wallet:{booking.customer_id}", "psp:test", there - left, "EUR")])


def test_who_lacks_money_is_told_how_much_and_nothing_changes(db, booking):
    spend(db, booking, 750)
    with pytest.raises(Declined, match=r"lacks €5\.00"):
        extending.ask(db, booking, 15, customer(booking))
    offer = extending.ask(db, booking, 15, expert(booking))
    with pytest.raises(Declined, match=r"lacks €5\.00"):
        extending.agree(db, booking, offer.id, customer(booking))
    assert (offer.state, booking.ends_at, wallet(db, booking)) == ("proposed", START + minutes(30), 750)


def test_the_expert_is_not_told_what_the_customer_has(db, booking):
    wish = extending.ask(db, booking, 15, customer(booking))
    spend(db, booking, 0)
    with pytest.raises(Declined, match="does not reach"):
        extending.agree(db, booking, wish.id, expert(booking))


def follow_up(db, booking, after):
    """The expert's next session, so many minutes after the end."""
    return make_booking(db, booking.listing, make_customer(db, "Paul M."), starts_at=booking.ends_at + minutes(after))


def test_the_next_session_sets_the_limit(db, booking):
    follow_up(db, booking, 15)
    with pytest.raises(Conflict, match="at most 15 more minutes"):
        extending.ask(db, booking, 30, expert(booking))
    with pytest.raises(Conflict, match="The other side has another session"):
        extending.ask(db, booking, 30, customer(booking))
    assert extending.most_minutes(db, booking) == 15
    offer = extending.ask(db, booking, 15, expert(booking))
    assert extending.agree(db, booking, offer.id, customer(booking)).state == "done"


def test_a_session_that_follows_at_once_leaves_no_room(db, booking):
    follow_up(db, booking, 0)
    with pytest.raises(Conflict, match=r"^Your next session begins then\.$"):
        extending.ask(db, booking, 5, expert(booking))
    assert extending.most_minutes(db, booking) == 0


def test_a_booking_made_after_the_offer_wins(db, booking):
    offer = extending.ask(db, booking, 15, expert(booking))
    follow_up(db, booking, 0)
    with pytest.raises(Conflict):
        extending.agree(db, booking, offer.id, customer(booking))
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 2500


def test_nobody_agrees_to_their_own_wish_or_to_another_than_was_read(db, booking):
    wish = extending.ask(db, booking, 5, customer(booking))
    with pytest.raises(NotAllowed):
        extending.agree(db, booking, wish.id, customer(booking))
    newer = extending.ask(db, booking, 10, customer(booking))
    assert wish.state == "withdrawn"
    with pytest.raises(Conflict):
        extending.agree(db, booking, wish.id, expert(booking))
    with pytest.raises(Conflict, match="asked already"):
        extending.ask(db, booking, 5, expert(booking))
    extending.decline(db, booking, newer.id, customer(booking))
    assert newer.state == "withdrawn"


@pytest.mark.parametrize("length", [0, -5, 7, 10_000])
def test_only_the_offered_lengths_can_be_asked_for(db, booking, length):
    with pytest.raises(HelpoutsError, match="lengths that are offered"):
        extending.ask(db, booking, length, expert(booking))


def test_a_session_that_does_not_run_is_not_extended(db, booking):
    offer = extending.ask(db, booking, 5, expert(booking))
    rooms.end(db, rooms.session_of(db, booking), "expert", expert(booking))
    with pytest.raises(Conflict, match="Only a session that runs"):
        extending.agree(db, booking, offer.id, customer(booking))
    assert violations(db) == ()


def test_of_an_extension_and_a_booking_of_that_time_exactly_one_wins(runtime):
    database = runtime.database

    def set_up(db):
        booking = running_session(db)
        rival = make_customer(db, "Paul M.")
        offer = extending.ask(db, booking, 30, expert(booking))
        return booking.id, offer.id, rival.id

    def extend(booking_id, offer_id, _rival):
        def agree(db):
            booking = db.get_one(Booking, booking_id)
            extending.agree(db, booking, offer_id, customer(booking))

        return agree

    def rival(booking_id, _offer, rival_id):
        def book(db):
            booking = db.get_one(Booking, booking_id)
            from helpouts.accounts.models import User

            make_booking(db, booking.listing, db.get_one(User, rival_id), starts_at=START + minutes(30))

        return book

    def try_it(work, barrier):
        barrier.wait()
        try:
            database.run(work)
        except (Conflict, HelpoutsError):
            return "lost"
        return "won"

    for _ in range(3):
        made = database.run(set_up)
        barrier = Barrier(2)
        with ThreadPoolExecutor(2) as threads:
            told = list(threads.map(lambda make: try_it(make(*made), barrier), (extend, rival)))  # noqa: B023  # used at once
        assert sorted(told) == ["lost", "won"]
        with database.read() as db:
            ends = db.get_one(Booking, made[0]).ends_at
            assert (ends == START + minutes(60)) == (told[0] == "won")
            assert violations(db) == ()


def test_two_clicks_on_agree_hold_the_money_once(runtime):
    def set_up(db):
        booking = running_session(db)
        return booking.id, extending.ask(db, booking, 15, expert(booking)).id

    booking_id, offer_id = runtime.database.run(set_up)
    barrier = Barrier(2)

    def click(_):
        def agree(db):
            booking = db.get_one(Booking, booking_id)
            extending.agree(db, booking, offer_id, customer(booking))

        barrier.wait()
        try:
            runtime.database.run(agree)
        except Conflict:
            return "lost"
        return "won"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(click, range(2))) == ["lost", "won"]
    with runtime.database.read() as db:
        assert ledger.balance(db, f"escrow:{booking_id}", "EUR") == 3750
        assert db.scalars(select(Session).where(Session.booking_id == booking_id)).one().state == "open"
