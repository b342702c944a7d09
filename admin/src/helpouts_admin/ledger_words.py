"""How accounts and journals of the ledger are called; the codes that are stored stay as they are."""

from __future__ import annotations

from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.wallets import LABELS
from helpouts_admin.audit_words import thing

#: What stands before the colon of an account's code, see :mod:`helpouts.payments.ledger`.
ACCOUNTS: dict[str, object] = {
    "wallet": _l("Wallet"),
    "escrow": _l("Held for a booking"),
    "package": _l("Package of sessions"),
    "earn_pending": _l("Earnings that can still be refunded"),
    "earn_avail": _l("Payable earnings"),
    "payout": _l("Payout under way"),
    "revenue": _l("Our fees"),
    "tax": _l("Tax owed"),
    "psp": _l("At a payment company"),
    "bank": _l("Bank account"),
    "expense": _l("Our costs"),
    "suspense": _l("Not explained yet"),
    "fx": _l("Currency exchange"),
}


def kind(code: str) -> str:
    """The name of a kind of journal; an unknown one as it is stored."""
    return str(LABELS.get(code, code))


def account(code: str) -> str:
    """What an account is for."""
    return str(ACCOUNTS.get(code.partition(":")[0], code))


def concerned(ref: str) -> str:
    """What a journal is about: "payment:…" is a payment."""
    return thing(ref.partition(":")[0])
