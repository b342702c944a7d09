"""Payments and the requests for refunds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import DecimalField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record as audit
from helpouts.bookings.models import Booking
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import refunds
from helpouts.payments.models import Payment, PaymentOperation, Refund
from helpouts.payments.money import to_minor
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.views.base import Records

STATES = (
    "created",
    "action_required",
    "pending",
    "held",
    "captured",
    "part_refunded",
    "refunded",
    "voided",
    "declined",
    "failed",
    "unknown",
)


class AmountForm(FlaskForm):
    """How much, and why.  The amount is in whole units of the payment's currency, as people write it."""

    amount = DecimalField(
        _l("Amount"),
        validators=[InputRequired(_l("Enter an amount.")), NumberRange(min=0, message=_l("Enter an amount."))],
    )
    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(_l("Say why.")), Length(max=2000)],
        description=_l("Customer and expert will read this."),
    )


def _minor(form: Any, currency: str) -> int:
    try:
        return to_minor(Decimal(form.amount.data), currency)
    except (ValueError, ArithmeticError):
        raise HelpoutsError(
            _l("This amount has more digits than %(currency)s has.", currency=currency), field="amount"
        ) from None


def _refund(db: Session, payment: Payment, form: Any, actor: Actor) -> None:
    refunds.refund(db, payment, _minor(form, payment.currency), form.reason.data, actor)


REFUND = Action(
    "refund",
    _l("Give money back"),
    _refund,
    AmountForm,
    lambda payment: payment.state in ("captured", "part_refunded"),
    _l("All or part of what was paid. The fee goes back in proportion; what the expert no longer has, the site bears."),
    _l("The money is on its way back."),
    danger=True,
)


class PaymentsView(Records):
    """Every payment with its calls to the payment company."""

    shows = Payment
    endpoint_name = "console_payments"
    can_export = True
    column_list = ("id", "amount_minor", "captured_minor", "refunded_minor", "backend", "state", "created_at")
    column_details_list = (
        "public_id",
        "backend",
        "ref",
        "amount_minor",
        "captured_minor",
        "refunded_minor",
        "fee_bp",
        "fee_minor",
        "fee_refunded_minor",
        "funding",
        "created_at",
        "held_at",
        "expires_at",
        "closed_at",
        "matured_at",
    )
    column_export_list = (
        "id",
        "booking_id",
        "backend",
        "state",
        "currency",
        "amount_minor",
        "captured_minor",
        "refunded_minor",
        "fee_minor",
        "fee_refunded_minor",
        "created_at",
        "closed_at",
    )
    column_searchable_list = ("public_id", "ref")
    column_sortable_list = ("amount_minor", "created_at")
    column_default_sort = ("id", True)
    tabs = False
    column_filters = (Choice(Payment.state, _l("State"), lambda: words.options(*STATES)),)
    column_labels = {
        "id": _l("Number"),
        "public_id": _l("Number"),
        "booking_id": _l("Booking"),
        "amount_minor": _l("Held"),
        "captured_minor": _l("Paid"),
        "refunded_minor": _l("Given back"),
        "backend": _l("Backend"),
        "state": _l("State"),
        "created_at": _l("Since"),
        "ref": _l("Reference"),
        "fee_bp": _l("Fee rate"),
        "fee_minor": _l("Fee"),
        "fee_refunded_minor": _l("Fee given back"),
        "funding": _l("Paid from"),
        "held_at": _l("Held since"),
        "expires_at": _l("Hold lapses"),
        "closed_at": _l("Closed"),
        "matured_at": _l("Payable since"),
        "currency": _l("Currency"),
    }
    column_formatters = {
        **{
            name: columns.money(name)
            for name in ("amount_minor", "captured_minor", "refunded_minor", "fee_minor", "fee_refunded_minor")
        },
        **dict.fromkeys(("created_at", "held_at", "expires_at", "closed_at", "matured_at"), columns.instant),
        "state": columns.state,
        "fee_bp": columns.percent,
    }
    column_formatters_detail = column_formatters
    details_template = "console/payment.html"

    def title_of(self, record: Payment) -> str:
        """Number and amount."""
        return _(
            "Payment %(id)s: %(amount)s", id=record.id, amount=formatting.money(record.amount_minor, record.currency)
        )

    def actions(self, record: Payment) -> Sequence[Action]:
        """Money that was paid can be given back."""
        return (REFUND,)

    def context(self, db: Session, record: Payment) -> dict[str, Any]:
        """Who paid whom, the calls, the refunds."""
        operations = (
            select(PaymentOperation)
            .where(PaymentOperation.payment_id == record.id)
            .order_by(PaymentOperation.id.desc())
        )
        return {
            "booking": db.get(Booking, record.booking_id),
            "payer": db.get(User, record.payer_id),
            "payee": db.get(User, record.payee_id),
            "operations": list(db.scalars(operations)),
            "refundable": refunds.refundable(db, record),
            "requests": list(
                db.scalars(select(Refund).where(Refund.payment_id == record.id).order_by(Refund.id.desc()))
            ),
            "history": history.transitions(db, "payment", record.id),
        }


class DecideForm(AmountForm):
    """What is granted (0: nothing)."""

    amount = DecimalField(
        _l("Amount granted"),
        validators=[
            InputRequired(_l("Enter an amount, 0 to refuse.")),
            NumberRange(min=0, message=_l("Enter an amount, 0 to refuse.")),
        ],
        description=_l("0 refuses the request."),
    )


def _decide(db: Session, request: Refund, form: Any, actor: Actor) -> None:
    payment = db.get_one(Payment, request.payment_id)
    granted = _minor(form, payment.currency)
    refunds.answer_request(db, request, granted, form.reason.data, actor)
    audit(db, actor, "refund.decide", request, form.reason.data, granted=granted, currency=payment.currency)


DECIDE = Action(
    "decide",
    _l("Decide"),
    _decide,
    DecideForm,
    lambda request: request.state in ("requested", "escalated"),
    _l("The operators have the last word. Look at who was there, and for how long, first."),
    _l("Decided."),
    primary=True,
)


def _amount(attribute: str) -> columns.Formatter:
    def show(view: Any, context: Any, record: Refund, name: str) -> str:
        return formatting.money(getattr(record, attribute), view.currency_of(record))

    return show


class RefundsView(Records):
    """Requests for refunds; those that were taken to the operators come first."""

    shows = Refund
    endpoint_name = "console_refunds"
    intro = _l("Customers ask the expert first; whoever is not content asks us.")
    column_list = ("id", "asked_minor", "granted_minor", "reason", "state", "created_at")
    column_details_list = ("asked_minor", "granted_minor", "reason", "answer", "created_at", "decided_at")
    column_searchable_list = ("reason",)
    column_sortable_list = ("created_at",)
    column_default_sort = ("id", True)
    column_filters = (
        Choice(
            Refund.state, _l("State"), lambda: words.options("escalated", "requested", "granted", "refused", "denied")
        ),
    )
    column_labels = {
        "id": _l("Number"),
        "asked_minor": _l("Asked for"),
        "granted_minor": _l("Granted"),
        "reason": _l("Reason"),
        "answer": _l("Answer"),
        "state": _l("State"),
        "created_at": _l("Asked"),
        "decided_at": _l("Decided"),
    }
    column_formatters = {
        "asked_minor": _amount("asked_minor"),
        "granted_minor": _amount("granted_minor"),
        "reason": columns.short(),
        "state": columns.state,
        "created_at": columns.instant,
    }
    column_formatters_detail = {
        "asked_minor": _amount("asked_minor"),
        "granted_minor": _amount("granted_minor"),
        "created_at": columns.instant,
        "decided_at": columns.instant,
    }
    details_template = "console/refund.html"

    def currency_of(self, record: Refund) -> str:
        """The currency of the payment; those of a page are read together."""
        db = self.session.session
        found: dict[int, str] | None = db.info.get("console.currencies")
        if found is None or record.payment_id not in found:
            ids = {row.payment_id for row in db.identity_map.values() if isinstance(row, Refund)} | {record.payment_id}
            found = dict(db.execute(select(Payment.id, Payment.currency).where(Payment.id.in_(ids))).all())
            db.info["console.currencies"] = found
        return found[record.payment_id]

    def title_of(self, record: Refund) -> str:
        """Its number."""
        return _("Refund %(id)s", id=record.id)

    def actions(self, record: Refund) -> Sequence[Action]:
        """What is open can be decided."""
        return (DECIDE,)

    def context(self, db: Session, record: Refund) -> dict[str, Any]:
        """What the decision rests on: the booking and the payment."""
        payment = db.get_one(Payment, record.payment_id)
        return {
            "payment": payment,
            "booking": db.get_one(Booking, payment.booking_id),
            "asker": db.get(User, record.asked_by),
            "history": history.transitions(db, "refund", record.id),
        }
