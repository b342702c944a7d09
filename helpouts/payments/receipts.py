"""The receipt of a booking, for its page and the mail, in the language in force."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.bookings.models import Booking
from helpouts.i18n import gettext as _
from helpouts.payments.models import DEAD_STATES, Payment


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A label and an amount, as people read them."""

    label: str
    amount: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a booking cost.

    :param number: the payment's public id, "" for a free session.
    :param lines: for the customer; ``earnings`` are the expert's: the price, the fee, what is left.
    :param total_minor: what the customer paid in the end, minor units of ``currency``.
    """

    number: str
    state: str
    currency: str
    total_minor: int
    total: str
    lines: tuple[ReceiptLine, ...]
    earnings: tuple[ReceiptLine, ...]


def receipt(db: Session, booking: Booking) -> Receipt:
    """The receipt as it stands now: the price while it is only held, what was paid once it is settled."""
    payment = db.scalar(select(Payment).where(Payment.booking_id == booking.id, Payment.state.not_in(DEAD_STATES)))
    currency = booking.currency

    def line(label: str, minor: int) -> ReceiptLine:
        return ReceiptLine(label, formatting.money(minor, currency), minor)

    if payment is None:
        free = not booking.amount_minor
        label = _("Price") if free else _("Price, not paid")
        shown = ReceiptLine(label, _("Free"), 0) if free else line(label, booking.amount_minor)
        return Receipt("", "", currency, 0, formatting.money(0, currency), (shown,), ())
    if payment.closed_at is None:
        label = _("Held from your package") if payment.is_prepaid else _("Held until the session is over")
        held = line(label, payment.amount_minor)
        return Receipt(payment.public_id, payment.state, currency, 0, formatting.money(0, currency), (held,), ())
    total = payment.captured_minor - payment.refunded_minor
    lines = [line(_("Held from your package") if payment.is_prepaid else _("Held"), payment.amount_minor)]
    if payment.amount_minor > payment.captured_minor:
        back = _("Given back to your package") if payment.is_prepaid else _("Given back")
        lines.append(line(back, payment.captured_minor - payment.amount_minor))
    if payment.refunded_minor:
        lines.append(line(_("Refunded"), -payment.refunded_minor))
    lines.append(line(_("Paid"), total))
    fee = payment.fee_minor - payment.fee_refunded_minor
    earned = [line(_("Price"), total), line(_("Fee of the site"), -fee), line(_("Earned"), total - fee)]
    return Receipt(
        payment.public_id,
        payment.state,
        currency,
        total,
        formatting.money(total, currency),
        tuple(lines),
        tuple(earned),
    )
