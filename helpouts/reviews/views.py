"""Writing a review and replying to one; both are forms on the booking's page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from helpouts.bookings.views import own_booking
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.reviews import service
from helpouts.reviews.forms import ReplyForm, ReviewForm
from helpouts.web.db import current_db
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("reviews", __name__)


def _complain(form: FlaskForm) -> None:
    for messages in form.errors.values():
        for message in messages:
            flash(str(message), "error")


@bp.post("/bookings/<public_id>/review")
@requires("signed_in")
def write(public_id: str) -> ResponseReturnValue:
    """The customer's review."""
    booking = own_booking(public_id)
    form = ReviewForm()
    if form.validate():
        try:
            service.publish(current_db(), booking, form.stars.data, form.text.data or "", current_actor("customer"))
            current_db().commit()
            flash(_("Thank you. Your review is on the listing now."), "success")
        except HelpoutsError as error:
            current_db().rollback()
            flash(str(error), "error")
    else:
        _complain(form)
    return redirect(url_for("bookings.show", public_id=public_id), 303)


@bp.post("/bookings/<public_id>/reply")
@requires("signed_in")
def reply(public_id: str) -> ResponseReturnValue:
    """The expert's reply."""
    booking = own_booking(public_id)
    review = service.review_of(current_db(), booking)
    if review is None:
        raise NotFound(_l("There is no review yet."))
    form = ReplyForm()
    if form.validate():
        try:
            service.reply(current_db(), review, form.reply.data or "", current_actor("expert"))
            current_db().commit()
            flash(_("Your reply is on the listing now."), "success")
        except HelpoutsError as error:
            current_db().rollback()
            flash(str(error), "error")
    else:
        _complain(form)
    return redirect(url_for("bookings.show", public_id=public_id), 303)
