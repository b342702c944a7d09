"""Pages of a series: its dates, one checkout for all, cancelling what is to come."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.bookings import series, service
from helpouts.bookings.forms import ConfirmForm, RestForm, SeriesForm, series_form
from helpouts.bookings.models import Booking, BookingSeries
from helpouts.bookings.policy import policy_text
from helpouts.bookings.views import listing_of, parse_start, submitted_answers, whole
from helpouts.catalog.models import Listing
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import current_zone
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages import holdings
from helpouts.payments import service as money
from helpouts.scheduling.service import asked_for
from helpouts.web.db import current_db, reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("series", __name__)
#: What the page shows at first.
COUNT = 6


def own_series(public_id: str) -> BookingSeries:
    """The series of that name, for one of its two people.

    :raises NotFound: otherwise, whether it exists or not.
    """
    found = current_db().scalar(select(BookingSeries).where(BookingSeries.public_id == public_id))
    if found is None or current_user.id not in (found.host_id, found.customer_id):
        raise NotFound(_l("There is no such booking."))
    return found


@bp.route("/book/<int:listing_id>/series", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def new(listing_id: int) -> ResponseReturnValue:
    """The dates, each with its time or another; sending it takes them all, or none."""
    db, listing = current_db(), listing_of(listing_id)
    category = service.check_bookable(db, listing)
    form: SeriesForm = series_form(category)()
    given = request.form if request.method == "POST" else request.args
    for name in ("start", "length", "host", "every", "count"):
        form[name].data = given.get(name, {"every": "1", "count": str(COUNT)}.get(name, ""))
    if request.method == "GET":
        form.key.data = secrets.token_urlsafe(12)
    length = whole(form.length.data)
    every, count = whole(form.every.data) or 1, whole(form.count.data) or COUNT
    known = series.known_series(db, current_user.id, form.key.data or "") if request.method == "POST" else None
    if known is not None:
        return _taken(known.public_id, series.bookings_of(db, known))
    try:
        first = parse_start(form.start.data)
        host_id = asked_for(db, listing, whole(form.host.data))
        plan = series.plan(db, listing, current_user.id, first, every, count, length_minutes=length, host_id=host_id)
    except HelpoutsError as error:
        flash(str(error), "error")
        return redirect(url_for("catalog.listing", slug=listing.slug), 303)
    shown = [one.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ") if one.free else "" for one in plan.occurrences]
    chosen = [given.get(f"date-{number}", start) for number, start in enumerate(shown)]
    if form.validate_on_submit():
        try:
            return _taken(*_take(listing, category, form, chosen, every, length, plan.host_id))
        except HelpoutsError as error:
            known = series.known_series(db, current_user.id, form.key.data or "")
            if known is not None:  # a second click: it was made in this moment
                return _taken(known.public_id, series.bookings_of(db, known))
            attach(form, error)
    minutes = length or listing.length_minutes
    price = listing.price_of(minutes)
    page = render_template(
        "helpouts/bookings/series_new.html",
        listing=listing,
        form=form,
        questions=[form[f"intake_{question.key}"] for question in category.intake],
        occurrences=plan.occurrences,
        conflicts=plan.conflicts,
        chosen=chosen,
        every=every,
        count=count,
        fewest=series.FEWEST,
        most=series.MOST,
        each=price * (minutes if listing.pricing == "per_minute" else 1),
        viewer_zone=current_zone(),
        policy=policy_text(listing.cancellation_policy, listing.pricing),
    )
    return page, 400 if form.errors else 200


def _take(
    listing: Listing,
    category: Any,
    form: SeriesForm,
    chosen: Sequence[str],
    every: int,
    length: int | None,
    host_id: int,
) -> tuple[str, Sequence[Booking]]:
    """All chosen times: held for the checkout, or booked when there is nothing to pay; name and sessions."""
    db, actor, key = current_db(), current_actor("customer"), form.key.data or ""
    drafts = series.draft_series(
        db,
        listing,
        db.get_one(User, current_user.id),
        [parse_start(start) for start in chosen if start],
        submitted_answers(form, category),
        every_weeks=every,
        host_id=host_id,
        zone=current_zone(),
        idempotency_key=key,
        length_minutes=length,
    )
    with writing() as db:
        made = series.hold_series(db, drafts, every, key, actor)
        bookings = series.bookings_of(db, made)
        if not any(booking.amount_minor for booking in bookings):
            series.confirm_series(db, made, actor)
        return made.public_id, bookings


def _taken(public_id: str, bookings: Sequence[Booking]) -> ResponseReturnValue:
    if any(booking.amount_minor for booking in bookings):
        return redirect(url_for("series.checkout", public_id=public_id), 303)
    return redirect(url_for("bookings.show", public_id=bookings[0].public_id), 303)


@bp.route("/series/<public_id>/checkout", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def checkout(public_id: str) -> ResponseReturnValue:
    """Pay for all of them from the wallet."""
    db, found = current_db(), own_series(public_id)
    bookings = [booking for booking in series.bookings_of(db, found) if booking.state == "held"]
    if not bookings or current_user.id != found.customer_id:
        return redirect(url_for("series.show", public_id=public_id), 303)
    form = ConfirmForm()
    if form.validate_on_submit():
        actor = current_actor("customer")
        try:
            with writing() as writer:
                booked = series.confirm_series(writer, writer.get_one(BookingSeries, found.id), actor)
            flash(_("Booked. We have sent you a mail for each session with a calendar invitation."), "success")
            return redirect(url_for("bookings.show", public_id=booked[0].public_id), 303)
        except HelpoutsError as error:
            attach(form, error)
    total, first = sum(booking.amount_minor for booking in bookings), bookings[0]
    page = render_template(
        "helpouts/bookings/series_checkout.html",
        series=found,
        bookings=bookings,
        first=first,
        total=total,
        form=form,
        policy=policy_text(first.cancellation_policy, first.pricing),
        wallet=money.checkout_view(db, found.customer_id, total, first.currency),
        holdings=holdings.usable(db, first, len(bookings)),
        pay_url=lambda package: url_for("packages.pay_series", public_id=package.public_id, series_id=public_id),
        back={"next": url_for("series.checkout", public_id=public_id)},
    )
    return page, 409 if form.form_errors else 200


@bp.get("/series/<public_id>")
@requires("signed_in")
def show(public_id: str) -> ResponseReturnValue:
    """The next session of the series, whose page shows the others too."""
    db, found = current_db(), own_series(public_id)
    rest: list[Any] = series.rest_of(db, found) or series.bookings_of(db, found)
    return redirect(url_for("bookings.show", public_id=rest[0].public_id), 303)


@bp.route("/series/<public_id>/cancel", methods=["GET", "POST"])
@requires("signed_in")
def cancel(public_id: str) -> ResponseReturnValue:
    """What cancelling all that is to come costs now, and doing it."""
    db, found = current_db(), own_series(public_id)
    actor = current_actor("expert" if current_user.id == found.host_id else "customer")
    form = RestForm()
    if form.validate_on_submit():
        try:
            count = series.cancel_rest(db, found, form.reason.data or "", actor)
            db.commit()
            flash(_("%(count)s sessions are cancelled.", count=count), "success")
            return redirect(url_for("series.show", public_id=public_id), 303)
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
            found = own_series(public_id)
    page = render_template(
        "helpouts/bookings/series_cancel.html",
        rest=series.rest_of(db, found),
        charge=series.charge_for_rest(db, found, actor),
        is_host=actor.kind == "expert",
        form=form,
    )
    return page, 400 if form.errors else 200
