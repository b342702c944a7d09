"""Tables of money: the double-entry ledger, payments with their operations, refunds and payouts.

All amounts are integers in minor units of the row's currency.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import Base, BigInt, Json
from helpouts.payments import guards

#: A payment in one of these never moved money; a booking may have a new one after it.
DEAD_STATES = ("declined", "failed")


class Currency(Base):
    """A currency that the ledger has seen, with the digits of its minor unit (ISO 4217)."""

    __tablename__ = "currency"
    __table_args__ = (CheckConstraint("exponent BETWEEN 0 AND 4", name="exponent"),)

    code: Mapped[str] = mapped_column(String(3), primary_key=True)
    exponent: Mapped[int]


class LedgerAccount(Base):
    """An account in one currency.  The counters are moved by the posting's trigger and by nothing else.

    :ivar normal: the side on which the balance grows: "C" (we owe it, or earned it) or "D" (owed to us, or spent).
    :ivar nonneg: whether the database refuses a balance below 0.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("code", "currency"),
        UniqueConstraint("id", "currency"),
        CheckConstraint("normal IN ('C','D')", name="normal"),
        CheckConstraint(
            "NOT nonneg OR CASE WHEN normal = 'C' THEN credits >= debits ELSE debits >= credits END",
            name="no_overdraft",
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    #: e.g. "wallet:7", "escrow:12", "revenue:fee" (see :mod:`helpouts.payments.ledger`)
    code: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    normal: Mapped[str] = mapped_column(String(1))
    currency: Mapped[str] = mapped_column(ForeignKey("currency.code"))
    nonneg: Mapped[bool]
    debits: Mapped[int] = mapped_column(BigInt, default=0, server_default="0")
    credits: Mapped[int] = mapped_column(BigInt, default=0, server_default="0")


class Journal(Base):
    """One business event in the ledger: postings that stand or fall together.  Never changed."""

    __tablename__ = "journal"
    __table_args__ = (CheckConstraint("lines > 0", name="lines"), Index("ix_journal_ref_kind", "ref", "kind"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    #: the same key is the same event, for ever
    idem_key: Mapped[str] = mapped_column(String(120), unique=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    #: what it is about, e.g. "payment:7"
    ref: Mapped[str] = mapped_column(String(80))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("journal.id"), unique=True)
    #: number of postings, so that one added or missing shows
    lines: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Posting(Base):
    """``amount`` from one account to another of the same currency: unbalanced cannot be written.  Never changed."""

    __tablename__ = "posting"
    __table_args__ = (
        ForeignKeyConstraint(["debit_id", "currency"], ["ledger_account.id", "ledger_account.currency"]),
        ForeignKeyConstraint(["credit_id", "currency"], ["ledger_account.id", "ledger_account.currency"]),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        Index("ix_posting_debit", "debit_id", "amount"),
        Index("ix_posting_credit", "credit_id", "amount"),
    )

    journal_id: Mapped[int] = mapped_column(ForeignKey("journal.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    debit_id: Mapped[int] = mapped_column(BigInt)
    credit_id: Mapped[int] = mapped_column(BigInt)
    amount: Mapped[int] = mapped_column(BigInt)
    currency: Mapped[str] = mapped_column(String(3))


class Payment(Base):
    """The money of one booking, through one backend; its life is :data:`helpouts.payments.states.PAYMENT`."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("captured_minor BETWEEN 0 AND amount_minor", name="captured"),
        CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded"),
        CheckConstraint("fee_minor BETWEEN 0 AND captured_minor", name="fee"),
        CheckConstraint("fee_refunded_minor BETWEEN 0 AND fee_minor", name="fee_refunded"),
        Index(
            "uq_payment_live",
            "booking_id",
            unique=True,
            sqlite_where=text("state NOT IN ('declined','failed')"),
            postgresql_where=text("state NOT IN ('declined','failed')"),
        ),
        # Webhooks name payments of backends that do not work in our transaction.
        Index(
            "ix_payment_outside",
            "ref",
            sqlite_where=text("holds_money IS 0"),
            postgresql_where=text("holds_money IS false"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; what the backend and the customer see
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    backend: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(20), default="created")
    currency: Mapped[str] = mapped_column(String(3))
    payer_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    #: what was held, at most captured
    amount_minor: Mapped[int] = mapped_column(BigInt)
    captured_minor: Mapped[int] = mapped_column(BigInt, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInt, default=0)
    #: the platform's part of what was captured, and how much of it went back
    fee_bp: Mapped[int]
    fee_minor: Mapped[int] = mapped_column(BigInt, default=0)
    fee_refunded_minor: Mapped[int] = mapped_column(BigInt, default=0)
    #: ledger account that the money came from and goes back to
    funding: Mapped[str] = mapped_column(String(80))
    #: whether a hold is a posting into escrow (money is here) or only a promise of the other side
    holds_money: Mapped[bool]
    #: the backend's own name of the payment
    ref: Mapped[str] = mapped_column(String(120), default="")
    #: which rules of rounding apply (:data:`helpouts.payments.rounding.RULE`)
    rounding: Mapped[str] = mapped_column(String(20))
    #: what the customer must do, for the state "action_required"
    action: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    held_at: Mapped[datetime | None]
    #: when the backend's hold lapses, if it does
    expires_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: when the expert's part became payable
    matured_at: Mapped[datetime | None]

    @property
    def is_prepaid(self) -> bool:
        """Whether its money comes from a package, and goes back there."""
        return self.funding.startswith("package:")


class PaymentOperation(Base):
    """One call to a backend, written before it is made.  ``key`` is the idempotency key that the backend gets."""

    __tablename__ = "payment_operation"
    __table_args__ = (UniqueConstraint("payment_id", "op", "n"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    #: start, raise, capture, void, refund
    op: Mapped[str] = mapped_column(String(10))
    n: Mapped[int]
    key: Mapped[str] = mapped_column(String(40), unique=True)
    request: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    request_hash: Mapped[str] = mapped_column(String(64))
    #: prepared, succeeded, pending, declined, failed, unknown
    state: Mapped[str] = mapped_column(String(12), default="prepared")
    outcome: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]


class Refund(Base):
    """A customer asks for money back; the expert or an operator decides (:data:`helpouts.payments.states.REFUND`)."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("asked_minor > 0", name="asked"),
        CheckConstraint("granted_minor BETWEEN 0 AND asked_minor", name="granted"),
        Index(
            "uq_refund_open",
            "payment_id",
            unique=True,
            sqlite_where=text("state IN ('requested','escalated')"),
            postgresql_where=text("state IN ('requested','escalated')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="requested", index=True)
    asked_minor: Mapped[int] = mapped_column(BigInt)
    granted_minor: Mapped[int] = mapped_column(BigInt, default=0)
    reason: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]


class Payout(Base):
    """Money on its way from an expert's earnings to the expert's bank (:data:`helpouts.payments.states.PAYOUT`)."""

    __tablename__ = "payout"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="requested", index=True)
    amount_minor: Mapped[int] = mapped_column(BigInt)
    currency: Mapped[str] = mapped_column(String(3))
    idem_key: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]


for _model in (LedgerAccount, Journal, Posting):
    _table = _model.__table__
    assert isinstance(_table, Table)
    guards.attach(_table)
