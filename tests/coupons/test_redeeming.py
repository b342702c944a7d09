"""What a coupon does to a booking: price, money, and everything that stands against it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from helpouts.accounts.export import export_data
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import extending, service, waiting
from helpouts.bookings.models import Booking
from helpouts.bookings.states import WAITING
from helpouts.bookings.waiting_models import WaitlistOffer
from helpouts.clock import clock
from helpouts.coupons import making, redeeming
from helpouts.coupons.making import Terms
from helpouts.coupons.models import Coupon, CouponUse
from helpouts.coupons.uses import use_of
from helpouts.demo.history import answers
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.payments import ledger
from helpouts.payments import service as money
from helpouts.payments.verify import violations
from helpouts.scheduling.service import free_slots
from helpouts.sessions import service as rooms
from helpouts.testing.factories import make_customer, make_expert, make_listing

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def held(db, listing, customer, day=2):
    """A held booking on the day after so many days."""
    start = free_slots(db, listing, clock.now() + timedelta(days=day), clock.now() + timedelta(days=day + 1))[0]
    told = answers(service.check_bookable(db, listing))
    made = service.draft(db, listing, customer, start, told, zone="UTC", idempotency_key=f"{customer.id}-{day}")
    return service.reserve(db, made, as_customer(customer))


def as_customer(customer):
    return Actor("customer", customer.id, customer.email)


def as_expert(expert):
    return Actor("expert", expert.owner.id, "expert")


def coupon(db, expert, code="SUMMER10", percent=20, amount_minor=None, **terms):
    given = Terms(None if amount_minor else percent, amount_minor, "EUR", **terms)
    return making.create(db, expert, code, given, as_expert(expert))


def refusal(db, booking, code="SUMMER10"):
    """Why a code is refused; price and uses are as they were."""
    before = booking.price_minor, booking.amount_minor
    with pytest.raises(HelpoutsError) as refused, db.begin_nested():
        redeeming.apply(db, booking, code)
    db.refresh(booking)
    assert (booking.price_minor, booking.amount_minor) == before
    assert refused.value.field == "code"
    assert use_of(db, booking.id) is None
    return str(refused.value)


@pytest.fixture
def expert(db):
    clock.set(NOW)
    return make_expert(db)


@pytest.fixture
def listing(db, expert):
    return make_listing(db, expert)


@pytest.fixture
def clara(db):
    return make_customer(db)


@pytest.mark.parametrize(("price", "percent", "left"), [(2500, 20, 2000), (2500, 100, 0), (25, 50, 12), (35, 50, 18)])
def test_a_percentage_is_rounded_half_to_even(db, expert, clara, price, percent, left):
    booking = held(db, make_listing(db, expert, price_minor=price), clara)
    coupon(db, expert, percent=percent)
    redeeming.apply(db, booking, " summer10 ")
    assert (booking.price_minor, booking.amount_minor) == (left, left)


def test_a_percentage_lowers_the_minute_rate_and_the_most_that_it_costs(db, expert, clara):
    booking = held(db, make_listing(db, expert, pricing="per_minute", price_minor=90), clara)
    coupon(db, expert, percent=33)
    redeeming.apply(db, booking, "SUMMER10")
    assert (booking.price_minor, booking.amount_minor) == (60, 60 * 30)
    assert money.gross_of(booking, 600) == 600
    assert service.charge_now(booking, as_customer(clara)) == 0
    clock.advance(timedelta(days=2))
    assert service.charge_now(booking, as_customer(clara)) == 5 * 60


def test_an_amount_never_takes_the_price_below_nothing(db, expert, listing, clara):
    booking = held(db, listing, clara)
    coupon(db, expert, amount_minor=3000)
    use = redeeming.apply(db, booking, "SUMMER10")
    assert (booking.amount_minor, use.discount_minor) == (0, 2500)


def test_the_expert_earns_less_and_the_fee_is_of_what_is_paid(db, expert, listing, clara):
    booking = held(db, listing, clara)
    coupon(db, expert, amount_minor=1000)
    redeeming.apply(db, booking, "SUMMER10")
    service.confirm(db, booking, as_customer(clara))
    assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 1500
    payment = money.settle_booking(db, booking, 1800, as_expert(expert))
    assert (payment.captured_minor, payment.fee_minor) == (1500, 1500 * booking.fee_bp // 10_000)
    assert money.receipt(db, booking).total_minor == 1500


def test_what_costs_nothing_then_is_confirmed_without_a_payment(db, expert, listing, clara):
    booking = held(db, listing, clara)
    coupon(db, expert, percent=100)
    redeeming.apply(db, booking, "SUMMER10")
    service.confirm(db, booking, as_customer(clara))
    assert booking.state == "confirmed"
    assert money.payment_of(db, booking.id) is None
    assert [line.amount_minor for line in money.receipt(db, booking).lines] == [0]


def test_taking_it_out_gives_price_and_use_back(db, expert, listing, clara):
    booking, given = held(db, listing, clara), coupon(db, expert, most_uses=1)
    for _ in range(2):
        redeeming.apply(db, booking, "SUMMER10")
        db.refresh(given)
        assert (booking.amount_minor, given.used) == (2000, 1)
        redeeming.take_out(db, booking)
        db.refresh(given)
        assert (booking.price_minor, booking.amount_minor, given.used) == (2500, 2500, 0)
    redeeming.take_out(db, booking)
    assert given.used == 0


def test_a_second_coupon_is_refused_while_there_is_one(db, expert, listing, clara):
    booking = held(db, listing, clara)
    coupon(db, expert)
    coupon(db, expert, "WINTER50")
    redeeming.apply(db, booking, "SUMMER10")
    with pytest.raises(Conflict, match="Take it out first"):
        redeeming.apply(db, booking, "WINTER50")
    assert booking.amount_minor == 2000


def test_each_refusal_says_why(db, expert, listing, clara):
    booking, other = held(db, listing, clara), make_listing(db, expert, title="Another thing")
    given = coupon(db, expert, last_day=date(2026, 11, 24))
    coupon(db, expert, "OTHER", listing_id=other.id)
    coupon(db, make_expert(db, "Paula Fremd"), "FOREIGN")
    coupon(db, expert, "LITTLE", percent=1)
    cheap = held(db, make_listing(db, expert, price_minor=20), make_customer(db, "Otto Her"))
    timed = held(db, make_listing(db, expert, pricing="per_minute", price_minor=90), make_customer(db, "Olga Her"), 3)
    coupon(db, expert, "TENOFF", amount_minor=1000)
    assert "no such coupon" in refusal(db, booking, "NOWHERE")
    assert "no such coupon" in refusal(db, booking, "%")
    assert "somebody else" in refusal(db, booking, "FOREIGN")
    assert "Another thing" in refusal(db, booking, "OTHER")
    assert "fixed price" in refusal(db, timed, "TENOFF")
    assert "changes nothing" in refusal(db, cheap, "LITTLE")
    making.switch(db, expert, given.id, "pause", as_expert(expert))
    assert "paused" in refusal(db, booking)
    making.switch(db, expert, given.id, "resume", as_expert(expert))
    clock.set(datetime(2026, 11, 24, 22, 59, tzinfo=UTC))  # a minute before midnight in Berlin
    assert not given.is_over
    clock.set(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    assert "valid until Nov 24, 2026" in refusal(db, booking)


def test_used_up_once_each_and_newcomers(db, expert, listing, clara):
    otto = make_customer(db, "Otto Her")
    coupon(db, expert, "ONLYONE", most_uses=1)
    coupon(db, expert, "ONCE", once_each=True)
    coupon(db, expert, "NEWHERE", newcomers_only=True)
    first, second, third = held(db, listing, clara), held(db, listing, clara, 3), held(db, listing, otto, 4)
    redeeming.apply(db, first, "ONLYONE")
    assert "All uses" in refusal(db, third, "ONLYONE")
    redeeming.take_out(db, first)
    redeeming.apply(db, first, "ONCE")
    assert "used this coupon before" in refusal(db, second, "ONCE")
    redeeming.apply(db, third, "ONCE")
    redeeming.take_out(db, first)
    redeeming.apply(db, first, "NEWHERE")
    assert "once for each customer" in refusal(db, second, "NEWHERE")
    service.confirm(db, first, as_customer(clara))
    assert "first time" in refusal(db, second, "NEWHERE")


@pytest.mark.parametrize("how", ["given up", "lapsed", "cancelled for nothing", "cancelled late", "called off"])
def test_a_use_is_given_back_when_nothing_was_charged(db, expert, listing, clara, how):
    booking, given = held(db, listing, clara), coupon(db, expert, most_uses=1, once_each=True)
    redeeming.apply(db, booking, "SUMMER10")
    if how == "lapsed":
        clock.advance(timedelta(hours=1))
        service.expire_lapsed(db)
    else:
        if how != "given up":
            service.confirm(db, booking, as_customer(clara))
        if how in ("cancelled late", "called off"):
            clock.set(booking.starts_at - timedelta(minutes=5))
        service.cancel(db, booking, "", as_expert(expert) if how == "called off" else as_customer(clara))
    db.refresh(given)
    assert given.used == (how == "cancelled late")
    if how != "cancelled late":
        redeeming.apply(db, held(db, listing, clara, 5), "SUMMER10")


def test_nobody_pays_another_amount_than_the_button_said(db, expert, listing, clara):
    booking = held(db, listing, clara)
    coupon(db, expert)
    redeeming.apply(db, booking, "SUMMER10")
    redeeming.take_out(db, booking)
    with pytest.raises(Conflict, match="price has changed"):
        service.confirm(db, booking, as_customer(clara), agreed_minor=2000)
    assert booking.state == "held"


def test_a_confirmed_booking_keeps_its_price(db, expert, listing, clara):
    booking = held(db, listing, clara)
    coupon(db, expert)
    service.confirm(db, booking, as_customer(clara))
    with pytest.raises(Conflict, match="settled"):
        redeeming.apply(db, booking, "SUMMER10")


@pytest.mark.parametrize("once_each", [False, True])
def test_of_checkouts_at_the_same_moment_no_more_get_the_coupon_than_it_has_uses(runtime, once_each, monkeypatch):
    clock.set(NOW)
    with runtime.database.write() as db:
        expert = make_expert(db)
        listing, clara = make_listing(db, expert), make_customer(db)
        given = coupon(db, expert, most_uses=None if once_each else 2, once_each=once_each)
        people = [clara if once_each else make_customer(db, f"Person {n}") for n in range(6)]
        bookings = [held(db, listing, person, 2 + n).id for n, person in enumerate(people)]
        coupon_id = given.id
    gate, told, looked = threading.Barrier(6), [], redeeming._check_customer

    def look_together(*arguments):
        looked(*arguments)
        if runtime.database.engine.dialect.name != "sqlite":  # which has one writer at a time
            gate.wait(20)

    monkeypatch.setattr(redeeming, "_check_customer", look_together)
    monkeypatch.setattr(redeeming, "take_turns", lambda *_people: None)  # as with a company's different hosts

    def click(booking_id):
        try:
            with runtime.database.write() as db:
                redeeming.apply(db, db.get_one(Booking, booking_id), "SUMMER10")
            told.append("won")
        except HelpoutsError as error:
            told.append(str(error))

    rivals = [threading.Thread(target=click, args=(booking_id,)) for booking_id in bookings]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    wins = 1 if once_each else 2
    assert told.count("won") == wins
    assert len(set(told)) == 2
    with runtime.database.read() as db:
        assert db.get_one(Coupon, coupon_id).used == wins
        assert db.query(CouponUse).count() == wins
        assert sum(booking.amount_minor == 2000 for booking in db.query(Booking)) == wins


@pytest.mark.parametrize(("there", "counts"), [("nobody", 0), ("late expert", 0), ("expert", 1), ("both", 1)])
def test_a_session_that_is_lost_through_no_fault_of_the_customer_gives_the_use_back(db, expert, clara, there, counts):
    booking, given = held(db, make_listing(db, expert, cancellation_policy="strict"), clara), coupon(db, expert)
    redeeming.apply(db, booking, "SUMMER10")
    service.confirm(db, booking, as_customer(clara))
    session = rooms.session_of(db, booking)
    clock.set(booking.starts_at + timedelta(minutes=6 if there == "late expert" else 0))
    people = {"nobody": [], "expert": [booking.host_id]}.get(there, [booking.host_id, clara.id])
    rows = [rooms.join(db, session, person, "node", "") for person in people]
    clock.advance(timedelta(minutes=20))
    rooms.seen(db, {row.id: clock.now() for row in rows})
    db.expire_all()
    rooms.end(db, session, "time", SYSTEM)
    db.refresh(given)
    assert given.used == counts
    assert money.receipt(db, booking).total_minor == (2000 if counts else 0)
    assert violations(db) == ()


def test_passing_on_what_the_wait_list_offers_gives_the_use_back(db, expert, listing, clara):
    entry = waiting.join(db, listing, clara.id, answers(service.check_bookable(db, listing)), zone="UTC")
    booking, given = held(db, listing, clara), coupon(db, expert)
    db.add(WaitlistOffer(entry_id=entry.id, booking_id=booking.id, starts_at=booking.starts_at))
    WAITING.apply(db, entry, "offer", SYSTEM)
    redeeming.apply(db, booking, "SUMMER10")
    waiting.decline(db, booking, as_customer(clara))
    db.refresh(given)
    assert given.used == 0


@pytest.mark.parametrize(("percent", "extra"), [(20, 667), (100, 0)])
def test_more_minutes_cost_the_same_part_of_the_lower_price(db, expert, listing, clara, percent, extra):
    booking = held(db, listing, clara)
    coupon(db, expert, percent=percent)
    redeeming.apply(db, booking, "SUMMER10")
    service.confirm(db, booking, as_customer(clara))
    paid, session = booking.amount_minor, rooms.session_of(db, booking)
    clock.set(booking.starts_at)
    rows = [rooms.join(db, session, person, "node", "") for person in (booking.host_id, clara.id)]
    clock.advance(timedelta(minutes=10))
    rooms.seen(db, {row.id: clock.now() for row in rows})
    db.expire_all()
    asked = extending.ask(db, booking, 10, as_customer(clara))
    extending.agree(db, booking, asked.id, as_expert(expert))
    assert (asked.amount_minor, booking.amount_minor) == (extra, paid + extra)
    rooms.end(db, session, "expert", SYSTEM)
    assert money.receipt(db, booking).total_minor == paid + extra
    assert violations(db) == ()


def test_what_an_operator_has_stopped_only_an_operator_allows_again(db, expert, listing, clara):
    booking, given = held(db, listing, clara), coupon(db, expert)
    operator = Actor("operator", None, "Olivia")
    making.stop(db, given, "Not what it says", operator)
    with pytest.raises(Conflict):
        making.switch(db, expert, given.id, "resume", as_expert(expert))
    assert "paused" in refusal(db, booking)
    making.allow(db, given, "Explained", operator)
    redeeming.apply(db, booking, "SUMMER10")


def test_a_coupon_that_was_used_stays_in_the_books(db, expert, listing, clara):
    booking, given = held(db, listing, clara), coupon(db, expert)
    redeeming.apply(db, booking, "SUMMER10")
    service.cancel(db, booking, "", as_customer(clara))
    with pytest.raises(Conflict, match="stays in your books"):
        making.delete(db, expert, given.id, as_expert(expert))


def test_members_of_a_company_without_a_part_in_it_make_no_coupons(db, expert):
    with pytest.raises(NotAllowed):
        making.create(db, expert, "SUMMER10", Terms(20, None, "EUR"), as_expert(make_expert(db, "Paula Fremd")))
    assert db.query(Coupon).count() == 0


def test_people_read_which_coupons_they_have_used(db, expert, listing, clara):
    coupon(db, expert)
    redeeming.apply(db, held(db, listing, clara), "SUMMER10")
    (row,) = export_data(db, clara)["coupons_used"]
    assert (row["price_minor"], row["discount_minor"], row["returned_at"]) == (2500, 500, None)
