"""Reaching the payment backends: which one new bookings use, what it is lent, who is ready."""

from __future__ import annotations

from sqlalchemy.orm import Session

from helpouts import site
from helpouts.clock import clock
from helpouts.errors import Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.backend import Money, PayeeStatus, PaymentBackend, PaymentContext, PaymentView
from helpouts.payments.models import Payment
from helpouts.plugins.service import read_settings
from helpouts.runtime import runtime_of


def default_backend(db: Session) -> PaymentBackend:
    """The backend that new bookings use: the site's setting, else the configuration's.

    :raises Unavailable: when it is not installed or not enabled.
    """
    runtime = runtime_of(db)
    name = site.get(db, "payment_backend") or runtime.config.payment_backend
    backend = runtime.registry.payment_backends(db).get(name)
    if backend is None:
        raise Unavailable(_l("Payments are switched off at the moment. Please come back later."))
    return backend


def context(db: Session, backend: PaymentBackend) -> PaymentContext:
    """What the core lends to a call of the backend: its settings, the instant, the transaction if it works in it."""
    plugin = runtime_of(db).registry.plugin_of("helpouts_payment_backends", backend.name)
    settings = read_settings(db, plugin) if plugin is not None else {}
    return PaymentContext(settings, clock.now(), db if backend.capabilities.in_transaction else None)


def view(payment: Payment) -> PaymentView:
    """The payment as its backend sees it."""
    return PaymentView(
        payment_id=payment.public_id,
        ref=payment.ref,
        amount=Money(payment.amount_minor, payment.currency),
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        payer_id=payment.payer_id,
        payee_id=payment.payee_id,
    )


def payer_status(db: Session, user_id: int) -> PayeeStatus:
    """Whether this customer can pay, and what is missing."""
    try:
        backend = default_backend(db)
    except Unavailable as error:
        return PayeeStatus(ready=False, needs=(error.message,))
    return backend.payer_status(context(db, backend), user_id)


def payee_status(db: Session, user_id: int) -> PayeeStatus:
    """Whether this expert can be paid, and what is missing."""
    try:
        backend = default_backend(db)
    except Unavailable as error:
        return PayeeStatus(ready=False, needs=(error.message,))
    return backend.payee_status(context(db, backend), user_id)


def ready_to_pay(db: Session, user_id: int) -> bool:
    """Whether this customer is set up to pay through the default backend."""
    return payer_status(db, user_id).ready


def ready_to_be_paid(db: Session, user_id: int) -> bool:
    """Whether this expert is set up to be paid through the default backend."""
    return payee_status(db, user_id).ready


def setup_url(db: Session, user_id: int) -> str:
    """Where this person connects to the default backend; "" when there is nothing to set up or no backend."""
    try:
        return default_backend(db).setup_url(user_id)
    except Unavailable:
        return ""
