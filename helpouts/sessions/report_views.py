"""Reporting the other person of a session: right after leaving the room, or later from the booking's page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts.bookings.views import own_booking
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import reports
from helpouts.sessions.forms import ReportForm
from helpouts.sessions.service import session_of
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("reports", __name__)


@bp.route("/bookings/<public_id>/report", methods=["GET", "POST"])
@requires("signed_in")
def new(public_id: str) -> ResponseReturnValue:
    """A short form; sending it changes nothing for the other side."""
    db = current_db()
    booking = own_booking(public_id)
    session = session_of(db, booking)
    if session is None:
        raise NotFound(_l("There was no session that could be reported."))
    form = ReportForm()
    is_host = current_user.id == booking.host_id
    if form.validate_on_submit():
        try:
            actor = current_actor("expert" if is_host else "customer")
            reports.report(db, session, form.reason.data or "", form.text.data or "", actor)
            db.commit()
            flash(_("We have your report and look at it. A mail confirms it to you."), "success")
            return redirect(url_for("bookings.show", public_id=public_id), 303)
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
            booking = own_booking(public_id)
    page = render_template(
        "helpouts/sessions/report.html",
        booking=booking,
        form=form,
        other=booking.customer if is_host else booking.host,
        left=request.args.get("left") == "1",
    )
    return page, 400 if form.errors else 200
