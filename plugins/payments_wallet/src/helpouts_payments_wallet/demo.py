"""The demo's wallets: everybody connected, customers with play money, test top-ups allowed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.payments import service as money
from helpouts.plugins.service import write_settings
from helpouts_payments_wallet.service import SOURCE, connect_payee, connect_payer

#: What a customer of the demo finds in the wallet, minor units of EUR: enough for the sessions of the demo's past.
BALANCE = 20_000


def fill(db: Session, customers: Sequence[int], experts: Sequence[int]) -> None:
    """Connect the demo's people and give its customers play money."""
    actor = Actor("system", None, "demo")
    write_settings(db, "payments_wallet", {"test_topup": True}, actor)
    for user_id in customers:
        connect_payer(db, user_id, actor)
        money.top_up(db, user_id, BALANCE, "EUR", source=SOURCE, key="demo")
    for user_id in experts:
        connect_payer(db, user_id, actor)
        connect_payee(db, user_id, db.get_one(User, user_id).name, "DE", "", actor)
