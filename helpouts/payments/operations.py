"""Calls to backends: written down before they are made, made once per key, and never forgotten.

A backend that works in our transaction is called at once and any error undoes everything.  All others are called by
a job with no transaction open: the operation is committed as ``prepared`` first; a call whose outcome is unknown is
resolved by asking the backend (:meth:`~helpouts.payments.backend.PaymentBackend.fetch`), and repeated, with the same
key only, when it was not carried out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.clock import clock
from helpouts.db.objects import new
from helpouts.jobs.models import Job
from helpouts.jobs.service import enqueue, handler
from helpouts.payments import access, effects
from helpouts.payments.backend import (
    BackendUnavailable,
    Declined,
    Money,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    PaymentBackend,
    PaymentContext,
    PaymentError,
    PaymentView,
    RaisesHolds,
    Snapshot,
    StartRequest,
)
from helpouts.payments.models import DEAD_STATES, Payment, PaymentOperation
from helpouts.payments.states import PAYMENT
from helpouts.runtime import Runtime, runtime_of

#: States of an operation from which it may still succeed.
OPEN = ("prepared", "pending", "unknown")
ASK_AGAIN = timedelta(seconds=60)
Effect = Callable[[Session], None]


def prepare(payment: Payment, op: str, n: int, request: Mapping[str, Any]) -> PaymentOperation:
    """The record of a call; nothing is written yet.  ``n`` counts the calls of one kind."""
    key = hashlib.sha256(f"{payment.public_id}:{op}:{n}".encode()).hexdigest()[:40]
    digest = hashlib.sha256(json.dumps(dict(request), sort_keys=True).encode()).hexdigest()
    values = {"op": op, "n": n, "key": key, "request": dict(request), "request_hash": digest, "state": "prepared"}
    return new(PaymentOperation, values)


def next_n(db: Session, payment: Payment, op: str) -> int:
    """The number of the payment's next operation of this kind."""
    query = select(func.count()).where(PaymentOperation.payment_id == payment.id, PaymentOperation.op == op)
    return db.scalar(query) or 0


def is_closing(db: Session, payment: Payment) -> bool:
    """Whether a capture or void of the payment is under way."""
    query = select(PaymentOperation.id).where(
        PaymentOperation.payment_id == payment.id,
        PaymentOperation.op.in_(("capture", "void")),
        PaymentOperation.state.in_(OPEN),
    )
    return db.scalar(query) is not None


def dispatch(db: Session, payment: Payment, operation: PaymentOperation, actor: Actor) -> None:
    """Carry the operation out now (a backend that works in our transaction) or promise to.

    :raises PaymentError: what the backend or the ledger raised; the caller's transaction must be rolled back.
    """
    backend = runtime_of(db).registry.payment_backend(payment.backend)
    if backend.capabilities.in_transaction:
        outcome = call(backend, access.context(db, backend), access.view(payment), operation)
        if outcome.status != "SUCCEEDED":
            raise Declined(outcome.message or f"the payment backend answered {outcome.status}")
        effects.succeed(db, payment, operation, outcome, actor)
    else:
        db.add(payment)
        db.flush()
        operation.payment_id = payment.id
        operation.request = {**operation.request, "actor": [actor.kind, actor.user_id, actor.label]}
        db.add(operation)
        db.flush()
        _promise(db, operation)


def call(backend: PaymentBackend, ctx: PaymentContext, payment: PaymentView, operation: PaymentOperation) -> Outcome:
    """Make the call.

    :raises OutcomeUnknown: for whatever the backend raises that is not a :class:`PaymentError`.
    """
    request, key = operation.request, operation.key
    amount = Money(int(request.get("amount", 0)), payment.amount.currency)
    try:
        match operation.op:
            case "start":
                start = StartRequest(
                    payment.payment_id,
                    payment.amount,
                    payment.payer_id,
                    payment.payee_id,
                    request["description"],
                    request["return_url"],
                )
                return backend.start(ctx, start, key)
            case "raise":
                if not isinstance(backend, RaisesHolds):
                    raise NotSupported(f"the payment backend {backend.name!r} cannot hold more for a payment")
                return backend.raise_hold(ctx, payment, amount, key)
            case "capture":
                return backend.capture(ctx, payment, amount, True, key)
            case "void":
                return backend.void(ctx, payment, key)
            case _:
                return backend.refund(ctx, payment, amount, request["reason"], key)
    except PaymentError:
        raise
    except Exception as error:
        raise OutcomeUnknown(f"{backend.name}: {type(error).__name__}: {error}") from error


@handler("payments.call", outside=True)
def call_backend(runtime: Runtime, _job_id: int, payload: Mapping[str, Any]) -> Effect | None:
    """The job: call the backend, or ask it what became of an earlier call; returns what to write down."""
    with runtime.database.read() as db:
        operation = db.get_one(PaymentOperation, payload["operation"])
        payment = db.get_one(Payment, operation.payment_id)
        if operation.state not in OPEN:
            return None
        never_began = operation.op != "start" and payment.state in DEAD_STATES
        backend = runtime.registry.payment_backend(payment.backend)
        ctx, seen = access.context(db, backend), access.view(payment)
        db.expunge(operation)
        age, ttl = clock.now() - operation.created_at, backend.capabilities.idempotency_ttl
    if never_began:
        return lambda db: _close(db, operation.id, "failed", Outcome("FAILED", message="the payment never began"))
    try:
        if operation.state != "prepared" or (ttl is not None and age > ttl):
            outcome = _judge(operation, seen, backend.fetch(ctx, seen))
            if outcome is None:
                outcome = call(backend, ctx, seen, operation)
        else:
            outcome = call(backend, ctx, seen, operation)
    except BackendUnavailable:
        raise
    except Declined as error:
        outcome = Outcome("DECLINED", message=error.message)
    except OutcomeUnknown as error:
        outcome = Outcome("UNKNOWN", message=str(error))
    except PaymentError as error:
        outcome = Outcome("FAILED", message=error.message)
    return lambda db: apply(db, operation.id, outcome)


def apply(db: Session, operation_id: int, outcome: Outcome) -> None:
    """Write down what became of a call; an operation that is settled already is left alone."""
    operation = db.get_one(PaymentOperation, operation_id, with_for_update=True, populate_existing=True)
    if operation.state not in OPEN:
        return
    payment = db.get_one(Payment, operation.payment_id, with_for_update=True, populate_existing=True)
    kind, user_id, label = operation.request.get("actor", ["system", None, "system"])
    actor = Actor(kind, user_id, label)
    match outcome.status:
        case "SUCCEEDED":
            effects.succeed(db, payment, operation, outcome, actor)
        case "UNKNOWN":
            operation.state, operation.outcome = "unknown", {"status": "UNKNOWN", "message": str(outcome.message)}
            if operation.op != "refund" and payment.state != "unknown":
                PAYMENT.apply(db, payment, "lose", SYSTEM, str(outcome.message))
                effects.tell(db, payment)
            _promise(db, operation, ASK_AGAIN)
        case "PENDING" | "ACTION_REQUIRED":
            operation.state, payment.ref = "pending", outcome.ref or payment.ref
            event = "wait" if outcome.status == "PENDING" else "ask"
            if operation.op == "start" and PAYMENT.find(payment.state, event):
                payment.action = dict(outcome.action)
                PAYMENT.apply(db, payment, event, SYSTEM)
                effects.tell(db, payment)
            _promise(db, operation, ASK_AGAIN)
        case _:
            state = "declined" if outcome.status == "DECLINED" else "failed"
            if operation.op == "start":
                PAYMENT.apply(db, payment, "decline" if state == "declined" else "fail", SYSTEM, str(outcome.message))
            elif payment.state == "unknown":
                PAYMENT.apply(db, payment, "hold", SYSTEM, str(outcome.message))
            _close(db, operation.id, state, outcome)
            effects.tell(db, payment)


def ask_again(db: Session, payment: Payment) -> None:
    """Have the open operations of a payment looked up now: a webhook came, or the browser is back."""
    query = select(PaymentOperation).where(PaymentOperation.payment_id == payment.id, PaymentOperation.state.in_(OPEN))
    operations = db.scalars(query).all()
    waiting = db.scalars(select(Job).where(Job.serial_key == _serial(payment.id), Job.state == "ready")).all()
    for job in waiting:
        # Jobs of one payment go one after the other: a new one would wait behind the one that sleeps.
        job.run_at = min(job.run_at, clock.now())
    for operation in operations[: 0 if waiting else 1]:
        _promise(db, operation)


def _judge(operation: PaymentOperation, payment: PaymentView, snapshot: Snapshot) -> Outcome | None:
    """What the other side's state says of the operation; None when it was not carried out."""
    amount = int(operation.request.get("amount", 0))
    match operation.op:
        case "start":
            if snapshot.state == "UNKNOWN":
                return None
            return Outcome(snapshot.state, ref=snapshot.ref or payment.ref)
        case "capture":
            done = snapshot.captured >= amount
        case "void":
            done = snapshot.authorized == 0 and snapshot.captured == 0
        case _:
            done = snapshot.refunded >= payment.refunded_minor + amount
    return Outcome("SUCCEEDED", ref=payment.ref) if done else None


def _close(db: Session, operation_id: int, state: str, outcome: Outcome) -> None:
    effects.finish(db.get_one(PaymentOperation, operation_id), state, outcome)


def _promise(db: Session, operation: PaymentOperation, delay: timedelta = timedelta(0)) -> None:
    enqueue(
        db,
        "payments.call",
        {"operation": operation.id},
        run_at=clock.now() + delay,
        serial_key=_serial(operation.payment_id),
        max_attempts=20,
    )


def _serial(payment_id: int) -> str:
    return f"payment:{payment_id}"
