"""Giving money back: at once by expert or operator, or on a customer's request that somebody answers.

A refund returns the fee pro rata; slices of any size sum up exactly (:func:`helpouts.payments.rounding.slice_of`).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import site
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import effects
from helpouts.payments.backend import Declined, InvalidRequest, NotSupported
from helpouts.payments.maturing import cooling_over, mature
from helpouts.payments.models import Payment, PaymentOperation, Refund
from helpouts.payments.operations import OPEN, dispatch, next_n, prepare
from helpouts.payments.states import REFUND
from helpouts.runtime import runtime_of

REASON_LIMIT = 2000


def refundable(db: Session, payment: Payment) -> int:
    """How much can still be given back, minor units; refunds under way count as given."""
    query = select(PaymentOperation).where(
        PaymentOperation.payment_id == payment.id, PaymentOperation.op == "refund", PaymentOperation.state.in_(OPEN)
    )
    under_way = sum(int(operation.request["amount"]) for operation in db.scalars(query))
    return payment.captured_minor - payment.refunded_minor - under_way


def refund(db: Session, payment: Payment, amount_minor: int, reason: str, actor: Actor) -> Payment:
    """Give back part or all of what was captured, the fee pro rata.

    The expert's part comes out of the expert's earnings; what the expert no longer has, the site bears when an
    operator (or the system) refunds.

    :raises InvalidRequest: for an amount below 1 or above what was captured and not yet refunded.
    :raises NotAllowed: for anybody but the payment's expert, an operator or the system.
    :raises Declined: for an expert whose earnings do not suffice.
    """
    if actor.kind not in ("expert", "operator", "system"):
        raise NotAllowed(_l("Only the expert or an operator can give money back."))
    if actor.kind == "expert" and actor.user_id != payment.payee_id:
        raise NotAllowed(_l("This is another expert's payment."))
    _check_reason(reason)
    db.refresh(payment, with_for_update=True)
    if not 0 < amount_minor <= refundable(db, payment):
        raise InvalidRequest(_l("This is more than can be given back."), field="amount")
    supported = runtime_of(db).registry.payment_backend(payment.backend).capabilities.refund
    if supported == "none" or (supported == "full" and amount_minor != payment.captured_minor):
        raise NotSupported(_l("The payment backend cannot give this amount back."))
    missing = effects.refund_lines(db, payment, amount_minor)[2]
    if missing and actor.kind == "expert":
        raise Declined(_l("Your earnings do not suffice for this refund. Please ask the operators."))
    request = {"amount": amount_minor, "reason": reason}
    dispatch(db, payment, prepare(payment, "refund", next_n(db, payment, "refund"), request), actor)
    if actor.kind == "operator":
        record(db, actor, "payment.refund", payment, reason, amount=amount_minor, currency=payment.currency)
    return payment


def request_refund(db: Session, payment: Payment, amount_minor: int, reason: str, actor: Actor) -> Refund:
    """The customer asks for money back, within the site's ``refund_hours`` after the end.

    :raises NotAllowed: for anybody but the payer.
    :raises Conflict: when it is too late, or a request is open already.
    :raises InvalidRequest: for an amount that cannot be given back.
    """
    if actor.kind != "customer" or actor.user_id != payment.payer_id:
        raise NotAllowed(_l("Only the customer who paid can ask for a refund."))
    _check_reason(reason)
    db.refresh(payment, with_for_update=True)
    hours = site.get(db, "refund_hours")
    if payment.closed_at is None or clock.now() > payment.closed_at + timedelta(hours=hours):
        raise Conflict(_l("A refund can be asked for within %(hours)s hours after the session.", hours=hours))
    open_request = select(Refund.id).where(
        Refund.payment_id == payment.id, Refund.state.in_(("requested", "escalated"))
    )
    if db.scalar(open_request) is not None:
        raise Conflict(_l("You have already asked for a refund; please wait for the answer."))
    if not 0 < amount_minor <= refundable(db, payment):
        raise InvalidRequest(_l("This is more than can be given back."), field="amount")
    request = Refund(
        payment_id=payment.id, state=REFUND.initial, asked_minor=amount_minor, reason=reason, asked_by=actor.user_id
    )
    db.add(request)
    db.flush()
    return request


def answer_request(db: Session, request: Refund, granted_minor: int, answer: str, actor: Actor) -> Refund:
    """Grant all or part of a request, or refuse it with 0.

    :raises InvalidRequest: for more than was asked.
    :raises NotAllowed: for anybody but the payment's expert or, at any stage, an operator.
    :raises Conflict: when it was answered already.
    """
    payment = db.get_one(Payment, request.payment_id, with_for_update=True, populate_existing=True)
    db.refresh(request, with_for_update=True)
    if actor.kind == "expert" and actor.user_id != payment.payee_id:
        raise NotAllowed(_l("This is another expert's payment."))
    if not 0 <= granted_minor <= request.asked_minor:
        raise InvalidRequest(_l("This is more than was asked for."), field="amount")
    _check_reason(answer)
    REFUND.apply(db, request, "grant" if granted_minor else "refuse", actor, answer)
    request.granted_minor, request.answer = granted_minor, answer
    request.decided_by, request.decided_at = actor.user_id, clock.now()
    if granted_minor:
        refund(db, payment, granted_minor, request.reason, actor)
    db.flush()
    if cooling_over(db, payment):
        mature(db, payment)
    return request


def escalate_request(db: Session, request: Refund, actor: Actor) -> Refund:
    """The customer asks an operator to decide: after a refusal, or because nobody answers.

    :raises NotAllowed: for anybody but the customer who asked (and the system).
    """
    if actor.kind == "customer" and actor.user_id != request.asked_by:
        raise NotAllowed(_l("Only the customer who paid can ask for a refund."))
    REFUND.apply(db, request, "escalate", actor)
    return request


def _check_reason(reason: str) -> None:
    if len(reason) > REASON_LIMIT:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=REASON_LIMIT), field="reason")
