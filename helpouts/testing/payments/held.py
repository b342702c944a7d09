"""What becomes of a hold."""

# ruff: noqa: D102  # the checks' names are sentences
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from helpouts.bookings.models import Booking
from helpouts.errors import HelpoutsError
from helpouts.jobs.worker import Worker
from helpouts.payments import InvalidRequest, Money, service
from helpouts.payments.models import Payment, PaymentOperation
from helpouts.testing.payments.case import Case
from helpouts.testing.payments.checks import Checks


class HeldChecks(Checks):
    """Money is held for a booking."""

    def test_a_hold_is_held_here_and_there(self, case: Case) -> None:
        booking_id = case.hold(2500)
        assert case.payment(booking_id).state == "held"
        seen = case.fetch(booking_id)
        assert (seen.state, seen.authorized, seen.captured, seen.refunded) == ("SUCCEEDED", 2500, 0, 0)

    def test_holding_again_is_the_same_payment(self, case: Case) -> None:
        booking_id = case.hold(2500)
        first = case.payment(booking_id).public_id
        case.do(lambda db: service.hold_for_booking(db, db.get_one(Booking, booking_id), case.world.customer))
        assert case.payment(booking_id).public_id == first
        with case.runtime.database.read() as db:
            assert db.scalar(select(func.count()).select_from(PaymentOperation)) == 1

    def test_a_customer_without_money_is_declined_and_nothing_is_left(self, case: Case) -> None:
        if not case.poor:
            assert not case.backend.capabilities.in_transaction, "a wallet declines whoever has no money"
            return
        with pytest.raises(HelpoutsError) as refused:
            case.hold(2500, fund=False)
        assert refused.value.status == 402
        with case.runtime.database.read() as db:
            assert db.scalar(select(func.count()).select_from(Payment)) == 0

    def test_a_foreign_currency_is_refused_before_any_call(self, case: Case) -> None:
        assert "XTS" not in case.backend.capabilities.currencies
        with pytest.raises(InvalidRequest):
            case.hold(2500, "XTS", fund=False)

    def test_a_free_booking_is_not_its_business(self, case: Case) -> None:
        with pytest.raises(InvalidRequest):
            case.hold(0, fund=False, pricing="free")

    def test_says_when_the_hold_lapses_if_it_does(self, case: Case) -> None:
        payment = case.payment(case.hold())
        assert (payment.expires_at is None) == (case.backend.capabilities.hold_max_age is None)


class CapturedChecks(Checks):
    """What was held is taken for a session, or given back."""

    def test_a_session_is_paid_in_full(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        payment = case.payment(booking_id)
        assert (payment.state, payment.captured_minor, payment.fee_minor) == ("captured", 2500, 500)
        seen = case.fetch(booking_id)
        assert (seen.authorized, seen.captured) == (0, 2500)
        assert case.balance(f"earn_pending:{case.world.expert_id}") == 2000

    def test_a_shorter_session_takes_less_and_gives_the_rest_back(self, case: Case) -> None:
        booking_id = case.hold(3000, pricing="per_minute", price_minor=100)
        case.settle(booking_id, seconds=95)
        assert case.payment(booking_id).captured_minor == 158
        assert case.fetch(booking_id).captured == 158
        assert case.balance(f"escrow:{booking_id}") == 0

    def test_a_session_in_which_nobody_met_takes_nothing(self, case: Case) -> None:
        booking_id = case.hold(3000, pricing="per_minute", price_minor=100)
        case.settle(booking_id, seconds=0)
        assert case.payment(booking_id).state == "voided"
        seen = case.fetch(booking_id)
        assert (seen.authorized, seen.captured) == (0, 0)

    def test_settling_twice_is_settling_once(self, case: Case) -> None:
        booking_id = case.hold(3000, pricing="per_minute", price_minor=100)
        case.settle(booking_id, seconds=600)
        case.settle(booking_id, seconds=1200)
        case.release(booking_id)
        assert case.payment(booking_id).captured_minor == 1000
        assert case.fetch(booking_id).captured == 1000

    def test_settling_in_sixteen_threads_is_settling_once(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: self._settle_in_thread(case, booking_id), range(16)))
        Worker(case.runtime).drain()
        assert case.fetch(booking_id).captured == 2500
        assert case.balance("revenue:fee") == 500

    @staticmethod
    def _settle_in_thread(case: Case, booking_id: int) -> None:
        case.runtime.database.run(
            lambda db: service.settle_booking(db, db.get_one(Booking, booking_id), 1800, case.world.operator)
        )

    def test_taking_more_than_is_held_is_refused(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with pytest.raises(InvalidRequest):
            case.directly(lambda ctx, p: case.backend.capture(ctx, p, Money(2501, "EUR"), True, "k" * 40), booking_id)
        assert case.fetch(booking_id).captured == 0

    def test_a_cancelled_booking_gives_everything_back(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.release(booking_id)
        assert case.payment(booking_id).state == "voided"
        assert case.fetch(booking_id).authorized == 0
        assert case.balance("revenue:fee") == 0

    def test_a_late_cancellation_costs_what_the_policy_says(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.release(booking_id, charge=1250)
        payment = case.payment(booking_id)
        assert (payment.captured_minor, payment.fee_minor) == (1250, 250)
        assert case.fetch(booking_id).captured == 1250

    def test_what_was_taken_cannot_be_voided(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        with pytest.raises(InvalidRequest):
            case.directly(lambda ctx, p: case.backend.void(ctx, p, "k" * 40), booking_id)
