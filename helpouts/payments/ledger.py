"""The double-entry ledger: :func:`post` is the only code that writes to it.

A line moves an amount from its debit account to its credit account.  Accounts are named by code, one per currency,
and made on first use:

=====================  ======  ========  =====================================================
code                   normal  overdraw  meaning
=====================  ======  ========  =====================================================
``wallet:{user}``      credit  never     a person's spendable money
``escrow:{booking}``   credit  never     held for a booking; 0 when the booking's money is settled
``package:{package}``  credit  never     paid in advance for sessions of one listing, not booked yet
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.clock import clock
from helpouts.db import keys
from helpouts.db.inserts import Inserted
from helpouts.db.later import later
from helpouts.db.lists import one_of
from helpouts.db.prepared import Prepared
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.backend import Declined, IdempotencyMismatch, InvalidRequest
from helpouts.payments.models import Currency, Journal, LedgerAccount, Posting
from helpouts.payments.money import exponent

#: By the first part of an account's code: the side on which it grows, and whether it may never go below 0.
KINDS: dict[str, tuple[str, bool]] = {
    "wallet": ("C", True),
    "escrow": ("C", True),
    "package": ("C", True),
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


_FIND_JOURNAL = Prepared(select(Journal.id, Journal.request_hash).where(Journal.idem_key == bindparam("key")))
_LOCK_ACCOUNTS = Prepared(
    select(
        LedgerAccount.id,
        LedgerAccount.code,
        LedgerAccount.currency,
        LedgerAccount.normal,
        LedgerAccount.nonneg,
        LedgerAccount.debits,
        LedgerAccount.credits,
    )
    .where(one_of(LedgerAccount.code, "codes"), one_of(LedgerAccount.currency, "currencies"))
    # Always in the order of ids, so that two transactions never wait for each other.
    .order_by(LedgerAccount.id)
    .with_for_update(key_share=True)
)
_BALANCE = Prepared(
    select(LedgerAccount.normal, LedgerAccount.debits, LedgerAccount.credits).where(
        LedgerAccount.code == bindparam("code"), LedgerAccount.currency == bindparam("currency")
    )
)
_POST = Inserted(Posting.__table__, ("journal_id", "seq", "debit_id", "credit_id", "amount", "currency"))
_JOURNAL = Inserted(
    Journal.__table__,
    ("idem_key", "request_hash", "kind", "ref", "reverses_id", "lines", "created_at"),
    or_nothing=("idem_key",),
    returning="id",
)
_ACCOUNT = Inserted(
    LedgerAccount.__table__,
    ("code", "kind", "normal", "currency", "nonneg"),
    or_nothing=("code", "currency"),
    returning="id",
)
#: The same with a key that was fetched before.
_NEW_JOURNAL = Inserted(
    Journal.__table__, ("id", "idem_key", "request_hash", "kind", "ref", "reverses_id", "lines", "created_at")
)
_NEW_ACCOUNT = Inserted(LedgerAccount.__table__, ("id", "code", "kind", "normal", "currency", "nonneg"))


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
    short = _short(accounts, lines)
    if short is not None:
        # A repetition is no overdraft: the money has moved already.
        standing = _standing(db, key, digest)
        if standing is not None:
            return standing
        raise Declined(short)
    values = {
        "idem_key": key,
        "request_hash": digest,
        "kind": kind,
        "ref": ref,
        "reverses_id": reverses_id,
        "lines": len(lines),
        "created_at": clock.now(),
    }
    journal_id = keys.take(db, Journal.__table__)
    if journal_id is not None:  # the key of what is new as well: it cannot stand already, or the database refuses it
        later(db, _NEW_JOURNAL, {"id": journal_id, **values})
        later(db, _POST, *_rows(journal_id, lines, accounts))
        return Posted(journal_id, fresh=True)
    written = _JOURNAL.run(db, values)
    if not written:
        standing = _standing(db, key, digest)
        assert standing is not None
        return standing
    journal_id = written[0]
    _POST.run(db, *_rows(journal_id, lines, accounts))
    return Posted(journal_id, fresh=True)


def _rows(journal_id: int, lines: Sequence[Line], accounts: Mapping[tuple[str, str], _Account]) -> list[dict[str, Any]]:
    return [
        {
            "journal_id": journal_id,
            "seq": seq,
            "debit_id": accounts[line.debit, line.currency].id,
            "credit_id": accounts[line.credit, line.currency].id,
            "amount": line.amount,
            "currency": line.currency,
        }
        for seq, line in enumerate(lines)
    ]


def balance(db: Session, code: str, currency: str) -> int:
    """The account's balance on its normal side, in minor units; 0 for an account that was never used."""
    row = _BALANCE.first(db, {"code": code, "currency": currency})
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
    row = _FIND_JOURNAL.first(db, {"key": key})
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
    values = {"codes": {code for code, _ in wanted}, "currencies": {currency for _, currency in wanted}}
    rows = _LOCK_ACCOUNTS.all(db, values)
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
    key = keys.take(db, LedgerAccount.__table__)
    if key is not None:
        later(db, _NEW_ACCOUNT, {"id": key, **account})
        return _Account(key, normal, nonneg, 0)
    opened = _ACCOUNT.run(db, account)
    return _Account(opened[0], normal, nonneg, 0) if opened else None


def _short(accounts: dict[tuple[str, str], _Account], lines: Sequence[Line]) -> Any:
    """What to say when a line, in their order, takes more than an account may give; None when all are covered."""
    for line in lines:
        debit, credit = accounts[line.debit, line.currency], accounts[line.credit, line.currency]
        there = debit.balance
        debit.balance += line.amount if debit.normal == "D" else -line.amount
        credit.balance += line.amount if credit.normal == "C" else -line.amount
        if any(account.nonneg and account.balance < 0 for account in (debit, credit)):
            if not line.debit.startswith("wallet:"):
                return _l("There is not enough money in the account.")
            return _l(
                "Your wallet holds %(there)s and this needs %(amount)s. Please top it up.",
                there=formatting.money(there, line.currency),
                amount=formatting.money(line.amount, line.currency),
            )
    return None


def _insert(db: Session, model: type[Any]) -> Any:
    """An INSERT that knows ON CONFLICT, for the session's database."""
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(model.__table__)
