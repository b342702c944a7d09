"""What payment companies tell us: verified by the backend, and then only a reason to look for ourselves."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.payments.access import context
from helpouts.payments.models import Payment
from helpouts.payments.operations import ask_again
from helpouts.runtime import runtime_of


def receive(db: Session, backend_name: str, headers: Mapping[str, str], body: bytes) -> int:
    """Have the payments that a notification names looked up soon; how many of them are ours.

    Nothing that the notification claims is believed, so repeated, late and reordered ones do no harm.

    :raises WebhookRejected: when the backend does not find it genuine.
    """
    backend = runtime_of(db).registry.payment_backend(backend_name)
    refs = {event.ref for event in backend.parse_webhook(context(db, backend), headers, body)}
    outside = Payment.holds_money.is_(False)  # what was settled in our own transaction has nothing to look up
    ours = select(Payment).where(Payment.backend == backend_name, Payment.ref.in_(refs), outside)
    payments = db.scalars(ours).all()
    for payment in payments:
        ask_again(db, payment)
    return len(payments)
