"""Moving a booking: by whom, until when, with whose consent; links in mails; what calendars are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from helpouts import events
from helpouts.audit.actor import Actor
from helpouts.bookings import links, moving, service
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.jobs.models import Job
from helpouts.payments import ledger
from helpouts.scheduling.service import free_slots
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.jobs import do_jobs

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def booking(db):
    """A confirmed booking in two days, under a policy that lets go until 24 hours before."""
    clock.set(NOW)
    listing = make_listing(db, make_expert(db), cancellation_policy="moderate")
    return make_booking(db, listing, make_customer(db), starts_at=START)


def customer(booking):
    return Actor("customer", booking.customer_id, "customer")


def expert(booking):
    return Actor("expert", booking.host_id, "expert")


def mails(db, template):
    do_jobs(db, "booking.announce")
    sent = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))]
    return [mail for mail in sent if mail["template"] == template]


@pytest.mark.parametrize("way", ["customer", "operator", "accepted"])
def test_plugins_hear_of_every_move_with_both_times(db, booking, monkeypatch, way):
    told = []
    monkeypatch.setattr(events, "emit", lambda _db, event, **values: told.append((event, values)))
    if way == "customer":
        moving.reschedule(db, booking, START + HOUR, customer(booking))
    elif way == "operator":
        moving.reschedule(db, booking, START + HOUR, Actor("operator", None, "ops"))
    else:
        moving.reschedule(db, booking, START + HOUR, expert(booking))
        do_jobs(db, "booking.announce")
        assert [event for event, _values in told if event == "booking_moved"] == [], "a proposal moves nothing"
        moving.accept(db, booking, customer(booking))
    do_jobs(db, "booking.announce")
    moved = [values for event, values in told if event == "booking_moved"]
    assert moved == [{"booking_id": booking.id, "from_start": START, "to_start": START + HOUR}]


def test_a_customer_moves_a_booking_at_once_in_time(db, booking):
    move = moving.reschedule(db, booking, START + HOUR, customer(booking))
    assert move.state == "done"
    assert (booking.starts_at, booking.ends_at) == (START + HOUR, START + HOUR + timedelta(minutes=30))
    assert (booking.ical_sequence, booking.moves) == (1, 1)
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 2500
    told = mails(db, "booking_moved")
    assert {mail["to"] for mail in told} == {booking.customer.email, booking.host.email}
    assert all("method=REQUEST" in mail["attachments"][0]["mime"] for mail in told)
    closing = db.scalars(select(Job.run_at).where(Job.kind == "session.close").order_by(Job.id.desc())).first()
    assert closing == booking.ends_at + timedelta(minutes=15)


def test_the_old_time_is_free_for_others_after_the_move(db, booking):
    moving.reschedule(db, booking, START + HOUR, customer(booking))
    assert START in free_slots(db, booking.listing, START, START + HOUR)
    other = make_booking(db, booking.listing, make_customer(db, "Paul M."), starts_at=START)
    assert other.state == "confirmed"


def test_a_booking_can_move_by_less_than_its_length(db, booking):
    assert moving.reschedule(db, booking, START + timedelta(minutes=15), customer(booking)).state == "done"


def test_late_the_customer_needs_the_expert(db, booking):
    clock.set(START - timedelta(hours=5))
    move = moving.reschedule(db, booking, START + HOUR, customer(booking), "train")
    assert (move.state, booking.starts_at) == ("proposed", START)
    [asked] = mails(db, "booking_move_proposed")
    assert asked["to"] == booking.host.email
    with pytest.raises(NotAllowed):
        moving.accept(db, booking, customer(booking))
    assert moving.accept(db, booking, expert(booking)).state == "done"
    assert booking.starts_at == START + HOUR


def test_when_the_expert_declines_the_booking_stays(db, booking):
    clock.set(START - timedelta(hours=5))
    moving.reschedule(db, booking, START + HOUR, customer(booking))
    moving.decline(db, booking, expert(booking), "no")
    assert (booking.state, booking.starts_at) == ("confirmed", START)
    assert len(mails(db, "booking_move_declined")) == 1


def test_a_customer_who_declines_the_experts_time_pays_nothing(db, booking):
    clock.set(START - timedelta(hours=2))
    paid = ledger.balance(db, f"wallet:{booking.customer_id}", "EUR")
    moving.reschedule(db, booking, START + HOUR, expert(booking))
    moving.decline(db, booking, customer(booking))
    assert booking.state == "cancelled"
    assert ledger.balance(db, f"wallet:{booking.customer_id}", "EUR") == paid + 2500


def test_a_proposal_holds_no_slot_and_fails_kindly_when_it_was_taken(db, booking):
    moving.reschedule(db, booking, START + HOUR, expert(booking))
    make_booking(db, booking.listing, make_customer(db, "Paul M."), starts_at=START + HOUR)
    with pytest.raises(Conflict):
        moving.accept(db, booking, customer(booking))
    assert booking.starts_at == START


def test_one_proposal_stands_at_a_time(db, booking):
    moving.reschedule(db, booking, START + HOUR, expert(booking))
    newer = moving.reschedule(db, booking, START + 2 * HOUR, expert(booking))
    assert [move.state for move in moving.moves_of(db, booking)] == ["withdrawn", "proposed"]
    clock.set(START - timedelta(hours=2))
    with pytest.raises(Conflict, match="Answer that first"):
        moving.reschedule(db, booking, START + 3 * HOUR, customer(booking))
    assert moving.proposal(db, booking) is newer


def test_moving_is_limited(db, booking):
    for step in range(moving.MOST_MOVES):
        moving.reschedule(db, booking, START + (step + 1) * HOUR, customer(booking))
    with pytest.raises(Conflict, match="moved 3 times"):
        moving.reschedule(db, booking, START + 5 * HOUR, customer(booking))
    moving.reschedule(db, booking, START + 5 * HOUR, Actor("operator", None, "op"))
    assert booking.starts_at == START + 5 * HOUR


@pytest.mark.parametrize("change", ["taken", "same", "begun", "customer busy"])
def test_what_cannot_be_moved(db, booking, change):
    wanted = START + HOUR
    if change == "taken":
        make_booking(db, booking.listing, make_customer(db, "Paul M."), starts_at=wanted)
    if change == "same":
        wanted = START
    if change == "begun":
        clock.set(START + timedelta(minutes=1))
    if change == "customer busy":
        make_booking(db, make_listing(db, make_expert(db, "Priya R.")), booking.customer, starts_at=wanted)
    with pytest.raises((Conflict, HelpoutsError)):
        moving.reschedule(db, booking, wanted, customer(booking))
    db.refresh(booking)
    assert booking.starts_at == START


def test_nobody_is_in_two_rooms_in_different_parts(db):
    clock.set(NOW)
    first = make_listing(db, make_expert(db))
    make_booking(db, first, make_customer(db), starts_at=START)
    host = first.expert.owner
    from helpouts.runtime import runtime_of

    runtime_of(db).registry.fill_demo(db, [host.id], [])
    with pytest.raises(Conflict, match="another session"):
        make_booking(db, make_listing(db, make_expert(db, "Priya R.")), host, starts_at=START)


def test_an_operator_may_set_the_soft_rules_aside_but_no_overlap(db, booking):
    operator = Actor("operator", None, "op")
    off_grid = START + timedelta(minutes=67)
    with pytest.raises(Conflict):
        moving.reschedule(db, booking, off_grid, operator)
    with pytest.raises(NotAllowed):
        moving.reschedule(db, booking, off_grid, customer(booking), waive=True)
    assert moving.reschedule(db, booking, off_grid, operator, waive=True).state == "done"
    make_booking(db, booking.listing, make_customer(db, "Paul M."), starts_at=START)
    with pytest.raises(Conflict):
        moving.reschedule(db, booking, START + timedelta(minutes=7), operator, waive=True)


def token(url):
    return url.rpartition("/")[2]


def test_a_link_is_for_one_purpose_and_dies_with_a_change(db, booking):
    url = links.link(db, booking, booking.customer, "cancel")
    opened = links.open_link(db, token(url), "cancel")
    assert (opened.booking, opened.person, opened.actor.kind) == (booking, booking.customer, "customer")
    with pytest.raises(NotFound):
        links.open_link(db, token(url), "move")
    with pytest.raises(NotFound):
        links.open_link(db, token(url)[:-2] + "xx", "cancel")
    moving.reschedule(db, booking, START + HOUR, customer(booking))
    with pytest.raises(NotFound):
        links.open_link(db, token(url), "cancel")


def test_a_link_ends_when_the_session_begins(db, booking):
    url = links.link(db, booking, booking.host, "move")
    clock.set(START - timedelta(seconds=1))
    assert links.open_link(db, token(url), "move").is_host
    clock.set(START)
    with pytest.raises(NotFound):
        links.open_link(db, token(url), "move")


def test_a_cancelled_bookings_links_are_dead(db, booking):
    url = links.link(db, booking, booking.customer, "cancel")
    service.cancel(db, booking, "", customer(booking))
    with pytest.raises(NotFound):
        links.open_link(db, token(url), "cancel")
    assert db.scalar(select(Booking.state).where(Booking.id == booking.id)) == "cancelled"
