"""The page "Wallet", below ``/x/payments_wallet/``."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm

from helpouts import formatting
from helpouts.accounts.security import safe_next
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.payments import service as money
from helpouts.payments.ledger import balance
from helpouts.payments.money import to_decimal
from helpouts.plugins.service import read_settings
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor
from helpouts_payments_wallet import service
from helpouts_payments_wallet.forms import EarnForm, PayForm, TopUpForm
from helpouts_payments_wallet.models import Connection

PLUGIN = "payments_wallet"
STATEMENT_LINES = 50


def make_blueprint() -> Blueprint:
    """A fresh blueprint: each application mounts its own."""
    bp = Blueprint(PLUGIN, __name__, template_folder="templates")
    bp.add_url_rule("/", "wallet", wallet)
    bp.add_url_rule("/connect", "connect", connect, methods=["POST"])
    bp.add_url_rule("/earn", "earn", earn, methods=["POST"])
    bp.add_url_rule("/top-up", "top_up", top_up, methods=["POST"])
    return bp


def wallet() -> ResponseReturnValue:
    """Balance, statement, what is connected, and the test top-up where it is allowed."""
    return _page()


def connect() -> ResponseReturnValue:
    """Accept the terms for paying."""
    form = PayForm(prefix="pay")
    if form.validate_on_submit():
        db = current_db()
        service.connect_payer(db, current_user.id, current_actor("customer"))
        db.commit()
        flash(_("Your wallet is ready."), "success")
        return _back()
    return _page(pay=form)


def earn() -> ResponseReturnValue:
    """Accept the terms for being paid."""
    form = EarnForm(prefix="earn")
    if form.validate_on_submit():
        db = current_db()
        try:
            service.connect_payee(
                db,
                current_user.id,
                form.name.data or "",
                form.country.data or "",
                form.tax_number.data or "",
                current_actor("expert"),
            )
            db.commit()
            flash(_("You are set up to be paid."), "success")
            return _back()
        except HelpoutsError as error:
            attach(form, error)
            db.rollback()
    return _page(earn_form=form)


def top_up() -> ResponseReturnValue:
    """Put test money into the wallet."""
    db = current_db()
    settings = read_settings(db, PLUGIN)
    form = _top_up_form(settings)
    if form.validate_on_submit():
        try:
            done = service.add_test_money(
                db,
                settings,
                current_user.id,
                form.amount.data or Decimal(0),
                form.currency.data,
                form.token.data or "",
            )
            db.commit()
            shown = formatting.money(done.amount_minor, done.currency)
            flash(_("%(amount)s of test money is in your wallet.", amount=shown), "success")
            return _back()
        except HelpoutsError as error:
            attach(form, error)
            db.rollback()
    return _page(topup=form)


def _top_up_form(settings: dict[str, Any]) -> TopUpForm:
    form = TopUpForm(prefix="topup")
    form.currency.choices = [(code, code) for code in settings["currencies"]]
    return form


def _back() -> ResponseReturnValue:
    target = request.values.get("next", "")
    return redirect(target if target and safe_next(target) else url_for(f"{PLUGIN}.wallet"), 303)


def _page(
    pay: FlaskForm | None = None, earn_form: FlaskForm | None = None, topup: TopUpForm | None = None
) -> ResponseReturnValue:
    db = current_db()
    settings = read_settings(db, PLUGIN)
    connection = db.get(Connection, current_user.id)
    if earn_form is None:
        earn_form = EarnForm(None, prefix="earn", data=_details(connection))
    if topup is None:
        topup = _top_up_form(settings)
        missing = request.args.get("amount", "")
        topup.amount.data = to_decimal(int(missing), settings["currencies"][0]) if missing.isdecimal() else None
    failed = any(form is not None and form.errors for form in (pay, earn_form, topup))
    # A fresh token each time: the one that was sent stands for that sending for ever.
    topup.token.data = secrets.token_urlsafe(24) if not topup.errors else topup.token.data
    codes = settings["currencies"]
    page = render_template(
        "helpouts_payments_wallet/wallet.html",
        connection=connection,
        is_expert=current_user.has_role("expert"),
        balances=[formatting.money(balance(db, f"wallet:{current_user.id}", code), code) for code in codes],
        statement=money.wallet_statement(db, current_user.id, STATEMENT_LINES),
        earnings=money.earnings(db, current_user.id),
        pay=pay or PayForm(None, prefix="pay"),
        earn=earn_form,
        topup=topup if settings["test_topup"] else None,
        next=request.values.get("next", ""),
    )
    return page, 400 if failed else 200


def _details(connection: Connection | None) -> Any:
    if connection is None or connection.payee_terms_at is None:
        return None
    return {
        "name": connection.payee_name,
        "country": connection.payee_country,
        "tax_number": connection.tax_number,
    }
