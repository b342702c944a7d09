"""What an operation that succeeded does to the payment and to the ledger: one journal each, at most.

The journal's key is the operation's key, so that an effect applied twice is still one effect.  Postings:

=========  ======================================================================================
start      funding -> escrow, when the backend's holds are money in our books (a wallet)
raise      the same again, for what is held on top
capture    (funding -> escrow first, when they are not) escrow -> expert, fee; the rest -> funding
void       escrow -> funding
refund     fee -> funding, expert -> funding; what the expert no longer has: goodwill -> funding
=========  ======================================================================================
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from helpouts import events, site
from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.db.later import write_later, write_new_later
from helpouts.jobs.service import promise_all
from helpouts.payments import rounding
from helpouts.payments.backend import Outcome
from helpouts.payments.ledger import Line, balance, post
from helpouts.payments.models import Payment, PaymentOperation
from helpouts.payments.states import PAYMENT

GOODWILL = "expense:goodwill"
FEE = "revenue:fee"


def succeed(db: Session, payment: Payment, operation: PaymentOperation, outcome: Outcome, actor: Actor) -> None:
    """Post, move the payment on, and tell the plugins.

    :raises Declined: when the funding account has not got the money; nothing was written.
    """
    _EFFECTS[operation.op](db, payment, operation, outcome, actor)
    finish(operation, "succeeded", outcome)
    if operation.id is None:
        operation.payment_id = payment.id
        write_later(db, operation)
    tell(db, payment)


def finish(operation: PaymentOperation, state: str, outcome: Outcome) -> None:
    """Write down what became of the operation."""
    operation.state = state
    operation.outcome = {"status": outcome.status, "ref": outcome.ref, "message": str(outcome.message)}
    operation.finished_at = clock.now()


def tell(db: Session, payment: Payment) -> None:
    """Promise the event ``payment_changed`` to the plugins."""
    db.flush()
    events.emit(db, "payment_changed", payment_id=payment.id, state=payment.state)


def escrow(payment: Payment) -> str:
    """The account that holds the booking's money."""
    return f"escrow:{payment.booking_id}"


def earned(payment: Payment) -> str:
    """The account in which the expert's part of this payment is."""
    return f"{'earn_pending' if payment.matured_at is None else 'earn_avail'}:{payment.payee_id}"


def refund_lines(db: Session, payment: Payment, amount: int) -> tuple[list[Line], int, int]:
    """(lines, fee part, what the expert no longer has) of giving back ``amount`` now, minor units."""
    fee_part = rounding.slice_of(payment.fee_minor, payment.captured_minor, payment.refunded_minor, amount)
    expert_part = amount - fee_part
    there = min(expert_part, balance(db, earned(payment), payment.currency))
    legs = ((FEE, fee_part), (earned(payment), there), (GOODWILL, expert_part - there))
    lines = [Line(code, payment.funding, part, payment.currency) for code, part in legs if part]
    return lines, fee_part, expert_part - there


def _ref(payment: Payment) -> str:
    return f"payment:{payment.public_id}"


def _start(db: Session, payment: Payment, operation: PaymentOperation, outcome: Outcome, actor: Actor) -> None:
    if payment.holds_money:
        line = Line(payment.funding, escrow(payment), payment.amount_minor, payment.currency)
        post(db, operation.key, "hold", _ref(payment), [line])
    payment.ref, payment.expires_at, payment.held_at = outcome.ref or payment.ref, outcome.expires_at, clock.now()
    if payment.id is None:
        step = PAYMENT.step(payment.state, "hold", actor)
        source, payment.state = payment.state, step.target
        write_new_later(db, payment)
        PAYMENT.note(db, payment.id, step, source, actor)
    else:
        PAYMENT.apply(db, payment, "hold", actor)


def _raise(db: Session, payment: Payment, operation: PaymentOperation, _outcome: Outcome, _actor: Actor) -> None:
    extra = int(operation.request["amount"])
    if payment.holds_money:
        line = Line(payment.funding, escrow(payment), extra, payment.currency)
        post(db, operation.key, "hold", _ref(payment), [line])
    payment.amount_minor += extra


def _capture(db: Session, payment: Payment, operation: PaymentOperation, _outcome: Outcome, actor: Actor) -> None:
    gross = int(operation.request["amount"])
    fee = rounding.fee(gross, payment.fee_bp)
    legs = [
        (escrow(payment), f"earn_pending:{payment.payee_id}", gross - fee),
        (escrow(payment), FEE, fee),
    ]
    if payment.holds_money:
        legs.append((escrow(payment), payment.funding, payment.amount_minor - gross))
    else:
        legs.insert(0, (payment.funding, escrow(payment), gross))
    lines = [Line(debit, credit, amount, payment.currency) for debit, credit, amount in legs if amount]
    post(db, operation.key, "settle", _ref(payment), lines)
    payment.captured_minor, payment.fee_minor, payment.closed_at = gross, fee, clock.now()
    PAYMENT.apply(db, payment, "capture", actor)
    cooling = timedelta(hours=site.get(db, "refund_hours"))
    run_at = clock.now() + cooling
    promise_all(db, [{"kind": "payments.mature", "payload": {"payment": payment.id}, "run_at": run_at}])


def _void(db: Session, payment: Payment, operation: PaymentOperation, _outcome: Outcome, actor: Actor) -> None:
    if payment.holds_money and payment.held_at is not None:
        line = Line(escrow(payment), payment.funding, payment.amount_minor, payment.currency)
        post(db, operation.key, "release", _ref(payment), [line])
    payment.closed_at = clock.now()
    PAYMENT.apply(db, payment, "void", actor)


def _refund(db: Session, payment: Payment, operation: PaymentOperation, _outcome: Outcome, actor: Actor) -> None:
    amount = int(operation.request["amount"])
    lines, fee_part, _ = refund_lines(db, payment, amount)
    post(db, operation.key, "refund", _ref(payment), lines)
    payment.refunded_minor += amount
    payment.fee_refunded_minor += fee_part
    whole = payment.refunded_minor == payment.captured_minor
    PAYMENT.apply(db, payment, "refund_all" if whole else "refund_part", actor, str(operation.request["reason"]))


_EFFECTS = {"start": _start, "raise": _raise, "capture": _capture, "void": _void, "refund": _refund}
