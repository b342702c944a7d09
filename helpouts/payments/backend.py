"""The contract of a payment backend: the plugin family that moves money.

The core owns the state machine, the amounts, retries, the ledger, the fee and rounding.  A backend only
asks its company (or the core's wallet accounts) for money and says what happened.  Money calls go to the
one backend that a payment names, never to all.

Idempotency: every call that may move money carries a key that was committed before the call.  The same key
with the same parameters has one effect; the core repeats a call only with the same key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from helpouts.errors import HelpoutsError

Status = Literal["SUCCEEDED", "PENDING", "ACTION_REQUIRED", "DECLINED", "FAILED", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency (ISO 4217), e.g. ``Money(2500, "EUR")``."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do; the booking rules and pages ask before they offer it.

    :param in_transaction: the calls only touch this database and run inside the booking's transaction.
        All others are driven by jobs, with no transaction open during the call.
    :param hold_max_age: how long a hold lives, None for ever.
    :param idempotency_ttl: how long a key is remembered by the other side, None for ever.
    :param raise_hold: more can be held for a payment whose hold stands (a session is extended); the backend then is a
        :class:`RaisesHolds`, and works ``in_transaction``: nobody waits in a running session for a payment company.
    """

    currencies: frozenset[str] = frozenset({"EUR"})
    hold: bool = True
    hold_max_age: timedelta | None = None
    partial_capture: bool = True
    void: bool = True
    refund: Literal["none", "full", "partial"] = "partial"
    interaction: Literal["none", "inline", "redirect", "instructions"] = "none"
    can_be_pending: bool = False
    webhooks: bool = False
    payee_onboarding: bool = True
    payouts: bool = False
    in_transaction: bool = False
    idempotency_ttl: timedelta | None = None
    raise_hold: bool = False
    test_mode: bool = False


@dataclass(frozen=True, slots=True)
class PaymentContext:
    """What the core lends to a call.

    :param settings: the plugin's settings, decrypted.
    :param db: the open transaction for a backend with ``in_transaction``, else None.
    :param now: the instant of the call.
    """

    settings: Mapping[str, Any]
    now: datetime
    db: Session | None = None


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Begin a payment.  ``capture`` "later" is a hold of ``amount``; "now" takes it at once."""

    payment_id: str
    amount: Money
    payer_id: int
    payee_id: int
    description: str
    return_url: str
    capture: Literal["now", "later"] = "later"


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as a backend sees it: its own reference and the amounts that the core has on record."""

    payment_id: str
    ref: str
    amount: Money
    captured_minor: int
    refunded_minor: int
    payer_id: int
    payee_id: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call.

    :param ref: the other side's name of the payment.
    :param action: for ACTION_REQUIRED: {"kind": "redirect"|"client_secret"|"instructions", ...}.
    :param message: translatable, for the customer.
    """

    status: Status
    ref: str = ""
    action: Mapping[str, Any] = field(default_factory=dict)
    message: object = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The authoritative state of a payment at the other side; amounts in minor units."""

    state: Status
    authorized: int
    captured: int
    refunded: int
    ref: str = ""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified notification: only a hint to :meth:`PaymentBackend.fetch` the payment it names."""

    event_id: str
    ref: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PayeeStatus:
    """Whether somebody can pay or be paid through the backend, and what is missing."""

    ready: bool
    needs: Sequence[object] = ()


class PaymentError(HelpoutsError):
    """Base of what a backend may raise; anything else it raises counts as :class:`OutcomeUnknown`."""

    status = 402
    code = "payment"


class Declined(PaymentError):
    """The money is not there or not given; nothing was moved."""


class InvalidRequest(PaymentError):
    """The call itself is wrong (capture above the hold, refund above the capture); nothing was moved."""


class NotSupported(PaymentError):
    """The backend has declared that it cannot do this."""


class BackendUnavailable(PaymentError):
    """Certainly not executed; may be tried again with the same key."""


class OutcomeUnknown(PaymentError):
    """Perhaps executed: only the same key again, or :meth:`PaymentBackend.fetch`."""


class IdempotencyMismatch(PaymentError):
    """The key was used before with other parameters."""


class WebhookRejected(PaymentError):
    """Bad signature, too old, or not for us."""

    status = 400


@runtime_checkable
class PaymentBackend(Protocol):
    """What a plugin returns from ``helpouts_payment_backends``: one object per backend.

    ``funding_account(payment)`` names the ledger account that the money of a hold or capture comes from
    (``wallet:{user}`` or ``psp:{name}``); the core posts, the backend never touches the ledger for a booking.
    """

    name: str
    title: object
    summary: object
    capabilities: Capabilities

    def start(self, ctx: PaymentContext, request: StartRequest, idempotency_key: str) -> Outcome:
        """Begin: hold or take the amount, or say what the customer must do."""
        ...

    def resume(self, ctx: PaymentContext, payment: PaymentView, params: Mapping[str, str], key: str) -> Outcome:
        """The browser came back; ``params`` are untrusted."""
        ...

    def capture(self, ctx: PaymentContext, payment: PaymentView, amount: Money, final: bool, key: str) -> Outcome:
        """Take ``amount`` of the hold; ``final`` releases the rest.

        :raises InvalidRequest: above what is held.
        """
        ...

    def void(self, ctx: PaymentContext, payment: PaymentView, key: str) -> Outcome:
        """Release what is still held."""
        ...

    def refund(self, ctx: PaymentContext, payment: PaymentView, amount: Money, reason: str, key: str) -> Outcome:
        """Give back ``amount`` of what was captured.

        :raises InvalidRequest: above what was captured and not yet refunded.
        """
        ...

    def fetch(self, ctx: PaymentContext, payment: PaymentView) -> Snapshot:
        """Read the truth from the other side."""
        ...

    def parse_webhook(self, ctx: PaymentContext, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """Verify and name what changed; pure.

        :raises WebhookRejected: for anything that is not genuine.
        """
        ...

    def funding_account(self, payer_id: int) -> str:
        """Code of the ledger account that the payer's money comes from."""
        ...

    def payer_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Whether this customer can pay through the backend."""
        ...

    def payee_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Whether this expert can be paid through the backend."""
        ...

    def setup_url(self, user_id: int) -> str:
        """Where somebody connects to the backend (a path of the plugin's own pages), or ""."""
        ...

    def describe(self, payment: PaymentView) -> Sequence[tuple[object, str]]:
        """Label and value pairs for the operator; no secrets."""
        ...


@runtime_checkable
class RaisesHolds(Protocol):
    """A backend with the capability ``raise_hold``."""

    def raise_hold(self, ctx: PaymentContext, payment: PaymentView, amount: Money, key: str) -> Outcome:
        """Hold ``amount`` on top of what is held.

        :raises Declined: the money is not there; the hold stays as it was.
        :raises InvalidRequest: when the hold does not stand any more.
        """
        ...


class StandinBackend:
    """What a stored name resolves to when its plugin is gone: shows history, refuses to move money."""

    title: object
    summary: object = ""
    capabilities = Capabilities(hold=False, partial_capture=False, void=False, refund="none")

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = name

    def _gone(self) -> NotSupported:
        return NotSupported(f"the payment backend {self.name!r} is not installed: install its plugin to move money")

    def start(self, ctx: PaymentContext, request: StartRequest, idempotency_key: str) -> Outcome:
        """Refused."""
        raise self._gone()

    def resume(self, ctx: PaymentContext, payment: PaymentView, params: Mapping[str, str], key: str) -> Outcome:
        """Refused."""
        raise self._gone()

    def capture(self, ctx: PaymentContext, payment: PaymentView, amount: Money, final: bool, key: str) -> Outcome:
        """Refused."""
        raise self._gone()

    def void(self, ctx: PaymentContext, payment: PaymentView, key: str) -> Outcome:
        """Refused."""
        raise self._gone()

    def refund(self, ctx: PaymentContext, payment: PaymentView, amount: Money, reason: str, key: str) -> Outcome:
        """Refused."""
        raise self._gone()

    def fetch(self, ctx: PaymentContext, payment: PaymentView) -> Snapshot:
        """Refused."""
        raise self._gone()

    def parse_webhook(self, ctx: PaymentContext, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """Refused."""
        raise self._gone()

    def funding_account(self, payer_id: int) -> str:
        """Refused."""
        raise self._gone()

    def payer_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Not ready."""
        return PayeeStatus(ready=False, needs=(str(self._gone()),))

    def payee_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Not ready."""
        return PayeeStatus(ready=False, needs=(str(self._gone()),))

    def setup_url(self, user_id: int) -> str:
        """Nowhere."""
        return ""

    def describe(self, payment: PaymentView) -> Sequence[tuple[object, str]]:
        """Nothing."""
        return ()
