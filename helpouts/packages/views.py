"""Pages of packages for customers: buy one, see them, pay from one, take back what is left."""

from __future__ import annotations

import secrets

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.bookings.models import Booking, BookingSeries
from helpouts.bookings.series import bookings_of
from helpouts.bookings.series_views import own_series
from helpouts.bookings.views import own_booking
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages import holdings, offers, service
from helpouts.packages.forms import BuyForm
from helpouts.packages.models import Package, PackageOffer
from helpouts.packages.returning import is_over
from helpouts.payments import service as money
from helpouts.web.db import current_db, reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("packages", __name__)


def own_package(public_id: str) -> Package:
    """The package of that name, when the person at hand has bought it.

    :raises NotFound: otherwise, whether it exists or not.
    """
    package = current_db().scalar(select(Package).where(Package.public_id == public_id))
    if package is None or package.customer_id != current_user.id:
        raise NotFound(_l("You have no such package."))
    return package


@bp.route("/packages/buy/<int:offer_id>", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def buy(offer_id: int) -> ResponseReturnValue:
    """What a package costs and is good for; sending it pays for it from the wallet."""
    db = current_db()
    offer = db.get(PackageOffer, offer_id)
    if offer is None:
        raise NotFound(_l("There is no such package."))
    form = BuyForm()
    if form.validate_on_submit():
        actor, key = current_actor("customer"), form.key.data or ""
        try:
            with writing() as writer:
                customer = writer.get_one(User, current_user.id)
                service.buy(writer, writer.get_one(PackageOffer, offer_id), customer, actor, idempotency_key=key)
            flash(_("The package is yours. Book its sessions whenever you like."), "success")
            return redirect(url_for("packages.mine"), 303)
        except HelpoutsError as error:
            attach(form, error)
    else:
        form.key.data = form.key.data or secrets.token_urlsafe(12)
        try:
            service.check_buyable(db, offer, db.get_one(User, current_user.id))
        except HelpoutsError as error:
            flash(str(error), "error")
            return redirect(url_for("catalog.listing", slug=offer.listing.slug), 303)
    page = render_template(
        "helpouts/packages/buy.html",
        offer=offer,
        listing=offer.listing,
        saving=offers.saving(offer, offer.listing),
        form=form,
        wallet=money.checkout_view(db, current_user.id, offer.total_minor, offer.currency),
        back={"next": url_for("packages.buy", offer_id=offer_id)},
    )
    return page, 400 if form.errors else 200


@bp.get("/packages")
@requires("signed_in")
def mine() -> ResponseReturnValue:
    """The packages of the person at hand, what is left of each, and the sessions booked from it."""
    found = holdings.of_customer(current_db(), current_user.id)
    over = {holding.package.id for holding in found if is_over(holding.package)}
    return render_template("helpouts/packages/mine.html", holdings=found, over=over)


@bp.post("/packages/<public_id>/return")
@requires("signed_in")
def take_back(public_id: str) -> ResponseReturnValue:
    """Put what is left of a package back into the wallet."""
    db, package = current_db(), own_package(public_id)
    currency = package.currency
    rest = service.give_back(db, package, current_actor("customer"))
    db.commit()
    if rest:
        flash(_("%(amount)s is back in your wallet.", amount=formatting.money(rest, currency)), "success")
    else:
        flash(_("Nothing was left in this package."), "info")
    return redirect(url_for("packages.mine"), 303)


@bp.post("/packages/<public_id>/pay/<booking_id>")
@reads_first
@requires("signed_in")
def pay(public_id: str, booking_id: str) -> ResponseReturnValue:
    """Pay for a held booking with a session of the package; ``booking_id`` is its public id."""
    booking = own_booking(booking_id)
    return _pay(public_id, [booking.id], url_for("bookings.checkout", public_id=booking_id), booking.public_id)


@bp.post("/packages/<public_id>/pay-series/<series_id>")
@reads_first
@requires("signed_in")
def pay_series(public_id: str, series_id: str) -> ResponseReturnValue:
    """Pay for all held sessions of a series; ``series_id`` is its public id."""
    db, series = current_db(), own_series(series_id)
    wanted = [one for one in bookings_of(db, db.get_one(BookingSeries, series.id)) if one.state != "cancelled"]
    if not wanted:
        raise NotFound(_l("There is no such booking."))
    back = url_for("series.checkout", public_id=series_id)
    return _pay(public_id, [one.id for one in wanted], back, wanted[0].public_id)


def _pay(public_id: str, booking_ids: list[int], back: str, booked: str) -> ResponseReturnValue:
    package_id, actor = own_package(public_id).id, current_actor("customer")
    try:
        with writing() as db:
            service.pay(db, db.get_one(Package, package_id), [db.get_one(Booking, one) for one in booking_ids], actor)
    except HelpoutsError as error:
        flash(str(error), "error")
        return redirect(back, 303)
    flash(_("Booked with your package. We have sent you a mail with a calendar invitation."), "success")
    return redirect(url_for("bookings.show", public_id=booked), 303)
