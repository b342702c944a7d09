"""Money that goes back after a session, and currencies of other minor units."""

# ruff: noqa: D102  # the checks' names are sentences
from __future__ import annotations

import pytest

from helpouts.payments import InvalidRequest, Money
from helpouts.testing.payments.case import Case
from helpouts.testing.payments.checks import Checks


class RefundedChecks(Checks):
    """What was taken is given back, never more."""

    @pytest.mark.parametrize("slices", [(999,), (1, 1, 997), (333, 333, 333), (998, 1)])
    def test_slices_of_a_refund_return_exactly_everything(self, case: Case, slices: tuple[int, ...]) -> None:
        booking_id = case.hold(999, fee_bp=1250)
        case.settle(booking_id)
        for part in slices if case.backend.capabilities.refund == "partial" else (999,):
            case.refund(booking_id, part)
        payment = case.payment(booking_id)
        assert payment.state == "refunded"
        assert payment.fee_refunded_minor == payment.fee_minor
        assert case.fetch(booking_id).refunded == 999
        assert case.balance("revenue:fee") == 0
        assert case.balance(f"earn_pending:{case.world.expert_id}") == 0

    def test_more_than_was_taken_is_never_given_back(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        with pytest.raises(InvalidRequest):
            case.refund(booking_id, 2501)
        with pytest.raises(InvalidRequest):
            case.directly(lambda ctx, p: case.backend.refund(ctx, p, Money(2501, "EUR"), "", "k" * 40), booking_id)
        assert case.fetch(booking_id).refunded == 0

    @pytest.mark.parametrize("minor", [0, -1])
    def test_nothing_and_less_cannot_be_given_back(self, case: Case, minor: int) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        with pytest.raises(InvalidRequest):
            case.refund(booking_id, minor)

    def test_a_hold_cannot_be_refunded(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with pytest.raises(InvalidRequest):
            case.refund(booking_id, 1)

    @pytest.mark.parametrize(("currency", "minor"), [("JPY", 1001), ("KWD", 12_345)])
    def test_currencies_with_other_minor_units_work_alike(self, case: Case, currency: str, minor: int) -> None:
        if currency not in case.backend.capabilities.currencies:
            with pytest.raises(InvalidRequest):
                case.hold(minor, currency, fund=False)
            return
        booking_id = case.hold(minor, currency, fee_bp=1500)
        case.settle(booking_id)
        payment = case.payment(booking_id)
        assert payment.captured_minor == minor
        assert case.balance("revenue:fee", currency) == payment.fee_minor
        case.refund(booking_id, minor)
        assert case.balance("revenue:fee", currency) == 0
        assert case.balance("revenue:fee", "EUR") == 0
