"""Series: the same time on the host's clock, all or none, one checkout; cancelling one or the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from helpouts.audit.actor import Actor
from helpouts.bookings import series, service
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.errors import Conflict, HelpoutsError
from helpouts.payments import Declined, ledger
from helpouts.scheduling.service import schedule_of
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

NOW = datetime(2026, 10, 6, 8, 0, tzinfo=UTC)
#: A Tuesday, 14:00 in Berlin; the clocks go back on 25 October.
FIRST = datetime(2026, 10, 13, 12, 0, tzinfo=UTC)


@pytest.fixture
def listing(db):
    clock.set(NOW)
    expert = make_expert(db)
    schedule_of(db, expert.owner.id).horizon_days = 365
    return make_listing(db, expert)


def draft(db, listing, customer, starts):
    return series.draft_series(
        db,
        listing,
        customer,
        starts,
        answers(service.check_bookable(db, listing)),
        every_weeks=1,
        host_id=listing.expert.owner.id,
        zone="Europe/Berlin",
        idempotency_key="k",
    )


def hold(db, listing, customer, starts):
    return series.hold_series(db, draft(db, listing, customer, starts), 1, "k", Actor("customer", customer.id, ""))


def test_the_time_on_the_hosts_clock_stays_when_the_clocks_change():
    found = series.dates(FIRST, "Europe/Berlin", 1, 4)
    assert [moment.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d %H:%M") for moment in found] == [
        "13 14:00",
        "20 14:00",
        "27 14:00",
        "03 14:00",
    ]
    assert [moment.hour for moment in found] == [12, 12, 13, 13]


def test_a_time_that_the_clocks_leave_out_is_moved_by_the_jump():
    first = datetime(2027, 3, 21, 1, 30, tzinfo=UTC)  # 02:30 in Berlin, a week before 02:00 becomes 03:00
    second = series.dates(first, "Europe/Berlin", 1, 2)[1].astimezone(ZoneInfo("Europe/Berlin"))
    assert second.strftime("%Y-%m-%d %H:%M") == "2027-03-28 03:30"


def test_a_series_is_paid_in_one_go(db, listing):
    customer = make_customer(db)
    before = ledger.balance(db, f"wallet:{customer.id}", "EUR")
    made = hold(db, listing, customer, series.dates(FIRST, "Europe/Berlin", 1, 6))
    booked = series.confirm_series(db, made, Actor("customer", customer.id, ""))
    assert [booking.state for booking in booked] == ["confirmed"] * 6
    assert before - ledger.balance(db, f"wallet:{customer.id}", "EUR") == 6 * 2500


def test_dates_that_are_taken_are_shown_with_other_times(db, listing):
    starts = series.dates(FIRST, "Europe/Berlin", 1, 4)
    make_booking(db, listing, make_customer(db, "Paul M."), starts_at=starts[2])
    found = series.plan(db, listing, make_customer(db).id, FIRST, 1, 4)
    assert [occurrence.free for occurrence in found.occurrences] == [True, True, False, True]
    others = found.occurrences[2].others
    assert len(others) == series.ALTERNATIVES
    assert starts[2] not in others
    assert {start.astimezone(ZoneInfo("Europe/Berlin")).date() for start in others} == {starts[2].date()}


def test_all_or_none(runtime):
    clock.set(NOW)
    with runtime.database.write() as db:
        listing, customer = make_listing(db, make_expert(db)), make_customer(db)
        starts = series.dates(FIRST, "Europe/Berlin", 1, 4)
        make_booking(db, listing, make_customer(db, "Paul M."), starts_at=starts[3])
    with pytest.raises(Conflict, match="2026-11-03 14:00"), runtime.database.write() as db:
        hold(db, db.merge(listing), db.merge(customer), starts)
    with runtime.database.read() as db:
        assert db.scalar(select(func.count(Booking.id))) == 1


def test_a_time_that_is_taken_after_the_draft_is_named_and_none_is_held(runtime):
    clock.set(NOW)
    with runtime.database.write() as db:
        listing, customer = make_listing(db, make_expert(db)), make_customer(db)
        starts = series.dates(FIRST, "Europe/Berlin", 1, 4)
        drafts = draft(db, listing, customer, starts)
        make_booking(db, listing, make_customer(db, "Paul M."), starts_at=starts[3])
    with pytest.raises(Conflict, match="2026-11-03 14:00"), runtime.database.write() as db:
        series.hold_series(db, drafts, 1, "k", Actor("customer", customer.id, ""))
    with runtime.database.read() as db:
        assert db.scalar(select(func.count(Booking.id))) == 1


def test_too_little_money_books_nothing(runtime):
    clock.set(NOW)
    with runtime.database.write() as db:
        customer = make_customer(db)
        before = ledger.balance(db, f"wallet:{customer.id}", "EUR")
        listing = make_listing(db, make_expert(db), price_minor=before // 3 + 1)
        made = hold(db, listing, customer, series.dates(FIRST, "Europe/Berlin", 1, 3))
    with pytest.raises(Declined), runtime.database.write() as db:
        series.confirm_series(db, db.merge(made), Actor("customer", customer.id, ""))
    with runtime.database.read() as db:
        assert ledger.balance(db, f"wallet:{customer.id}", "EUR") == before
        assert set(db.scalars(select(Booking.state))) == {"held"}


def test_the_same_request_twice_is_one_series(db, listing):
    customer = make_customer(db)
    drafts = draft(db, listing, customer, series.dates(FIRST, "Europe/Berlin", 1, 2))
    first, second = [series.hold_series(db, drafts, 1, "k", Actor("customer", customer.id, "")) for _ in range(2)]
    assert first.id == second.id == series.known_series(db, customer.id, "k").id
    assert db.scalar(select(func.count(Booking.id))) == 2


def test_one_or_the_rest_can_be_cancelled(db, listing):
    customer = make_customer(db)
    actor = Actor("customer", customer.id, "")
    made = hold(db, listing, customer, series.dates(FIRST, "Europe/Berlin", 1, 4))
    booked = series.confirm_series(db, made, actor)
    service.cancel(db, booked[1], "", actor)
    clock.set(FIRST + timedelta(hours=1))
    assert series.charge_for_rest(db, made, actor) == 0
    assert series.cancel_rest(db, made, "done", actor) == 2
    assert [booking.state for booking in series.bookings_of(db, made)] == ["confirmed", *["cancelled"] * 3]


@pytest.mark.parametrize(("every", "count", "field"), [(3, 4, "every"), (1, 1, "count"), (1, 13, "count")])
def test_only_what_is_offered(every, count, field):
    with pytest.raises(HelpoutsError) as refused:
        series.check_size(every, count)
    assert refused.value.field == field
