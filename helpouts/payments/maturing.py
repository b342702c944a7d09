"""Earnings become payable once the time for refunds is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import site
from helpouts.clock import clock
from helpouts.jobs.service import handler
from helpouts.payments.ledger import Line, post
from helpouts.payments.models import Payment, Refund


def cooling_over(db: Session, payment: Payment) -> bool:
    """Whether the site's ``refund_hours`` after the end have passed."""
    hours = timedelta(hours=site.get(db, "refund_hours"))
    return payment.closed_at is not None and clock.now() >= payment.closed_at + hours


def mature(db: Session, payment: Payment) -> bool:
    """Make the expert's part payable; tells whether it is now.

    While a request for a refund is open it stays pending; the answer matures it.
    """
    if payment.matured_at is not None:
        return True
    if payment.captured_minor == 0:
        return False
    asked = select(Refund.id).where(Refund.payment_id == payment.id, Refund.state.in_(("requested", "escalated")))
    if db.scalar(asked) is not None:
        return False
    amount = payment.captured_minor - payment.fee_minor - (payment.refunded_minor - payment.fee_refunded_minor)
    if amount:
        line = Line(f"earn_pending:{payment.payee_id}", f"earn_avail:{payment.payee_id}", amount, payment.currency)
        post(db, f"mature:{payment.public_id}", "mature", f"payment:{payment.public_id}", [line])
    payment.matured_at = clock.now()
    db.flush()
    return True


@handler("payments.mature")
def _mature(db: Session, payload: Mapping[str, Any]) -> None:
    """The job: promised at the capture for the end of the time for refunds."""
    mature(db, db.get_one(Payment, payload["payment"], with_for_update=True))
