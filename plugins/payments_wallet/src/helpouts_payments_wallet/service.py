"""Connecting to the wallet, and putting test money into it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import IdempotencyMismatch
from helpouts.payments import service as money
from helpouts.payments.money import to_minor
from helpouts_payments_wallet.models import Connection, TopUp

#: Where test money comes from in the ledger.
SOURCE = "psp:test"


def connection_of(db: Session, user_id: int) -> Connection:
    """What somebody has agreed to; made at first use."""
    connection = db.get(Connection, user_id)
    if connection is None:
        connection = Connection(user_id=user_id, payee_name="", payee_country="", tax_number="")
        db.add(connection)
        db.flush()
    return connection


def connect_payer(db: Session, user_id: int, actor: Actor) -> Connection:
    """Accept the terms for paying; accepting again changes nothing."""
    connection = connection_of(db, user_id)
    if connection.payer_terms_at is None:
        connection.payer_terms_at = clock.now()
        record(db, actor, "wallet.connect_payer", user=user_id)
    return connection


def connect_payee(db: Session, user_id: int, name: str, country: str, tax_number: str, actor: Actor) -> Connection:
    """Accept the terms for being paid and say who is; doing it again changes the details.

    :param country: ISO 3166-1 alpha-2.
    """
    if not name.strip() or len(name) > 120:
        raise HelpoutsError(_l("Please enter the name that payouts go to."), field="name")
    if len(country) != 2 or not country.isalpha():
        raise HelpoutsError(_l("Please choose a country."), field="country")
    if len(tax_number) > 40:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=40), field="tax_number")
    connection = connection_of(db, user_id)
    connection.payee_terms_at = connection.payee_terms_at or clock.now()
    connection.payee_name, connection.payee_country = name.strip(), country.upper()
    connection.tax_number = tax_number.strip()
    record(db, actor, "wallet.connect_payee", user=user_id)
    return connection


def add_test_money(
    db: Session, settings: Mapping[str, Any], user_id: int, amount: Decimal, currency: str, token: str
) -> TopUp:
    """Put play money into a wallet, once per ``token``.

    :param amount: in the currency's major unit.
    :raises NotAllowed: where the operator has not allowed play money.
    :raises HelpoutsError: for an amount or a currency outside the limits.
    :raises IdempotencyMismatch: when the token stands for another top-up.
    """
    if not settings["test_topup"]:
        raise NotAllowed(_l("Test money is switched off on this site."))
    if currency not in settings["currencies"]:
        raise HelpoutsError(_l("Wallets on this site do not hold %(currency)s.", currency=currency), field="currency")
    most = to_minor(Decimal(settings["max_topup"]), currency)
    minor = to_minor(amount, currency)
    if not 0 < minor <= most:
        shown = formatting.money(most, currency)
        raise HelpoutsError(_l("Enter an amount of more than 0 and at most %(most)s.", most=shown), field="amount")
    if not 16 <= len(token) <= 64:
        raise HelpoutsError(_l("Reload the page and try again."))
    standing = db.scalar(select(TopUp).where(TopUp.token == token))
    if standing is not None:
        if (standing.user_id, standing.amount_minor, standing.currency) != (user_id, minor, currency):
            raise IdempotencyMismatch(_l("This form was used already. Reload the page and try again."))
        return standing
    posted = money.top_up(db, user_id, minor, currency, source=SOURCE, key=f"test:{token}")
    if not posted.fresh:
        # Somebody else posted the same form while we waited for the account.
        return db.scalars(select(TopUp).where(TopUp.token == token)).one()
    top_up = TopUp(user_id=user_id, token=token, amount_minor=minor, currency=currency, journal_id=posted.journal_id)
    db.add(top_up)
    db.flush()
    return top_up
