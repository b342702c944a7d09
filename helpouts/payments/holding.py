"""Holding the money of a booking: drafted with what is known before the booking has its row, then carried out."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.bookings.models import Booking
from helpouts.db.objects import new
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import rounding
from helpouts.payments.access import default_backend
from helpouts.payments.backend import InvalidRequest
from helpouts.payments.models import Payment, PaymentOperation
from helpouts.payments.operations import dispatch, prepare
from helpouts.payments.states import PAYMENT


class Hold(NamedTuple):
    """A booking's payment and the call that holds its money; neither is written yet."""

    payment: Payment
    operation: PaymentOperation


def draft_hold(db: Session, booking: Booking, funding: str = "") -> Hold:
    """Hold the most that a booking can cost, which need not have its row yet.

    :param funding: a ledger account with money of the customer, instead of the backend's own (a package).
    :raises InvalidRequest: for a booking that costs nothing; with ``funding`` where holds are no postings of ours.
    :raises Unavailable: when no backend is enabled.
    """
    if booking.amount_minor <= 0:
        raise InvalidRequest("a free booking holds no money")
    backend = default_backend(db)
    if booking.currency not in backend.capabilities.currencies:
        raise InvalidRequest(
            _l("Payments in %(currency)s are not possible here at the moment.", currency=booking.currency)
        )
    if funding and not backend.capabilities.in_transaction:
        raise InvalidRequest(_l("What was paid in advance cannot be used at the moment. Please come back later."))
    values = {
        "public_id": secrets.token_urlsafe(16),
        "backend": backend.name,
        "state": PAYMENT.initial,
        "currency": booking.currency,
        "payer_id": booking.customer_id,
        "payee_id": booking.host_id,
        "amount_minor": booking.amount_minor,
        "captured_minor": 0,
        "refunded_minor": 0,
        "fee_bp": booking.fee_bp,
        "fee_minor": 0,
        "fee_refunded_minor": 0,
        "funding": funding or backend.funding_account(booking.customer_id),
        "holds_money": backend.capabilities.in_transaction,
        "ref": "",
        "rounding": rounding.RULE,
    }
    payment = new(Payment, values)
    request = {
        "amount": booking.amount_minor,
        "description": booking.title,
        "return_url": f"/bookings/{booking.public_id}",
    }
    return Hold(payment, prepare(payment, "start", 0, request))


def hold(db: Session, drafted: Hold, booking: Booking, actor: Actor) -> Payment:
    """Carry a draft out for the booking, which has its key now; no payment of it may be there.

    :raises Declined: the money is not there; nothing was changed.
    """
    payment, operation = drafted
    payment.booking_id = booking.id
    dispatch(db, payment, operation, actor)
    return payment
