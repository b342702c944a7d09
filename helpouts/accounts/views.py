"""Somebody's own pages: bookings, profile, safety, and their data."""

from __future__ import annotations

from flask import Blueprint, Response, flash, json, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required, current_user, logout_user

from helpouts import i18n
from helpouts.accounts import service
from helpouts.accounts.export import export_data
from helpouts.accounts.forms import ProfileForm
from helpouts.accounts.login_session import current_session_id
from helpouts.accounts.models import LoginSession, User
from helpouts.accounts.overview import browser_name, overview
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("accounts", __name__)


def me() -> User:
    """The person at hand."""
    user: User = current_user._get_current_object()
    return user


@bp.get("/account")
@requires("signed_in")
def dashboard() -> ResponseReturnValue:
    """My Helpouts: what comes, what was, and the ways to everything that is mine."""
    page = max(1, request.args.get("page", 1, type=int))
    mine = overview(current_db(), me(), clock.now(), min(page, 10_000))
    return render_template("helpouts/accounts/dashboard.html", mine=mine)


@bp.route("/account/profile", methods=["GET", "POST"])
@requires("signed_in")
def profile() -> ResponseReturnValue:
    """Name, language and time zone."""
    user = me()
    form = ProfileForm(data={"name": user.name, "locale": user.locale, "zone": user.zone or i18n.current_zone()})
    if form.validate_on_submit():
        try:
            service.update_profile(
                current_db(), user, name=form.name.data or "", locale=form.locale.data, zone=form.zone.data
            )
        except HelpoutsError as error:
            attach(form, error)
        else:
            current_db().commit()
            i18n.set_locale(user.locale, user.zone)
            flash(str(_l("Saved.")), "success")
            return redirect(url_for("accounts.profile"), 303)
    status = 400 if form.errors else 200
    return render_template("helpouts/accounts/profile.html", form=form), status


@bp.get("/account/security")
@requires("signed_in")
def safety() -> ResponseReturnValue:
    """Password, second step, and where somebody is signed in."""
    sessions = service.sessions_of(current_db(), me())
    return render_template(
        "helpouts/accounts/safety.html",
        sessions=sessions,
        browsers={row.id: browser_name(row.user_agent) for row in sessions},
        here=current_session_id(),
    )


@bp.post("/account/security/sign-out/<int:session_id>")
@requires("signed_in")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out one other device."""
    db = current_db()
    row = db.get(LoginSession, session_id)
    if row is None or row.user_id != current_user.id:
        raise NotFound(_l("There is no such session: it has ended already."))
    db.delete(row)
    db.commit()
    flash(str(_l("Signed out there.")), "success")
    return redirect(url_for("accounts.safety"), 303)


@bp.post("/account/security/sign-out")
@requires("signed_in")
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign out every device, this one too."""
    db = current_db()
    service.sign_out_everywhere(db, me())
    db.commit()
    logout_user()
    flash(str(_l("You are signed out everywhere.")), "success")
    return redirect(url_for("security.login"), 303)


@bp.get("/account/data")
@requires("signed_in")
@auth_required("session", within=15, grace=15)
def data() -> ResponseReturnValue:
    """Everything that is kept about the person, as a JSON file (GDPR articles 15 and 20)."""
    content = json.dumps(export_data(current_db(), me()), indent=2, ensure_ascii=False, sort_keys=False)
    response = Response(content + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="helpouts-data.json"'
    return response
