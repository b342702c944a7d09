"""The page on which a company says who serves a listing."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField

from helpouts.catalog.desk import actor, own_listing
from helpouts.catalog.forms import options
from helpouts.catalog.models import Listing
from helpouts.catalog.serving import members_of, save_serving
from helpouts.catalog.views import bp
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import requires


class ServingForm(FlaskForm):
    """The rule, and whether customers choose; :func:`_form` adds a place for each member."""

    serving = RadioField(_l("Who takes a session"))
    host_choice = BooleanField(_l("Customers may ask for somebody by name"))


@bp.route("/expert/listings/<int:listing_id>/people", methods=["GET", "POST"])
@requires("expert")
def serving(listing_id: int) -> ResponseReturnValue:
    """Who of the company serves the listing, and in which order."""
    db, listing = current_db(), own_listing(listing_id)
    form = _form(listing, members_of(db, listing))
    if form.validate_on_submit():
        places = [(form[f"place_{member.user_id}"].data, member.user_id) for member in listing.expert.members]
        chosen = [user_id for place, user_id in sorted(places) if place]
        try:
            save_serving(db, listing, form.serving.data, form.host_choice.data, chosen, actor())
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(_("Saved."), "success")
            return redirect(url_for("catalog.expert_dashboard", _anchor=f"listing-{listing.id}"), 303)
    places_of = [form[f"place_{member.user_id}"] for member in listing.expert.members]
    page = render_template("helpouts/catalog/serving.html", form=form, listing=listing, places=places_of)
    return page, 400 if form.errors else 200


def _form(listing: Listing, chosen: list[int]) -> Any:
    members = sorted(listing.expert.members, key=lambda member: (member.role != "owner", member.id))
    own: dict[str, Any] = {
        f"place_{member.user_id}": SelectField(
            member.user.name,
            coerce=int,
            choices=options([(0, _("does not serve it")), *((n, str(n)) for n in range(1, len(members) + 1))]),
        )
        for member in members
    }
    order = {user_id: place for place, user_id in enumerate(chosen, 1)}
    everybody = {member.user_id: place for place, member in enumerate(members, 1)}
    places = order or everybody
    data = {f"place_{member.user_id}": places.get(member.user_id, 0) for member in members}
    form = type("MembersForm", (ServingForm,), own)(
        data={"serving": listing.serving, "host_choice": listing.host_choice} | data
    )
    form.serving.choices = options(
        [
            ("any", _("Whoever had the least to do lately")),
            ("priority", _("The first in the order below who is free")),
        ]
    )
    return form
