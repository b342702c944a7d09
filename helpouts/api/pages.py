"""The page on which people make and revoke access tokens."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required, current_user

from helpouts.api import tokens
from helpouts.api.forms import TokenForm
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("api_tokens", __name__)


@bp.route("/account/tokens", methods=["GET", "POST"])
@requires("signed_in")
@auth_required("session", within=15, grace=15)
def page() -> ResponseReturnValue:
    """The tokens, and the form for a new one; its secret is on the answer to the form, and nowhere else ever."""
    db = current_db()
    form = TokenForm()
    if form.validate_on_submit():
        try:
            _row, secret = tokens.create(db, current_user.id, form.name.data or "", form.scopes.data or ())
            db.commit()
        except HelpoutsError as error:
            attach(form, error)
            db.rollback()
        else:
            return _show(TokenForm(formdata=None), secret)
    return _show(form), 400 if form.errors else 200


@bp.post("/account/tokens/<int:token_id>/revoke")
@requires("signed_in")
def revoke(token_id: int) -> ResponseReturnValue:
    """End one of them."""
    db = current_db()
    if not tokens.revoke(db, current_user.id, token_id):
        raise NotFound(_l("There is no such token: it has been revoked already."))
    db.commit()
    flash(str(_l("Revoked. Programs that use it get in no more.")), "success")
    return redirect(url_for("api_tokens.page"), 303)


def _show(form: TokenForm, secret: str = "") -> str:
    rows = tokens.tokens_of(current_db(), current_user.id)
    return render_template("helpouts/api/tokens.html", form=form, secret=secret, tokens=rows, scopes=tokens.SCOPES)
