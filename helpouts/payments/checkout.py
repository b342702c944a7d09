"""What the checkout page needs to know of a customer's money."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.errors import Unavailable
from helpouts.payments.access import context, default_backend
from helpouts.payments.ledger import balance


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """Whether this customer can pay this amount now, and what to do when not; labels are for people.

    :param missing_minor: how much the funding account lacks; 0 for backends that take the money from elsewhere.
    """

    ready: bool
    needs: tuple[object, ...]
    setup_url: str
    topup_url: str
    balance_minor: int
    balance_label: str
    missing_minor: int
    missing_label: str
    left_label: str


def checkout_view(db: Session, user_id: int, amount_minor: int, currency: str) -> CheckoutView:
    """The customer's side of the checkout, through the default backend."""
    try:
        backend = default_backend(db)
    except Unavailable as error:
        zero = formatting.money(0, currency)
        return CheckoutView(False, (error.message,), "", "", 0, zero, 0, zero, zero)
    status = backend.payer_status(context(db, backend), user_id)
    url = backend.setup_url(user_id)
    there = balance(db, backend.funding_account(user_id), currency)
    missing = max(0, amount_minor - there) if backend.capabilities.in_transaction else 0
    return CheckoutView(
        ready=status.ready,
        needs=tuple(status.needs),
        setup_url=url,
        topup_url=url,
        balance_minor=there,
        balance_label=formatting.money(there, currency),
        missing_minor=missing,
        missing_label=formatting.money(missing, currency),
        left_label=formatting.money(max(0, there - amount_minor), currency),
    )
