"""What people see of their money: the wallet with its statement, and an expert's earnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.backend import InvalidRequest
from helpouts.payments.ledger import Line, Posted, balance, post
from helpouts.payments.models import Journal, LedgerAccount, Payment, Payout, Posting

#: What a kind of journal is called in a person's statement.
LABELS: dict[str, object] = {
    "top_up": _l("Top-up"),
    "hold": _l("Held for a booking"),
    "settle": _l("Settled"),
    "release": _l("Given back"),
    "refund": _l("Refund"),
    "package_buy": _l("Package of sessions"),
    "package_back": _l("Rest of a package"),
    "mature": _l("Payable"),
    "payout": _l("Payout"),
    "payout_paid": _l("Paid out"),
    "payout_failed": _l("Payout came back"),
}


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One line of a statement; ``amount_minor`` is negative for money that left.

    :param title: of the booking, or "".
    :param booking: its public id, or "".
    """

    at: datetime
    kind: str
    label: object
    amount_minor: int
    currency: str
    title: str = ""
    booking: str = ""


@dataclass(frozen=True, slots=True)
class Earnings:
    """An expert's money in one currency, minor units: within the time for refunds, payable, under way, paid out."""

    currency: str
    pending_minor: int
    available_minor: int
    in_transit_minor: int
    paid_out_minor: int


def top_up(db: Session, user_id: int, amount_minor: int, currency: str, *, source: str, key: str) -> Posted:
    """Put money that came in at ``source`` (an account such as ``psp:test``) into a person's wallet; once per key.

    :raises InvalidRequest: for an amount below 1.
    """
    if amount_minor <= 0:
        raise InvalidRequest(_l("The amount must be more than 0."), field="amount")
    line = Line(source, f"wallet:{user_id}", amount_minor, currency)
    return post(db, f"top_up:{user_id}:{key}", "top_up", f"user:{user_id}", [line])


def wallet_statement(db: Session, user_id: int, limit: int = 50) -> list[StatementEntry]:
    """The newest movements of a person's wallet in all currencies, newest first."""
    return _statement(db, f"wallet:{user_id}", limit)


def earnings_statement(db: Session, user_id: int, limit: int = 50) -> list[StatementEntry]:
    """The newest movements of what a person earned and may still have to give back, newest first."""
    return _statement(db, f"earn_pending:{user_id}", limit)


def earnings(db: Session, user_id: int) -> list[Earnings]:
    """A person's earnings, one entry for each currency that they ever earned in."""
    code = f"earn_pending:{user_id}"
    currencies = db.scalars(
        select(LedgerAccount.currency).where(LedgerAccount.code == code).order_by(LedgerAccount.currency)
    ).all()
    paid = {
        (state, currency): int(total)
        for state, currency, total in db.execute(
            select(Payout.state, Payout.currency, func.sum(Payout.amount_minor))
            .where(Payout.user_id == user_id)
            .group_by(Payout.state, Payout.currency)
        )
    }
    return [
        Earnings(
            currency,
            balance(db, code, currency),
            balance(db, f"earn_avail:{user_id}", currency),
            paid.get(("requested", currency), 0),
            paid.get(("paid", currency), 0),
        )
        for currency in currencies
    ]


def _statement(db: Session, code: str, limit: int) -> list[StatementEntry]:
    account_ids = select(LedgerAccount.id).where(LedgerAccount.code == code)
    rows = db.execute(
        select(Journal, Posting, LedgerAccount.id, Booking.title, Booking.public_id)
        .join(Posting, Posting.journal_id == Journal.id)
        .join(LedgerAccount, or_(LedgerAccount.id == Posting.debit_id, LedgerAccount.id == Posting.credit_id))
        .outerjoin(Payment, Journal.ref == "payment:" + Payment.public_id)
        .outerjoin(Booking, Booking.id == Payment.booking_id)
        .where(LedgerAccount.code == code, or_(Posting.debit_id.in_(account_ids), Posting.credit_id.in_(account_ids)))
        .order_by(Journal.id.desc(), Posting.seq.desc())
        .limit(limit)
    )
    return [
        StatementEntry(
            journal.created_at,
            journal.kind,
            LABELS.get(journal.kind, journal.kind),
            posting.amount if posting.credit_id == account_id else -posting.amount,
            posting.currency,
            title or "",
            booking or "",
        )
        for journal, posting, account_id, title, booking in rows
    ]
