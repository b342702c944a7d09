"""The expert's page of packages: what is offered, and who holds some."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from helpouts import formatting
from helpouts.catalog.desk import actor, own_expert, own_listing
from helpouts.catalog.forms import amount, options
from helpouts.catalog.models import Expert, Listing
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages import holdings, offers
from helpouts.packages.forms import OfferForm
from helpouts.packages.models import PackageOffer
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("package_offers", __name__)


@bp.route("/expert/packages", methods=["GET", "POST"])
@requires("expert")
def offered() -> ResponseReturnValue:
    """Offers with what they save, a new one, and the packages that customers hold."""
    db, expert = current_db(), own_expert()
    choices = _choices(expert)
    form = OfferForm()
    form.session.choices = options(choices)
    if choices and form.validate_on_submit():
        listing_id, _colon, minutes = form.session.data.partition(":")
        listing = own_listing(int(listing_id))
        try:
            price = amount(form.price.data or "", listing.currency)
            offers.add_offer(db, listing, int(minutes), form.sessions.data or 0, price, actor())
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(_("The package is on offer."), "success")
            return redirect(url_for("package_offers.offered"), 303)
    page = render_template(
        "helpouts/packages/offered.html",
        form=form if choices else None,
        offers=[(offer, listing, offers.saving(offer, listing)) for offer, listing in _offers(own_expert())],
        available=offers.available(db),
        holdings=holdings.of_expert(db, own_expert().id),
    )
    return page, 400 if form.errors else 200


@bp.post("/expert/packages/<int:offer_id>/withdraw")
@requires("expert")
def withdraw(offer_id: int) -> ResponseReturnValue:
    """Take an offer away."""
    db = current_db()
    offer = db.get(PackageOffer, offer_id)
    if offer is None:
        raise NotFound(_l("There is no such package."))
    own_listing(offer.listing_id)
    offers.withdraw_offer(db, offer, actor())
    db.commit()
    flash(_("The offer is taken away. Packages that were bought go on."), "success")
    return redirect(url_for("package_offers.offered"), 303)


def _choices(expert: Expert) -> list[tuple[str, str]]:
    listings = current_db().scalars(select(Listing).where(Listing.expert_id == expert.id).order_by(Listing.id)).all()
    return [
        (
            f"{listing.id}:{minutes}",
            f"{listing.title} · {formatting.minutes(minutes)} · "
            f"{formatting.money(listing.price_of(minutes), listing.currency)}",
        )
        for listing, minutes in offers.choices(listings)
    ]


def _offers(expert: Expert) -> list[tuple[PackageOffer, Listing]]:
    query = (
        select(PackageOffer, Listing)
        .join(Listing, Listing.id == PackageOffer.listing_id)
        .where(Listing.expert_id == expert.id, PackageOffer.withdrawn_at.is_(None))
        .order_by(Listing.id, PackageOffer.length_minutes, PackageOffer.sessions)
    )
    return [(offer, listing) for offer, listing in current_db().execute(query).unique()]
