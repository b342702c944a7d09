"""Calls that are repeated, unknown or not genuine."""

# ruff: noqa: D102  # the checks' names are sentences
from __future__ import annotations

import pytest
from sqlalchemy import select

from helpouts.payments import Money, NotSupported, PaymentError, PaymentView, WebhookRejected, access, service
from helpouts.payments.models import PaymentOperation
from helpouts.payments.operations import call
from helpouts.testing.payments.case import Case
from helpouts.testing.payments.checks import Checks


class CalledChecks(Checks):
    """The backend itself is called, as jobs and companies do."""

    def test_the_same_key_has_one_effect(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        case.refund(booking_id, 500)
        before = case.fetch(booking_id)
        with case.runtime.database.session(write=True) as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            for operation in db.scalars(select(PaymentOperation).order_by(PaymentOperation.id)).all():
                seen = access.view(payment)
                try:
                    call(case.backend, case.context(db), seen, operation)
                except PaymentError:
                    # A wallet may look at the state first: its keys are remembered by the ledger.
                    assert case.backend.capabilities.in_transaction, "repeating a call is no mistake"
            db.rollback()
        assert case.fetch(booking_id) == before

    def test_a_payment_that_it_never_saw_is_unknown_to_it(self, case: Case) -> None:
        stranger = PaymentView("never-seen", "", Money(100, "EUR"), 0, 0, case.world.customer_id, case.world.expert_id)
        with case.runtime.database.read() as db:
            seen = case.backend.fetch(case.context(db), stranger)
        assert (seen.state, seen.authorized, seen.captured, seen.refunded) == ("UNKNOWN", 0, 0, 0)

    @pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff", b"[1]", b"x" * 1_000_000])
    @pytest.mark.parametrize("signature", ["", "sha256=00", "Ω"])
    def test_a_webhook_that_is_not_genuine_is_rejected(self, case: Case, body: bytes, signature: str) -> None:
        headers = {"Signature": signature, "Stripe-Signature": signature} if signature.isascii() else {}
        with case.runtime.database.read() as db, pytest.raises(WebhookRejected):
            case.backend.parse_webhook(case.context(db), headers, body)

    def test_what_is_declared_impossible_is_refused(self, case: Case) -> None:
        capabilities, booking_id = case.backend.capabilities, case.hold(2500)
        if not capabilities.void:
            with pytest.raises(NotSupported):
                case.directly(lambda ctx, p: case.backend.void(ctx, p, "k" * 40), booking_id)
        if capabilities.interaction == "none" and not capabilities.can_be_pending:
            with pytest.raises(NotSupported):
                case.directly(lambda ctx, p: case.backend.resume(ctx, p, {"paid": "yes"}, "k" * 40), booking_id)

    def test_what_a_browser_claims_is_not_believed(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with case.runtime.database.read() as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            try:
                case.backend.resume(case.context(db), access.view(payment), {"captured": "9999"}, "k" * 40)
            except NotSupported:
                return
        assert case.fetch(booking_id).captured == 0

    def test_a_payment_has_a_reference_of_the_backend(self, case: Case) -> None:
        assert case.payment(case.hold(2500)).ref
