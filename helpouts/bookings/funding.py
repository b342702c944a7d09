"""What the checkout shows of the customer's money."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.formatting import money
from helpouts.payments import ledger, service


@dataclass(frozen=True, slots=True)
class Funding:
    """Whether the booking can be paid now, and where to go when it cannot.

    :param missing_minor: how much more the wallet needs, minor units; 0 when there is enough.
    """

    ready: bool
    setup_url: str
    balance_label: str
    left_label: str
    missing_minor: int
    missing_label: str


def funding_of(db: Session, booking: Booking, back: str) -> Funding:
    """The customer's side of a held booking; ``back`` is where the payment pages return to (a path)."""
    balance = ledger.balance(db, f"wallet:{booking.customer_id}", booking.currency)
    missing = max(0, booking.amount_minor - balance)
    url = service.setup_url(db, booking.customer_id)
    return Funding(
        ready=service.ready_to_pay(db, booking.customer_id),
        setup_url=f"{url}?{urlencode({'next': back})}" if url else "",
        balance_label=money(balance, booking.currency),
        left_label=money(balance - booking.amount_minor, booking.currency),
        missing_minor=missing,
        missing_label=money(missing, booking.currency),
    )
