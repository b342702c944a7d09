"""Acme payments: a backend for Helpouts that pretends to move money, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock

from helpouts.hookspecs import hookimpl
from helpouts.payments import (
    Capabilities,
    InvalidRequest,
    Money,
    NotSupported,
    Outcome,
    PayeeStatus,
    PaymentContext,
    PaymentView,
    Snapshot,
    StartRequest,
    WebhookEvent,
    WebhookRejected,
)


@dataclass
class Charge:
    """What Acme knows of a payment, minor units."""

    authorized: int = 0
    captured: int = 0
    refunded: int = 0


class AcmeBackend:
    """Called by jobs, one payment at a time; the same key has one effect."""

    name = "acme"
    title: object = "Acme"
    summary: object = "Pay with Acme."
    capabilities = Capabilities(payee_onboarding=False)

    def __init__(self) -> None:
        self._charges: dict[str, Charge] = {}
        self._answers: dict[str, Outcome] = {}
        self._lock = RLock()

    def _once(self, key: str, payment_id: str, work: Callable[[Charge], bool]) -> Outcome:
        with self._lock:
            if key not in self._answers:
                if not work(self._charges.setdefault(payment_id, Charge())):
                    raise InvalidRequest("Acme refuses this amount.")
                self._answers[key] = Outcome("SUCCEEDED", ref=f"acme-{payment_id}")
            return self._answers[key]

    def start(self, ctx: PaymentContext, request: StartRequest, idempotency_key: str) -> Outcome:
        """Hold the amount."""

        def hold(charge: Charge) -> bool:
            charge.authorized = request.amount.minor
            return True

        return self._once(idempotency_key, request.payment_id, hold)

    def resume(self, ctx: PaymentContext, payment: PaymentView, params: Mapping[str, str], key: str) -> Outcome:
        """There is nothing to come back from."""
        raise NotSupported("Acme has no further step.")

    def capture(self, ctx: PaymentContext, payment: PaymentView, amount: Money, final: bool, key: str) -> Outcome:
        """Take a part of the hold and release the rest."""

        def take(charge: Charge) -> bool:
            if fits := 0 < amount.minor <= charge.authorized:
                charge.captured, charge.authorized = amount.minor, 0
            return fits

        return self._once(key, payment.payment_id, take)

    def void(self, ctx: PaymentContext, payment: PaymentView, key: str) -> Outcome:
        """Release the hold."""

        def release(charge: Charge) -> bool:
            charge.authorized = 0
            return charge.captured == 0

        return self._once(key, payment.payment_id, release)

    def refund(self, ctx: PaymentContext, payment: PaymentView, amount: Money, reason: str, key: str) -> Outcome:
        """Give back a part of what was taken."""

        def give(charge: Charge) -> bool:
            if fits := 0 < amount.minor <= charge.captured - charge.refunded:
                charge.refunded += amount.minor
            return fits

        return self._once(key, payment.payment_id, give)

    def fetch(self, ctx: PaymentContext, payment: PaymentView) -> Snapshot:
        """The truth as Acme has it."""
        with self._lock:
            charge = self._charges.get(payment.payment_id)
        if charge is None:
            return Snapshot("UNKNOWN", 0, 0, 0)
        return Snapshot("SUCCEEDED", charge.authorized, charge.captured, charge.refunded, f"acme-{payment.payment_id}")

    def parse_webhook(self, ctx: PaymentContext, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """Acme calls nobody."""
        raise WebhookRejected("Acme sends no webhooks")

    def funding_account(self, payer_id: int) -> str:
        """What Acme owes us."""
        return "psp:acme"

    def payer_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Everybody can pay."""
        return PayeeStatus(ready=True)

    def payee_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Everybody can be paid."""
        return PayeeStatus(ready=True)

    def setup_url(self, user_id: int) -> str:
        """There is nothing to set up."""
        return ""

    def describe(self, payment: PaymentView) -> Sequence[tuple[object, str]]:
        """For the operator."""
        return (("Acme reference", payment.ref),)


@hookimpl
def helpouts_payment_backends() -> tuple[AcmeBackend, ...]:
    """The backend "acme"."""
    return (AcmeBackend(),)
