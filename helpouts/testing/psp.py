"""A payment company in memory, and the backend that talks to it: for tests of everything that leaves the database.

Faults are set per call: :attr:`DummyBackend.faults` is a list that each call takes its next word from:

``"lost"``        carried out, the answer is lost (:class:`OutcomeUnknown`)
``"unreached"``   not carried out, and nobody knows (:class:`OutcomeUnknown`)
``"down"``        certainly not carried out (:class:`BackendUnavailable`)
``"crash"``       carried out, then something that is no payment error
``"decline"``     declined
``"pending"``     carried out later, by :meth:`Company.complete`
``""``            no fault
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from helpouts.payments import (
    BackendUnavailable,
    Capabilities,
    Declined,
    IdempotencyMismatch,
    InvalidRequest,
    Money,
    Outcome,
    OutcomeUnknown,
    PayeeStatus,
    PaymentContext,
    PaymentView,
    Snapshot,
    StartRequest,
    WebhookEvent,
    WebhookRejected,
)

WEBHOOK_SECRET = b"dummy webhook secret"


@dataclass
class Charge:
    """A payment at the company; amounts in minor units."""

    ref: str
    currency: str
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    state: str = "SUCCEEDED"


@dataclass
class Company:
    """The company's books: charges by reference, and what each idempotency key did."""

    charges: dict[str, Charge] = field(default_factory=dict)
    keys: dict[str, tuple[str, Outcome]] = field(default_factory=dict)
    #: calls that had an effect, by key: never more than one each
    effects: list[str] = field(default_factory=list)

    def once(self, key: str, content: str, effect: Outcome) -> Outcome | None:
        """What the key did before, or None when it is new and ``effect`` is now what it did.

        :raises IdempotencyMismatch: for other content.
        """
        before = self.keys.get(key)
        if before is None:
            self.keys[key] = (content, effect)
            self.effects.append(key)
            return None
        if before[0] != content:
            raise IdempotencyMismatch("this key stands for another call")
        return before[1]

    def complete(self, ref: str) -> None:
        """A pending charge goes through."""
        self.charges[ref].state = "SUCCEEDED"


class DummyBackend:
    """A backend that does not work in our transaction: called by jobs, with faults at will."""

    name = "dummy"
    title: object = "Dummy company"
    summary: object = "For tests: moves no money."
    capabilities = Capabilities(
        currencies=frozenset({"EUR", "JPY", "KWD"}),
        can_be_pending=True,
        webhooks=True,
        idempotency_ttl=timedelta(hours=24),
        test_mode=True,
    )

    def __init__(self) -> None:
        self.company = Company()
        self.faults: list[str] = []

    def start(self, ctx: PaymentContext, request: StartRequest, idempotency_key: str) -> Outcome:
        """Hold the amount."""
        fault = self._fault()
        ref = f"ch_{request.payment_id}"
        state = "PENDING" if fault == "pending" else "SUCCEEDED"
        outcome = Outcome("PENDING" if fault == "pending" else "SUCCEEDED", ref=ref)
        content = f"start {request.payment_id} {request.amount}"
        before = self.company.once(idempotency_key, content, outcome)
        if before is None:
            self.company.charges[ref] = Charge(ref, request.amount.currency, request.amount.minor, state=state)
        return self._answer(before or outcome, fault)

    def resume(self, ctx: PaymentContext, payment: PaymentView, params: Mapping[str, str], key: str) -> Outcome:
        """The browser came back: the truth is with the company."""
        return Outcome(self.fetch(ctx, payment).state, ref=payment.ref)

    def capture(self, ctx: PaymentContext, payment: PaymentView, amount: Money, final: bool, key: str) -> Outcome:
        """Take out of the hold; the rest is released."""
        fault = self._fault()
        charge = self._charge(payment)
        outcome = Outcome("SUCCEEDED", ref=charge.ref)
        if key not in self.company.keys and not 0 <= amount.minor <= charge.authorized:
            raise InvalidRequest("more than is held")
        before = self.company.once(key, f"capture {payment.payment_id} {amount}", outcome)
        if before is None:
            charge.captured, charge.authorized = charge.captured + amount.minor, 0
        return self._answer(before or outcome, fault)

    def void(self, ctx: PaymentContext, payment: PaymentView, key: str) -> Outcome:
        """Release the hold."""
        fault = self._fault()
        charge = self._charge(payment)
        outcome = Outcome("SUCCEEDED", ref=charge.ref)
        if charge.captured:
            raise InvalidRequest("captured already")
        before = self.company.once(key, f"void {payment.payment_id}", outcome)
        if before is None:
            charge.authorized = 0
        return self._answer(before or outcome, fault)

    def refund(self, ctx: PaymentContext, payment: PaymentView, amount: Money, reason: str, key: str) -> Outcome:
        """Give back."""
        fault = self._fault()
        charge = self._charge(payment)
        outcome = Outcome("SUCCEEDED", ref=charge.ref)
        if key not in self.company.keys and not 0 < amount.minor <= charge.captured - charge.refunded:
            raise InvalidRequest("more than was captured")
        before = self.company.once(key, f"refund {payment.payment_id} {amount}", outcome)
        if before is None:
            charge.refunded += amount.minor
        return self._answer(before or outcome, fault)

    def fetch(self, ctx: PaymentContext, payment: PaymentView) -> Snapshot:
        """The company's books."""
        charge = self.company.charges.get(f"ch_{payment.payment_id}")
        if charge is None:
            return Snapshot("UNKNOWN", 0, 0, 0)
        state = "PENDING" if charge.state == "PENDING" else "SUCCEEDED"
        return Snapshot(state, charge.authorized, charge.captured, charge.refunded, charge.ref)  # type: ignore[arg-type]  # one of the two

    def parse_webhook(self, ctx: PaymentContext, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """Check the signature (HMAC-SHA256 of the body, header ``Signature``)."""
        if not hmac.compare_digest(sign(body), headers.get("Signature", "")):
            raise WebhookRejected("the signature is wrong")
        try:
            event = json.loads(body)
            return (WebhookEvent(str(event["id"]), str(event["ref"])),)
        except (ValueError, KeyError, TypeError) as error:
            raise WebhookRejected("this is not an event") from error

    def funding_account(self, payer_id: int) -> str:
        """What the company owes us."""
        return "psp:dummy"

    def payer_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Everybody has a card."""
        return PayeeStatus(ready=True)

    def payee_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Everybody has a bank."""
        return PayeeStatus(ready=True)

    def setup_url(self, user_id: int) -> str:
        """Nothing to set up."""
        return ""

    def describe(self, payment: PaymentView) -> Sequence[tuple[object, str]]:
        """The reference."""
        return (("Reference", payment.ref),)

    def _fault(self) -> str:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "down":
            raise BackendUnavailable("the company does not answer")
        if fault == "unreached":
            raise OutcomeUnknown("the request may not have arrived")
        if fault == "decline":
            raise Declined("the card was declined")
        return fault

    @staticmethod
    def _answer(outcome: Outcome, fault: str) -> Outcome:
        if fault == "lost":
            raise OutcomeUnknown("the answer was lost")
        if fault == "crash":
            raise RuntimeError("a bug in the backend")
        return outcome

    def _charge(self, payment: PaymentView) -> Charge:
        try:
            return self.company.charges[f"ch_{payment.payment_id}"]
        except KeyError:
            raise InvalidRequest("there is no such charge") from None


def sign(body: bytes) -> str:
    """The signature of a webhook of the company."""
    return hmac.new(WEBHOOK_SECRET, body, hashlib.sha256).hexdigest()
