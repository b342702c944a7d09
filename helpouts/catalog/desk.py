"""The experts' own pages: desk, listings, profile."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.catalog import service, validation
from helpouts.catalog.category import Category
from helpouts.catalog.forms import ActionForm, ProfileForm, form_values, language_choices, listing_form
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.overview import overview
from helpouts.catalog.views import bp
from helpouts.errors import HelpoutsError, NotAllowed, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

#: What an expert can do to a listing with one button: the service function, and what is said afterwards.
ACTIONS: dict[str, tuple[Any, Any]] = {
    "submit": (service.submit, _l("Handed in. We look at it and write to you.")),
    "withdraw": (service.withdraw, _l("Taken back.")),
    "retire": (
        lambda db, listing, actor: service.retire(db, listing, "", actor),
        _l("This listing is off the site for good."),
    ),
}


def own_expert() -> Expert:
    """The expert that the person at hand acts for.

    :raises NotAllowed: when there is none.
    """
    expert = service.expert_of(current_db(), current_db().get_one(User, current_user.id))
    if expert is None:
        raise NotAllowed(_l("You have no expert profile: enter your invitation code first."))
    return expert


def own_listing(listing_id: int) -> Listing:
    """A listing of that expert.

    :raises NotFound: otherwise, whether it exists or not.
    """
    listing = current_db().get(Listing, listing_id)
    if listing is None or not service.may_edit(listing.expert, actor()):
        raise NotFound(_l("You have no such listing."))
    return listing


def actor() -> Actor:
    """The person at hand, as expert."""
    return current_actor("expert")


@bp.get("/expert")
@requires("expert")
def expert_dashboard() -> ResponseReturnValue:
    """What comes, what was earned, the listings, and what to do next."""
    expert = own_expert()
    return render_template(
        "helpouts/catalog/desk.html", expert=expert, desk=overview(current_db(), expert, current_user.id)
    )


@bp.route("/expert/listings/new", methods=["GET", "POST"], defaults={"listing_id": None})
@bp.route("/expert/listings/<int:listing_id>", methods=["GET", "POST"])
@requires("expert")
def edit_listing(listing_id: int | None) -> ResponseReturnValue:
    """Write a listing or change one; the category's own questions are part of the form."""
    db = current_db()
    expert = own_expert() if listing_id is None else own_listing(listing_id).expert
    listing = None if listing_id is None else own_listing(listing_id)
    category = _category(expert, listing)
    if category is None:
        return render_template("helpouts/catalog/choose_category.html", choices=_open_categories(expert))
    form = listing_form(category, validation.currencies(db), listing, expert)
    if form.validate_on_submit():
        try:
            saved = _save(expert, listing, form_values(form, category))
        except HelpoutsError as error:
            db.rollback()
            if error.field == "price_minor":
                error.field = "price"
            attach(form, error)
        else:
            db.commit()
            flash(_saved_text(saved), "success")
            return redirect(url_for("catalog.expert_dashboard", _anchor=f"listing-{saved.id}"), 303)
    page = render_template(
        "helpouts/catalog/edit_listing.html",
        form=form,
        listing=listing,
        category=category,
        category_name=in_language(category.name),
        own_fields=[form[f"field_{field.key}"] for field in category.listing_fields],
    )
    return page, 400 if form.errors else 200


@bp.post("/expert/listings/<int:listing_id>/submit")
@requires("expert")
def submit_listing(listing_id: int) -> ResponseReturnValue:
    """Hand a listing in for review."""
    return _act(listing_id, "submit")


@bp.post("/expert/listings/<int:listing_id>/<any(withdraw, retire):action>")
@requires("expert")
def change_listing(listing_id: int, action: str) -> ResponseReturnValue:
    """Take a listing back, or off the site."""
    return _act(listing_id, action)


@bp.get("/expert/listings/<int:listing_id>/retire")
@requires("expert")
def confirm_retire(listing_id: int) -> ResponseReturnValue:
    """Ask before a listing goes for good."""
    return render_template("helpouts/catalog/retire.html", listing=own_listing(listing_id))


@bp.route("/expert/profile", methods=["GET", "POST"])
@requires("expert")
def edit_profile() -> ResponseReturnValue:
    """What the expert's page says."""
    db, expert = current_db(), own_expert()
    form = ProfileForm(data={"headline": expert.headline, "bio": expert.bio, "languages": expert.languages})
    form.languages.choices = language_choices(list(expert.languages))
    if form.validate_on_submit():
        try:
            service.edit_profile(
                db, expert, form.headline.data or "", form.bio.data or "", form.languages.data or [], actor()
            )
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(_("Saved."), "success")
            return redirect(url_for("catalog.expert_dashboard"), 303)
    page = render_template("helpouts/catalog/edit_profile.html", form=form, expert=expert)
    return page, 400 if form.errors else 200


def _act(listing_id: int, action: str) -> ResponseReturnValue:
    db, listing = current_db(), own_listing(listing_id)
    if not ActionForm().validate_on_submit():
        raise HelpoutsError(_l("This page was too old: go back, reload it and try again."))
    verb, said = ACTIONS[action]
    try:
        verb(db, listing, actor())
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "error")
        if error.field in validation.EDITABLE or (error.field or "").startswith("field_"):
            return redirect(url_for("catalog.edit_listing", listing_id=listing_id), 303)
    else:
        db.commit()
        flash(str(said), "success")
    return redirect(url_for("catalog.expert_dashboard", _anchor=f"listing-{listing_id}"), 303)


def _save(expert: Expert, listing: Listing | None, values: dict[str, Any]) -> Listing:
    if listing is None:
        return service.create_listing(current_db(), expert, values, actor())
    return service.edit_listing(current_db(), listing, values, actor())


def _saved_text(listing: Listing) -> str:
    if listing.pending is not None:
        return _("Saved. The present version stays live until we have looked at your changes.")
    return _("Saved as a draft: hand it in when it is ready.") if listing.state == "draft" else _("Saved.")


def _open_categories(expert: Expert) -> list[tuple[str, str]]:
    enabled = current_runtime().registry.categories(current_db())
    held = {category.category for category in expert.categories}
    return [(slug, in_language(category.name)) for slug, category in enabled.items() if slug in held]


def _category(expert: Expert, listing: Listing | None) -> Category | None:
    """The category of the listing, or the one that was chosen for a new one."""
    registry = current_runtime().registry
    if listing is not None:
        return registry.category(listing.category)
    choices = [slug for slug, _name in _open_categories(expert)]
    wanted = request.args.get("category", "")
    if wanted in choices:
        return registry.category(wanted)
    return registry.category(choices[0]) if len(choices) == 1 else None
