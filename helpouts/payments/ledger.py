"""The double-entry ledger: :func:`post` is the only code that writes to it.

A line moves an amount from its debit account to its credit account.  Accounts are named by code, one per currency,
and made on first use:

=====================  ======  ========  =====================================================
code                   normal  overdraw  meaning
=====================  ======  ========  =====================================================
``wallet:{user}``      credit  never     a person's spendable money
``escrow:{booking}``   credit  never     held for a booking; 0 when the booking's money is settled
``earn_pending:{u}``   credit  never     earned, still within the time for refunds
``earn_avail:{user}``  credit  never     earned and payable
``payout:{payout}``    credit  never     on its way to an expert's bank
``revenue:fee``        credit  yes       the platform's fee
``tax:{kind}``         credit  yes       tax owed
``psp:{backend}``      debit   yes       what a payment company owes us
``bank:{name}``        debit   yes       a bank account
``expense:{kind}``     debit   yes       costs, e.g. ``expense:goodwill``
``suspense:{kind}``    credit  yes       money that nobody has explained yet
``fx:{a}:{b}``         credit  yes       exchange between two currencies
=====================  ======  ========  =====================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Result, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.db.prepared import Prepared
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.backend import Declined, IdempotencyMismatch, InvalidRequest
from helpouts.payments.models import Currency, Journal, LedgerAccount, Posting
from helpouts.payments.money import exponent

#: By the first part of an account's code: the side on which it grows, and whether it may never go below 0.
KINDS: dict[str, tuple[str, bool]] = {
    "wallet": ("C", True),
    "escrow": ("C", True),
    "earn_pending": ("C", True),
    "earn_avail": ("C", True),
    "payout": ("C", True),
    "revenue": ("C", False),
    "tax": ("C", False),
    "psp": ("D", False),
    "bank": ("D", False),
    "expense": ("D", False),
    "suspense": ("C", False),
    "fx": ("C", False),
}


@dataclass(frozen=True, slots=True)
class Line:
    """``amount`` > 0 in minor units of ``currency``, from the account ``debit`` to the account ``credit``."""

    debit: str
    credit: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A journal that stands in the ledger; ``fresh`` when this call wrote it."""

    journal_id: int
    fresh: bool


@dataclass(slots=True)
class _Account:
    id: int
    normal: str
    nonneg: bool
    balance: int


_FIND_JOURNAL = select(Journal.id, Journal.request_hash).where(Journal.idem_key == bindparam("key"))
_LOCK_ACCOUNTS = (
    select(
        LedgerAccount.id,
        LedgerAccount.code,
        LedgerAccount.currency,
        LedgerAccount.normal,
        LedgerAccount.nonneg,
        LedgerAccount.debits,
        LedgerAccount.credits,
    )
    .where(
        LedgerAccount.code.in_(bindparam("codes", expanding=True)),
        LedgerAccount.currency.in_(bindparam("currencies", expanding=True)),
    )
    # Always in the order of ids, so that two transactions never wait for each other.
    .order_by(LedgerAccount.id)
    .with_for_update(key_share=True)
)
_ACCOUNTS = LedgerAccount.__table__.c
_LOCK_PAIR = Prepared(
    select(
        _ACCOUNTS.id,
        _ACCOUNTS.code,
        _ACCOUNTS.currency,
        _ACCOUNTS.normal,
        _ACCOUNTS.nonneg,
        _ACCOUNTS.debits,
        _ACCOUNTS.credits,
    )
    .where(
        _ACCOUNTS.code.in_([bindparam("one"), bindparam("two")]),
        _ACCOUNTS.currency == bindparam("currency"),
    )
    .order_by(_ACCOUNTS.id)
    .with_for_update(key_share=True)
)
_BALANCE = Prepared(
    select(LedgerAccount.normal, LedgerAccount.debits, LedgerAccount.credits).where(
        LedgerAccount.code == bindparam("code"), LedgerAccount.currency == bindparam("currency")
    )
)
_POST = Prepared(
    insert(Posting.__table__),  # type: ignore[arg-type]  # Table at run time, typed as FromClause
    ("journal_id", "seq", "debit_id", "credit_id", "amount", "currency"),
)
_DIALECTS: tuple[tuple[str, Any], ...] = (("sqlite", sqlite), ("postgresql", postgresql))
_JOURNAL = {
    name: Prepared(
        dialect.insert(Journal.__table__).on_conflict_do_nothing(index_elements=["idem_key"]).returning(Journal.id),
        ("idem_key", "request_hash", "kind", "ref", "reverses_id", "lines", "created_at"),
    )
    for name, dialect in _DIALECTS
}
_ACCOUNT = {
    name: Prepared(
        dialect.insert(LedgerAccount.__table__)
        .on_conflict_do_nothing(index_elements=["code", "currency"])
        .returning(LedgerAccount.id),
        ("code", "kind", "normal", "currency", "nonneg"),
    )
    for name, dialect in _DIALECTS
}


def post(
    db: Session, key: str, kind: str, ref: str, lines: Sequence[Line], *, reverses_id: int | None = None
) -> Posted:
    """Write one journal, or find that it stands already.

    The same ``key`` with the same content has one effect however often and from wherever it is posted.

    :param key: names the event for ever; see :attr:`helpouts.payments.models.Journal.idem_key`.
    :raises Declined: when an account that may not be overdrawn would be; nothing was written.
    :raises IdempotencyMismatch: when the key stands for other content.
    :raises InvalidRequest: for lines that make no sense (no line, an amount below 1, an unknown kind of account).
    """
    _check(lines)
    digest = _digest(kind, ref, lines, reverses_id)
    accounts = _lock(db, lines)
    if not _covered(accounts, lines):
        # A repetition is no overdraft: the money has moved already.
        standing = _standing(db, key, digest)
        if standing is not None:
            return standing
        raise Declined(_l("There is not enough money in the account."))
    values = {
        "idem_key": key,
        "request_hash": digest,
        "kind": kind,
        "ref": ref,
        "reverses_id": reverses_id,
        "lines": len(lines),
        "created_at": clock.now(),
    }
    journal_id = _JOURNAL[db.get_bind().dialect.name].run(db, values).scalar()
    if journal_id is None:
        standing = _standing(db, key, digest)
        assert standing is not None
        return standing
    _POST.run(
        db,
        *(
            {
                "journal_id": journal_id,
                "seq": seq,
                "debit_id": accounts[line.debit, line.currency].id,
                "credit_id": accounts[line.credit, line.currency].id,
                "amount": line.amount,
                "currency": line.currency,
            }
            for seq, line in enumerate(lines)
        ),
    )
    return Posted(journal_id, fresh=True)


def balance(db: Session, code: str, currency: str) -> int:
    """The account's balance on its normal side, in minor units; 0 for an account that was never used."""
    row = _BALANCE.run(db, {"code": code, "currency": currency}).one_or_none()
    if row is None:
        return 0
    return int(row.credits - row.debits if row.normal == "C" else row.debits - row.credits)


def balances(db: Session, code: str) -> dict[str, int]:
    """The balances of one code in every currency in which it was used."""
    rows = db.execute(select(LedgerAccount.currency).where(LedgerAccount.code == code).order_by(LedgerAccount.currency))
    return {currency: balance(db, code, currency) for (currency,) in rows}


def _check(lines: Sequence[Line]) -> None:
    if not lines:
        raise InvalidRequest("a journal needs at least one line")
    for line in lines:
        if line.amount <= 0 or line.debit == line.credit:
            raise InvalidRequest(f"a line moves more than 0 between two accounts, not {line}")
        for code in (line.debit, line.credit):
            kind, _, name = code.partition(":")
            if kind not in KINDS or not name:
                raise InvalidRequest(f"{code!r} is not an account: known kinds are {', '.join(sorted(KINDS))}")


def _digest(kind: str, ref: str, lines: Sequence[Line], reverses_id: int | None) -> str:
    content = [kind, ref, reverses_id, [(line.debit, line.credit, line.amount, line.currency) for line in lines]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _standing(db: Session, key: str, digest: str) -> Posted | None:
    row = db.execute(_FIND_JOURNAL, {"key": key}).one_or_none()
    if row is None:
        return None
    if row.request_hash != digest:
        raise IdempotencyMismatch(f"the journal {key!r} was posted before with other content")
    return Posted(row.id, fresh=False)


def _lock(db: Session, lines: Sequence[Line]) -> dict[tuple[str, str], _Account]:
    """Lock the accounts of the lines in the order of their ids, making those that are missing."""
    wanted = {(code, line.currency) for line in lines for code in (line.debit, line.credit)}
    accounts = _locked(db, wanted)
    seen = {currency for _, currency in accounts}
    for code, currency in sorted(wanted - accounts.keys()):
        opened = _open(db, code, currency, currency in seen)
        if opened is None:  # somebody else was faster: lock theirs with the others
            return _lock(db, lines)
        accounts[code, currency] = opened
    return accounts


def _locked(db: Session, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], _Account]:
    codes, currencies = sorted({code for code, _ in wanted}), sorted({currency for _, currency in wanted})
    if len(codes) == 2 and len(currencies) == 1:  # nearly always: one line
        rows: Result[Any] = _LOCK_PAIR.run(db, {"one": codes[0], "two": codes[1], "currency": currencies[0]})
    else:
        rows = db.execute(_LOCK_ACCOUNTS, {"codes": codes, "currencies": currencies})
    return {
        (row.code, row.currency): _Account(
            row.id, row.normal, row.nonneg, row.credits - row.debits if row.normal == "C" else row.debits - row.credits
        )
        for row in rows
    }


def _open(db: Session, code: str, currency: str, currency_known: bool) -> _Account | None:
    kind = code.partition(":")[0]
    normal, nonneg = KINDS[kind]
    if not currency_known:
        values = {"code": currency, "exponent": exponent(currency)}
        db.execute(_insert(db, Currency).on_conflict_do_nothing(), values)
    account = {"code": code, "kind": kind, "normal": normal, "currency": currency, "nonneg": nonneg}
    account_id = _ACCOUNT[db.get_bind().dialect.name].run(db, account).scalar()
    return None if account_id is None else _Account(account_id, normal, nonneg, 0)


def _covered(accounts: dict[tuple[str, str], _Account], lines: Sequence[Line]) -> bool:
    """Whether every line, in order, leaves the accounts that may not be overdrawn at 0 or above."""
    for line in lines:
        debit, credit = accounts[line.debit, line.currency], accounts[line.credit, line.currency]
        debit.balance += line.amount if debit.normal == "D" else -line.amount
        credit.balance += line.amount if credit.normal == "C" else -line.amount
        if any(account.nonneg and account.balance < 0 for account in (debit, credit)):
            return False
    return True


def _insert(db: Session, model: type[Any]) -> Any:
    """An INSERT that knows ON CONFLICT, for the session's database."""
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(model.__table__)
