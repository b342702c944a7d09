"""A coupon at the checkout of a held booking: apply it, take it out again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts.bookings.models import Booking
from helpouts.bookings.views import checkout_page, own_booking
from helpouts.coupons import redeeming
from helpouts.coupons.forms import RedeemForm
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("coupon_checkout", __name__)


def _own(public_id: str) -> Booking:
    booking = own_booking(public_id)
    if booking.customer_id != current_user.id:
        raise NotFound(_l("There is no such booking."))
    return booking


@bp.post("/bookings/<public_id>/coupon")
@reads_first
@requires("signed_in")
def apply(public_id: str) -> ResponseReturnValue:
    """Take a coupon off the price, or say beside its field why not."""
    booking, form = _own(public_id), RedeemForm()
    checkout = redirect(url_for("bookings.checkout", public_id=public_id), 303)
    if form.validate_on_submit():
        try:
            with writing() as db:
                use = redeeming.apply(db, db.get_one(Booking, booking.id), form.code.data or "")
                code = use.coupon.code
            flash(_("The coupon %(code)s is taken off the price.", code=code), "success")
            return checkout
        except HelpoutsError as error:
            attach(form, error)
    return checkout_page(booking, redeem=form) if booking.state == "held" else checkout


@bp.post("/bookings/<public_id>/coupon/remove")
@reads_first
@requires("signed_in")
def remove(public_id: str) -> ResponseReturnValue:
    """Take the coupon out again."""
    booking = _own(public_id)
    try:
        with writing() as db:
            redeeming.take_out(db, db.get_one(Booking, booking.id))
        flash(_("The coupon is taken out: the full price counts again."), "success")
    except HelpoutsError as error:
        flash(str(error), "error")
    return redirect(url_for("bookings.checkout", public_id=public_id), 303)


@bp.record
def _limit(state: BlueprintSetupState) -> None:
    """Let each address try only so many codes (``config.login_rate``), once the views are there."""
    limiter = state.app.extensions.get("helpouts_limiter")
    if limiter is not None:
        shared = limiter.shared_limit(state.app.extensions["helpouts"].config.login_rate, scope="coupons")
        endpoint = "coupon_checkout.apply"
        state.app.view_functions[endpoint] = shared(state.app.view_functions[endpoint])
