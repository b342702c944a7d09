"""The money of a booking from the hold to the last refund, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from helpouts_payments_wallet.service import connect_payer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts import site
from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.jobs.worker import Worker
from helpouts.payments import Declined, InvalidRequest, service
from helpouts.payments.ledger import Line, balance, post
from helpouts.payments.models import Payment, Refund
from helpouts.payments.payouts import fail_payout, finish_payout, request_payout
from helpouts.payments.wallets import earnings_statement
from helpouts.plugins.service import set_enabled
from helpouts.testing.money import World, person


def paid(db: Session, world: World, minor: int = 2500, **booking: object) -> Payment:
    """A session that took place and is paid."""
    booked = world.booking(db, minor, **booking)  # type: ignore[arg-type]
    payment = service.hold_for_booking(db, booked, world.customer)
    service.settle_booking(db, booked, 1700, SYSTEM)
    return payment


def test_a_fixed_session_pays_the_expert_and_the_fee(world: World) -> None:
    with world.runtime.database.write() as db:
        booking = world.booking(db, 2500)
        payment = service.hold_for_booking(db, booking, world.customer)
        assert payment.state == "held"
        assert balance(db, f"escrow:{booking.id}", "EUR") == 2500
        service.settle_booking(db, booking, 1700, SYSTEM)
        assert payment.state == "captured"
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 7500
        assert balance(db, f"earn_pending:{world.expert_id}", "EUR") == 2000
        assert balance(db, "revenue:fee", "EUR") == 500
        assert balance(db, f"escrow:{booking.id}", "EUR") == 0


@pytest.mark.parametrize(("seconds", "cost"), [(0, 0), (30, 75), (95, 238), (1800, 4500), (9999, 4500)])
def test_a_session_per_minute_costs_the_time_connected_up_to_the_hold(world: World, seconds: int, cost: int) -> None:
    with world.runtime.database.write() as db:
        booking = world.booking(db, 4500, pricing="per_minute", price_minor=150)
        service.hold_for_booking(db, booking, world.customer)
        payment = service.settle_booking(db, booking, seconds, SYSTEM)
        assert payment is not None
        assert payment.captured_minor == cost
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 10_000 - cost


@pytest.mark.parametrize(("bp", "fee"), [(0, 0), (1, 0), (1250, 125), (2000, 200), (10_000, 1000)])
def test_the_fee_is_the_bookings_own(world: World, bp: int, fee: int) -> None:
    with world.runtime.database.write() as db:
        assert paid(db, world, 1000, fee_bp=bp).fee_minor == fee


def test_a_free_session_has_no_payment(world: World) -> None:
    with world.runtime.database.write() as db:
        booking = world.booking(db, 0, pricing="free")
        assert service.settle_booking(db, booking, 1700, SYSTEM) is None
        assert service.receipt(db, booking).total_minor == 0


def test_a_wallet_that_is_switched_off_takes_no_new_booking_but_settles_old_ones(world: World) -> None:
    with world.runtime.database.write() as db:
        booking, later = world.booking(db), world.booking(db)
        service.hold_for_booking(db, booking, world.customer)
        set_enabled(db, "payments_wallet", False, world.operator)
        assert not service.ready_to_pay(db, world.customer_id)
        with pytest.raises(HelpoutsError, match="switched off"):
            service.hold_for_booking(db, later, world.customer)
        payment = service.settle_booking(db, booking, 1700, SYSTEM)
        assert payment is not None
        assert payment.state == "captured"


def test_fifty_bookings_with_money_for_ten_are_exactly_ten(world: World) -> None:
    with world.runtime.database.write() as db:
        bookings = [world.booking(db, 1000).id for _ in range(50)]

    def hold(booking_id: int) -> bool:
        def work(db: Session) -> None:
            service.hold_for_booking(db, db.get_one(Booking, booking_id), world.customer)

        try:
            world.runtime.database.run(work)
        except Declined:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(hold, bookings)) == 10
    with world.runtime.database.read() as db:
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 0
        assert db.scalar(select(func.count()).select_from(Payment)) == 10


def test_holding_one_booking_in_eight_threads_is_one_payment(world: World) -> None:
    with world.runtime.database.write() as db:
        booking_id = world.booking(db, 1000).id

    def hold(_: int) -> str:
        def work(db: Session) -> str:
            booking = db.get_one(Booking, booking_id, with_for_update={"of": Booking})
            return service.hold_for_booking(db, booking, world.customer).public_id

        return world.runtime.database.run(work)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(hold, range(8)))) == 1
    with world.runtime.database.read() as db:
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 9000


# -- refunds -------------------------------------------------------------------------------------------------


def test_a_refund_returns_the_fee_pro_rata(world: World) -> None:
    with world.runtime.database.write() as db:
        payment = paid(db, world, 2500)
        service.refund(db, payment, 1000, "half the time", world.operator)
        assert (payment.state, payment.fee_refunded_minor) == ("part_refunded", 200)
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 8500
        assert balance(db, f"earn_pending:{world.expert_id}", "EUR") == 1200


def test_an_expert_refunds_own_payments_only_and_customers_none(world: World) -> None:
    with world.runtime.database.write() as db:
        payment = paid(db, world)
        for actor in (world.customer, type(world.expert)("expert", world.customer_id, "another")):
            with pytest.raises(NotAllowed):
                service.refund(db, payment, 100, "", actor)
        assert service.refund(db, payment, 100, "", world.expert).refunded_minor == 100


def test_the_site_bears_what_the_expert_was_paid_out_already(world: World) -> None:
    with world.runtime.database.write() as db:
        payment = paid(db, world, 2500)
        assert service.mature(db, payment)
        finish_payout(db, request_payout(db, world.expert_id, 1500, "EUR", "k", world.expert), world.operator)
        with pytest.raises(Declined, match="do not suffice"):
            service.refund(db, payment, 2500, "", world.expert)
        service.refund(db, payment, 2500, "it never worked", world.operator)
        assert payment.state == "refunded"
        assert balance(db, "expense:goodwill", "EUR") == 1500
        assert balance(db, "revenue:fee", "EUR") == 0
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 10_000


def test_a_request_for_a_refund_is_granted_in_part(world: World) -> None:
    with world.runtime.database.write() as db:
        payment = paid(db, world, 2500)
        request = service.request_refund(db, payment, 2000, "no picture", world.customer)
        with pytest.raises(Conflict, match="already asked"):
            service.request_refund(db, payment, 100, "again", world.customer)
        assert not service.mature(db, payment)
        service.answer_request(db, request, 500, "sorry for the delay", world.expert)
        assert (request.state, payment.refunded_minor) == ("granted", 500)
        assert service.mature(db, payment)


def test_a_refused_request_goes_to_an_operator_who_has_the_last_word(world: World) -> None:
    with world.runtime.database.write() as db:
        payment = paid(db, world, 2500)
        request = service.request_refund(db, payment, 2500, "no picture", world.customer)
        service.answer_request(db, request, 0, "it worked for me", world.expert)
        assert request.state == "refused"
        service.escalate_request(db, request, world.customer)
        with pytest.raises(NotAllowed):
            service.answer_request(db, request, 100, "", world.expert)
        service.answer_request(db, request, 2500, "the log shows no picture", world.operator)
        assert (request.state, payment.state) == ("granted", "refunded")


def test_after_the_time_for_refunds_nobody_can_ask_and_the_earnings_are_payable(world: World) -> None:
    clock.set(clock.now())
    with world.runtime.database.write() as db:
        payment_id = paid(db, world, 2500).id
        hours = site.get(db, "refund_hours")
    clock.advance(timedelta(hours=hours, seconds=1))
    Worker(world.runtime).drain()
    with world.runtime.database.write() as db:
        payment = db.get_one(Payment, payment_id)
        assert payment.matured_at is not None
        assert balance(db, f"earn_avail:{world.expert_id}", "EUR") == 2000
        with pytest.raises(Conflict, match="72 hours"):
            service.request_refund(db, payment, 100, "too late", world.customer)
        service.refund(db, payment, 500, "out of courtesy", world.expert)
        assert balance(db, f"earn_avail:{world.expert_id}", "EUR") == 1600


def test_an_open_request_keeps_the_earnings_pending_until_it_is_answered(world: World) -> None:
    clock.set(clock.now())
    with world.runtime.database.write() as db:
        payment_id = paid(db, world, 2500).id
        payment = db.get_one(Payment, payment_id)
        request_id = service.request_refund(db, payment, 500, "no sound", world.customer).id
    clock.advance(timedelta(hours=100))
    Worker(world.runtime).drain()
    with world.runtime.database.write() as db:
        payment = db.get_one(Payment, payment_id)
        assert payment.matured_at is None
        service.answer_request(db, db.get_one(Refund, request_id), 0, "there was sound", world.operator)
        assert payment.matured_at is not None


# -- payouts -------------------------------------------------------------------------------------------------


def test_a_payout_that_comes_back_is_payable_again(world: World) -> None:
    with world.runtime.database.write() as db:
        service.mature(db, paid(db, world, 2500))
        payout = request_payout(db, world.expert_id, 2000, "EUR", "k", world.expert)
        assert request_payout(db, world.expert_id, 2000, "EUR", "k", world.expert) is payout
        with pytest.raises(HelpoutsError, match="another amount"):
            request_payout(db, world.expert_id, 1999, "EUR", "k", world.expert)
        assert balance(db, f"earn_avail:{world.expert_id}", "EUR") == 0
        fail_payout(db, payout, "no such account", world.operator)
        assert balance(db, f"earn_avail:{world.expert_id}", "EUR") == 2000
        with pytest.raises(Conflict):
            finish_payout(db, payout, world.operator)


def test_nobody_is_paid_out_more_than_is_payable(world: World) -> None:
    with world.runtime.database.session(write=True) as db:
        paid(db, world, 2500)
        with pytest.raises(Declined):
            request_payout(db, world.expert_id, 1, "EUR", "k", world.expert)
        with pytest.raises(NotAllowed):
            request_payout(db, world.customer_id, 1, "EUR", "k", world.expert)
        db.rollback()


# -- what people see -----------------------------------------------------------------------------------------


def test_the_receipt_follows_the_money(world: World) -> None:
    with world.runtime.database.write() as db:
        booking = world.booking(db, 4500, pricing="per_minute", price_minor=150)
        assert [line.amount_minor for line in service.receipt(db, booking).lines] == [4500]
        payment = service.hold_for_booking(db, booking, world.customer)
        assert service.receipt(db, booking).lines[0].amount == "€45.00"
        service.settle_booking(db, booking, 1200, SYSTEM)
        service.refund(db, payment, 1000, "", world.operator)
        receipt = service.receipt(db, booking)
        assert [line.amount_minor for line in receipt.lines] == [4500, -1500, -1000, 2000]
        assert [line.amount_minor for line in receipt.earnings] == [2000, -400, 1600]
        assert (receipt.total_minor, receipt.total) == (2000, "€20.00")


def test_the_statement_lists_what_went_in_and_out_newest_first(world: World) -> None:
    with world.runtime.database.write() as db:
        payment = paid(db, world, 4500, pricing="per_minute", price_minor=150)
        assert payment.captured_minor == 4250  # 1 700 seconds
        service.refund(db, payment, 250, "", world.operator)
        lines = service.wallet_statement(db, world.customer_id)
        assert [(line.kind, line.amount_minor) for line in lines] == [
            ("refund", 200),
            ("refund", 50),
            ("settle", 250),
            ("hold", -4500),
            ("top_up", 10_000),
        ]
        assert lines[-1].kind == "top_up"
        assert lines[0].title == "Set up a wireless router"
        assert len(service.wallet_statement(db, world.customer_id, limit=2)) == 2
        assert [entry.kind for entry in earnings_statement(db, world.expert_id)][-1] == "settle"
        (sums,) = service.earnings(db, world.expert_id)
        assert sums.pending_minor == payment.captured_minor - payment.fee_minor - 200


def test_people_are_ready_when_they_have_accepted_the_terms(world: World) -> None:
    with world.runtime.database.write() as db:
        stranger = person(db, "Stefan")
        assert service.ready_to_pay(db, world.customer_id)
        assert not service.ready_to_pay(db, stranger.id)
        assert not service.ready_to_be_paid(db, world.expert_id)
        assert service.payer_status(db, stranger.id).needs
        assert service.setup_url(db, stranger.id) == "/x/payments_wallet/"
        view = service.checkout_view(db, stranger.id, 2500, "EUR")
        assert (view.ready, view.missing_minor, view.missing_label) == (False, 2500, "€25.00")
        connect_payer(db, stranger.id, world.customer)
        assert service.checkout_view(db, stranger.id, 0, "EUR").ready


def test_a_top_up_counts_once_for_each_key(world: World) -> None:
    with world.runtime.database.write() as db:
        for _ in range(3):
            service.top_up(db, world.customer_id, 500, "EUR", source="psp:test", key="click")
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 10_500
        with pytest.raises(InvalidRequest):
            service.top_up(db, world.customer_id, 0, "EUR", source="psp:test", key="nothing")


def test_unexplained_money_may_wait_a_day(world: World) -> None:
    from helpouts.payments.verify import violations

    clock.set(clock.now())
    with world.runtime.database.write() as db:
        post(db, "odd", "unmatched", "psp:test", [Line("psp:test", "suspense:psp", 5, "EUR")])
        assert violations(db) == ()
        clock.advance(timedelta(hours=25))
        assert [finding.key for finding in violations(db)] == ["I15"]
        post(db, "even", "matched", "psp:test", [Line("suspense:psp", "psp:test", 5, "EUR")])
        assert violations(db) == ()
