"""The wait-list: the first who fits gets the slot that becomes free, for a while; then the next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.bookings import links, service, waiting
from helpouts.bookings.models import Booking
from helpouts.bookings.waiting_models import WaitlistEntry, WaitlistOffer
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.errors import HelpoutsError, NotAllowed
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import free_slots, save_schedule
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.jobs import do_jobs

#: A Tuesday; the expert works on Wednesdays from 10 to 11 in Berlin, two sessions of 30 minutes.
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FIRST = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture
def listing(db):
    """A listing of which both times of the only week are taken."""
    clock.set(NOW)
    expert = make_expert(db)
    save_schedule(db, expert.owner.id, "Europe/Berlin", [WeeklyRule(2, 600, 660)], step_minutes=30, horizon_days=6)
    made = make_listing(db, expert)
    for number in range(2):
        make_booking(db, made, make_customer(db, f"Early{number} X"), starts_at=FIRST + timedelta(minutes=30 * number))
    assert free_slots(db, made, NOW, NOW + timedelta(days=6)) == []
    return made


def join(db, listing, name, **wishes):
    customer = make_customer(db, name)
    given = answers(service.check_bookable(db, listing))
    return waiting.join(db, listing, customer.id, given, zone="Europe/Berlin", **wishes)


def work(db):
    """What the worker does, in the test's transaction."""
    db.flush()
    do_jobs(db, "bookings.waitlist", "booking.announce")
    touched = {booking.host_id for booking in db.scalars(select(Booking)).unique()}
    waiting.time_has_changed(db, touched)
    do_jobs(db, "bookings.waitlist", "booking.announce")
    db.flush()


def cancel_first(db, listing):
    booking = db.scalars(select(Booking).where(Booking.starts_at == FIRST, Booking.state == "confirmed")).unique().one()
    service.cancel(db, booking, "", Actor("expert", booking.host_id, ""))
    work(db)


def states(db, *entries):
    db.flush()
    for entry in entries:
        db.refresh(entry)
    return [entry.state for entry in entries]


def held(db, entry):
    return waiting.open_offer(db, entry).booking


def test_the_first_who_fits_gets_the_slot(db, listing):
    mondays = join(db, listing, "Mona X", weekdays=[0])
    first, second = join(db, listing, "First X"), join(db, listing, "Second X")
    assert [waiting.place_of(db, entry) for entry in (mondays, first, second)] == [1, 2, 3]
    cancel_first(db, listing)
    assert states(db, mondays, first, second) == ["waiting", "offered", "waiting"]
    booking = held(db, first)
    assert (booking.state, booking.starts_at, booking.customer_id) == ("held", FIRST, first.customer_id)
    assert booking.held_until == NOW + waiting.OFFERED_FOR
    mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
    [mail] = [mail for mail in mails if mail["template"] == "booking_offered"]
    assert mail["to"] == first.customer.email


def test_others_book_while_free_times_are_searched_and_what_they_took_is_not_offered(runtime, monkeypatch):
    clock.set(NOW)
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db))
        entry = join(db, listing, "First X")
    free_slots, taken = waiting.scheduling.free_slots, []

    def looking(db, of, *window, **more):
        found = free_slots(db, of, *window, **more)
        if not taken:
            taken.append(found[0])
            with runtime.database.write() as other:
                make_booking(other, other.get_one(Listing, of.id), make_customer(other, "Rita R."), starts_at=found[0])
        return found

    monkeypatch.setattr(waiting.scheduling, "free_slots", looking)
    Worker(runtime).drain()
    with runtime.database.read() as db:
        offered = waiting.open_offer(db, db.get_one(WaitlistEntry, entry.id)).booking
        assert offered.state == "held"
        assert offered.starts_at >= taken[0] + timedelta(minutes=listing.length_minutes)


def test_an_offer_that_runs_out_goes_to_the_next_and_the_place_stays(db, listing):
    first, second = join(db, listing, "First X"), join(db, listing, "Second X")
    cancel_first(db, listing)
    clock.advance(waiting.OFFERED_FOR + timedelta(minutes=1))
    service.expire_lapsed(db)
    work(db)
    assert states(db, first, second) == ["waiting", "offered"]
    assert first.missed == 1
    assert waiting.place_of(db, first) == 1


def test_who_takes_the_offer_leaves_the_list(db, listing):
    first, second = join(db, listing, "First X"), join(db, listing, "Second X")
    cancel_first(db, listing)
    service.confirm(db, held(db, first), Actor("customer", first.customer_id, ""))
    work(db)
    assert states(db, first, second) == ["booked", "waiting"]


def test_who_passes_keeps_the_place_and_is_not_asked_for_that_time_again(db, listing):
    first = join(db, listing, "First X")
    cancel_first(db, listing)
    booking = held(db, first)
    waiting.decline(db, booking, Actor("customer", first.customer_id, ""))
    work(db)
    assert states(db, first) == ["waiting"]
    assert booking.state == "cancelled"
    assert first.missed == 0
    second = join(db, listing, "Second X")
    work(db)
    assert states(db, first, second) == ["waiting", "offered"]


def test_nobody_is_offered_two_at_once_and_no_slot_goes_to_two(db, listing):
    entries = [join(db, listing, f"N{number} X") for number in range(3)]
    for booking in list(db.scalars(select(Booking).where(Booking.state == "confirmed")).unique()):
        service.cancel(db, booking, "", Actor("expert", booking.host_id, ""))
    work(db)
    work(db)
    assert states(db, *entries) == ["offered", "offered", "waiting"]
    assert len(set(db.scalars(select(WaitlistOffer.starts_at)))) == 2


def test_each_is_offered_the_length_that_they_wait_for(db, listing):
    listing.more_lengths = [[60, 4500]]
    long, short = join(db, listing, "Long X", length_minutes=60), join(db, listing, "Short X")
    cancel_first(db, listing)
    assert states(db, long, short) == ["waiting", "offered"], "half an hour is too short for the first"
    waiting.leave(db, short, Actor("customer", short.customer_id, ""))
    second = db.scalars(select(Booking).where(Booking.state == "confirmed")).unique().one()
    service.cancel(db, second, "", Actor("expert", second.host_id, ""))
    work(db)
    assert states(db, long) == ["offered"]
    booking = held(db, long)
    assert (booking.starts_at, booking.ends_at - booking.starts_at) == (FIRST, timedelta(minutes=60))
    assert booking.amount_minor == 4500


def test_who_waits_for_a_length_that_is_not_offered_any_more_is_let_go(db, listing):
    listing.more_lengths = [[60, 4500]]
    long, short = join(db, listing, "Long X", length_minutes=60), join(db, listing, "Short X")
    listing.more_lengths = []
    cancel_first(db, listing)
    assert states(db, long, short) == ["over", "offered"]


@pytest.mark.parametrize(("minutes", "window"), [(45, {}), (60, {"from_minute": 600, "until_minute": 645})])
def test_a_length_that_is_not_offered_or_does_not_fit_is_refused(db, listing, minutes, window):
    listing.more_lengths = [[60, 4500]]
    with pytest.raises(HelpoutsError) as refusal:
        join(db, listing, "Long X", length_minutes=minutes, **window)
    assert refusal.value.field == ("until_minute" if window else "length")


def test_three_missed_offers_give_the_place_up(db, listing):
    entry = join(db, listing, "First X")
    entry.missed = 2
    cancel_first(db, listing)
    clock.advance(waiting.OFFERED_FOR + timedelta(minutes=1))
    service.expire_lapsed(db)
    work(db)
    assert states(db, entry) == ["over"]


def test_leaving_frees_what_was_held(db, listing):
    first, second = join(db, listing, "First X"), join(db, listing, "Second X")
    cancel_first(db, listing)
    waiting.leave(db, first, Actor("customer", first.customer_id, ""))
    work(db)
    assert states(db, first, second) == ["left", "offered"]


def test_joining_again_keeps_the_place_and_changes_the_wishes(db, listing):
    first = join(db, listing, "First X")
    join(db, listing, "Second X")
    given = answers(service.check_bookable(db, listing))
    again = waiting.join(db, listing, first.customer_id, given, zone="Europe/Berlin", weekdays=[2])
    assert (again.id, again.weekdays, waiting.place_of(db, again)) == (first.id, [2], 1)


def test_places_whose_last_day_is_over_are_closed(db, listing):
    entry = join(db, listing, "First X", until=date(2026, 11, 26))
    clock.set(NOW + timedelta(days=10))
    waiting.tidy(db, {})
    assert states(db, entry) == ["over"]


def test_a_slot_that_begins_at_once_is_offered_to_nobody(db, listing):
    entry = join(db, listing, "First X")
    clock.set(FIRST - timedelta(minutes=15))
    cancel_first(db, listing)
    assert states(db, entry) == ["waiting"]


def test_the_offers_link_works_until_it_runs_out(db, listing):
    entry = join(db, listing, "First X")
    cancel_first(db, listing)
    booking = held(db, entry)
    token = links.link(db, booking, booking.customer, "take").rpartition("/")[2]
    assert links.open_link(db, token, "take").booking is booking
    clock.advance(waiting.OFFERED_FOR)
    with pytest.raises(HelpoutsError):
        links.open_link(db, token, "take")


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"weekdays": [7]}, "weekdays"),
        ({"from_minute": 600, "until_minute": 610}, "until_minute"),
        ({"until": date(2026, 11, 1)}, "until"),
        ({"until": date(2028, 1, 1)}, "until"),
    ],
)
def test_wishes_must_make_sense(db, listing, wishes, field):
    with pytest.raises(HelpoutsError) as refused:
        join(db, listing, "First X", **wishes)
    assert refused.value.field == field
    assert db.scalars(select(WaitlistEntry)).all() == []


def test_an_expert_does_not_wait_for_themselves(db, listing):
    given = answers(service.check_bookable(db, listing))
    with pytest.raises(NotAllowed):
        waiting.join(db, listing, listing.expert.owner.id, given, zone="UTC")
