"""The money of a booking: hold it, settle it after the session, release it on a cancellation.

The one door to the money for all other parts of the product.

Every function works in the caller's transaction; an error leaves nothing behind once the caller rolls back.
Amounts are minor units of the booking's currency.
"""

from __future__ import annotations

from sqlalchemy import bindparam, literal_column
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.bookings.models import Booking
from helpouts.db.objects import Objects
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import rounding
from helpouts.payments.access import (
    default_backend,
    payee_status,
    payer_status,
    ready_to_be_paid,
    ready_to_pay,
    setup_url,
)
from helpouts.payments.backend import InvalidRequest, NotSupported
from helpouts.payments.checkout import CheckoutView, checkout_view
from helpouts.payments.holding import Hold, draft_hold, hold
from helpouts.payments.ledger import balance
from helpouts.payments.maturing import mature
from helpouts.payments.models import DEAD_STATES, Payment
from helpouts.payments.operations import dispatch, is_closing, next_n, prepare
from helpouts.payments.receipts import receipt
from helpouts.payments.refunds import answer_request, escalate_request, refund, request_refund
from helpouts.payments.wallets import earnings, top_up, wallet_statement
from helpouts.runtime import runtime_of

__all__ = [
    "CheckoutView",
    "Hold",
    "answer_request",
    "checkout_view",
    "default_backend",
    "draft_hold",
    "earnings",
    "escalate_request",
    "gross_of",
    "hold",
    "hold_for_booking",
    "lacking",
    "mature",
    "name_payee",
    "payee_status",
    "payer_status",
    "payment_of",
    "raise_hold",
    "ready_to_be_paid",
    "ready_to_pay",
    "receipt",
    "refund",
    "release_booking",
    "request_refund",
    "settle_booking",
    "setup_url",
    "top_up",
    "wallet_statement",
]


_OF_BOOKING = (
    Payment.booking_id == bindparam("booking"),
    Payment.state.not_in([literal_column(f"'{state}'") for state in DEAD_STATES]),
)
_PAYMENT, _LOCKED = Objects(Payment, *_OF_BOOKING), Objects(Payment, *_OF_BOOKING, lock=True)


def payment_of(db: Session, booking_id: int, *, lock: bool = False) -> Payment | None:
    """The booking's payment, those that never came about aside; there is at most one."""
    return (_LOCKED if lock else _PAYMENT).first(db, {"booking": booking_id})


def hold_for_booking(db: Session, booking: Booking, actor: Actor) -> Payment:
    """Hold the most that the booking can cost; holding again returns the payment that is there.

    With a backend that does not work in our transaction the payment comes back ``created``, and a job goes on.

    :raises Declined: the money is not there; nothing was changed.
    :raises InvalidRequest: for a booking that costs nothing.
    :raises Unavailable: when no backend is enabled.
    """
    standing = payment_of(db, booking.id, lock=True)
    return standing or hold(db, draft_hold(db, booking), booking, actor)


def name_payee(db: Session, booking: Booking) -> None:
    """The money of a request for help now is held before it is known who earns it: from now on it is the host's.

    :raises InvalidRequest: when the payment is settled or released already.
    """
    payment = payment_of(db, booking.id, lock=True)
    if payment is None or payment.closed_at is not None:
        raise InvalidRequest("only a payment that is still held can be given another payee")
    payment.payee_id, payment.fee_bp = booking.host_id, booking.fee_bp


def lacking(db: Session, booking: Booking, extra_minor: int) -> int:
    """How much the customer's side lacks to hold so much more for the booking, minor units; 0 when it is there.

    :raises NotSupported: when the payment's backend cannot hold more.
    """
    payment = payment_of(db, booking.id)
    if payment is None:
        return extra_minor
    check_raisable(db, payment)
    return max(0, extra_minor - balance(db, payment.funding, payment.currency))


def raise_hold(db: Session, booking: Booking, extra_minor: int, actor: Actor) -> Payment:
    """Hold more for a booking whose money is held: its session is extended.

    :raises Declined: the money is not there; nothing was changed.
    :raises NotSupported: the payment's backend cannot hold more.
    :raises InvalidRequest: when there is no hold to raise.
    """
    payment = payment_of(db, booking.id, lock=True)
    if payment is None or payment.state != "held":
        raise InvalidRequest(_l("The money of this session is not held any more; it cannot be extended."))
    check_raisable(db, payment)
    dispatch(db, payment, prepare(payment, "raise", next_n(db, payment, "raise"), {"amount": extra_minor}), actor)
    return payment


def check_raisable(db: Session, payment: Payment) -> None:
    """Whether more can be held for a payment.

    :raises NotSupported: when its backend cannot, or when it was paid in advance: more would eat the next session.
    """
    if payment.is_prepaid:
        raise NotSupported(
            _l("This session was paid from a package, which pays for whole sessions only. Book another one instead.")
        )
    capabilities = runtime_of(db).registry.payment_backend(payment.backend).capabilities
    if not (capabilities.raise_hold and capabilities.in_transaction):
        raise NotSupported(_l("This way of paying cannot hold more money during a session. Book another one instead."))


def gross_of(booking: Booking, connected_seconds: int) -> int:
    """What the session costs: the price of a fixed one; by the second, half-even, up to the hold, per minute."""
    if booking.pricing == "per_minute":
        return rounding.prorate(booking.price_minor, connected_seconds, 60, booking.amount_minor)
    return min(booking.price_minor, booking.amount_minor)


def settle_booking(db: Session, booking: Booking, connected_seconds: int, actor: Actor) -> Payment | None:
    """Take what the session cost out of the hold, pay expert and fee, give the rest back; once.

    Whether a session took place at all is not asked here: for a missed one there is :func:`release_booking`.

    :returns: the payment, or None for a booking without one (a free session).
    """
    return _close(db, booking, gross_of(booking, connected_seconds), actor)


def release_booking(db: Session, booking: Booking, charge_minor: int, actor: Actor) -> Payment | None:
    """Give the hold back but for ``charge_minor``, which the cancellation policy keeps for the expert; once.

    :returns: the payment, or None for a booking without one.
    """
    return _close(db, booking, max(0, charge_minor), actor)


def _close(db: Session, booking: Booking, gross: int, actor: Actor) -> Payment | None:
    payment = payment_of(db, booking.id, lock=True)
    if payment is None or payment.closed_at is not None:
        return payment
    gross, n = min(gross, payment.amount_minor), 0
    op = "capture" if gross else "void"
    if not payment.holds_money:  # a job does it: perhaps one is on its way, perhaps one has failed
        if is_closing(db, payment):
            return payment
        n = next_n(db, payment, op)
    dispatch(db, payment, prepare(payment, op, n, {"amount": gross}), actor)
    return payment
