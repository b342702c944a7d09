"""The experts' page of coupons: list, make, pause, delete."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from helpouts.catalog.desk import actor, own_expert
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.service import may_edit
from helpouts.coupons import codes, making
from helpouts.coupons.forms import CouponForm
from helpouts.coupons.models import Coupon
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("coupons", __name__)


@bp.get("/expert/coupons")
@requires("expert")
def overview() -> ResponseReturnValue:
    """The expert's coupons, each with a link to share."""
    expert = own_expert()
    found = making.coupons_of(current_db(), expert)
    return render_template(
        "helpouts/coupons/overview.html",
        coupons=[(coupon, _link(coupon, expert)) for coupon in found],
        used=making.used_ever(current_db(), found),
        editor=may_edit(expert, actor()),
    )


@bp.route("/expert/coupons/new", methods=["GET", "POST"])
@requires("expert")
def new() -> ResponseReturnValue:
    """Make a coupon; a code that nobody guesses is suggested."""
    db, expert = current_db(), own_expert()
    form = CouponForm(_priced(expert), current_runtime().config.currency)
    if request.method == "GET":
        form.code.data = codes.suggest()
    if form.validate_on_submit():
        try:
            coupon = making.create(db, expert, form.code.data or "", form.terms(), actor())
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(_("The coupon %(code)s can be used now.", code=coupon.code), "success")
            return redirect(url_for("coupons.overview"), 303)
    return render_template("helpouts/coupons/new.html", form=form), 400 if form.errors else 200


@bp.post("/expert/coupons/<int:coupon_id>/<any(pause, resume, delete):action>")
@requires("expert")
def change(coupon_id: int, action: str) -> ResponseReturnValue:
    """Pause a coupon, let it be used again, or delete one that nobody has used."""
    db, expert = current_db(), own_expert()
    verbs: dict[str, tuple[Callable[[], None], str]] = {
        "pause": (lambda: making.switch(db, expert, coupon_id, "pause", actor()), _("Paused: nobody can use it now.")),
        "resume": (lambda: making.switch(db, expert, coupon_id, "resume", actor()), _("It can be used again.")),
        "delete": (lambda: making.delete(db, expert, coupon_id, actor()), _("The coupon is deleted.")),
    }
    verb, said = verbs[action]
    try:
        verb()
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "error")
    else:
        db.commit()
        flash(said, "success")
    return redirect(url_for("coupons.overview"), 303)


def _priced(expert: Expert) -> list[Listing]:
    mine = Listing.expert_id == expert.id, Listing.pricing != "free", Listing.state != "retired"
    return list(current_db().scalars(select(Listing).where(*mine).order_by(Listing.title, Listing.id)).unique())


def _link(coupon: Coupon, expert: Expert) -> str:
    """An address to share: of the one listing, or of the expert's page; the code comes along to the checkout."""
    if coupon.listing is not None:
        path = url_for("catalog.listing", slug=coupon.listing.slug, coupon=coupon.code)
    else:
        path = url_for("catalog.expert", slug=expert.slug, coupon=coupon.code)
    return f"{str(current_runtime().config.public_url).rstrip('/')}{path}"
