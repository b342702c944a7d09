"""Pages of the wait-list: join, see one's place, leave, take what is offered."""

from __future__ import annotations

from datetime import time
from typing import Any

from babel.dates import format_date
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select

from helpouts import i18n
from helpouts.bookings import service, waiting
from helpouts.bookings.change_views import private
from helpouts.bookings.forms import TakeForm, waiting_form, weekday_names
from helpouts.bookings.links import open_link
from helpouts.bookings.policy import policy_text
from helpouts.bookings.views import listing_of, submitted_answers
from helpouts.bookings.waiting_models import WaitlistEntry
from helpouts.catalog.models import Listing
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import current_zone
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db, reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("waiting", __name__)


@bp.route("/wait/<int:listing_id>", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def join(listing_id: int) -> ResponseReturnValue:
    """Wait for free time of a listing, or change what suits."""
    db = current_db()
    listing = listing_of(listing_id)
    category = service.check_bookable(db, listing)
    entry = waiting.entry_of(db, listing.id, current_user.id)
    lengths = [length.minutes for length in listing.offered()]
    form = waiting_form(category, lengths)(data=_as_form(entry) if entry is not None else _asked())
    if form.validate_on_submit():
        me: int = current_user.id
        try:
            with writing() as writer:
                place = waiting.join(
                    writer,
                    writer.get_one(Listing, listing_id),
                    me,
                    submitted_answers(form, category),
                    zone=current_zone(),
                    weekdays=[int(day) for day in form.weekdays.data or ()],
                    from_minute=_minute(form.from_time.data, 0),
                    until_minute=_minute(form.until_time.data, 1440),
                    until=form.until.data,
                    length_minutes=int(form.length.data) if form.length else None,
                )
            flash(_("You are on the wait-list. We send you a mail as soon as a time becomes free."), "success")
            return redirect(url_for("waiting.show", public_id=place.public_id), 303)
        except HelpoutsError as error:
            field = {"until_minute": "until_time", "from_minute": "from_time"}.get(error.field or "", error.field)
            attach(form, HelpoutsError(error.message, field=field) if error.status == 400 else error)
    questions = [form[f"intake_{question.key}"] for question in category.intake]
    page = render_template(
        "helpouts/bookings/wait.html",
        listing=listing,
        form=form,
        questions=questions,
        entry=entry,
        waiting=waiting.length_of(db, listing.id),
        viewer_zone=current_zone(),
    )
    return page, 400 if form.errors else 200


@bp.get("/waiting/<public_id>")
@requires("signed_in")
def show(public_id: str) -> ResponseReturnValue:
    """One's place on a list, and what is held."""
    db, entry = current_db(), _own(public_id)
    offer = waiting.open_offer(db, entry)
    return render_template(
        "helpouts/bookings/waiting.html",
        entry=entry,
        listing=entry.listing,
        place=waiting.place_of(db, entry),
        offer=offer.booking if offer is not None and offer.booking.state == "held" else None,
        weekdays=[weekday_names()[day] for day in entry.weekdays],
        length=entry.minutes if len(entry.listing.offered()) > 1 else None,
        until=format_date(entry.until, "long", locale=i18n.babel_locale()),
        from_time=_clock(entry.from_minute),
        until_time=_clock(entry.until_minute),
    )


@bp.post("/waiting/<public_id>/leave")
@requires("signed_in")
def leave(public_id: str) -> ResponseReturnValue:
    """Wait no more."""
    db, entry = current_db(), _own(public_id)
    waiting.leave(db, entry, current_actor("customer"))
    db.commit()
    flash(_("You are not on the wait-list any more."), "success")
    return redirect(url_for("catalog.listing", slug=entry.listing.slug), 303)


@bp.route("/b/take/<token>", methods=["GET", "POST"])
@reads_first
@requires("public", while_closed=True)
def take(token: str) -> ResponseReturnValue:
    """What is held for the person of a mail: take it (when it costs something, after signing in), or pass."""
    db = current_db()
    opened = open_link(db, token, "take")
    booking = opened.booking
    i18n.set_locale(opened.person.locale, booking.customer_zone)
    form = TakeForm()
    if form.validate_on_submit():
        if form.answer.data != "pass" and booking.amount_minor:
            return redirect(url_for("bookings.checkout", public_id=booking.public_id), 303)
        try:
            message = _answered(token, passing=form.answer.data == "pass")
            return private(render_template("helpouts/bookings/done.html", booking=booking, message=message))
        except HelpoutsError as error:
            attach(form, error)
    policy = policy_text(booking.cancellation_policy, booking.pricing)
    page = render_template("helpouts/bookings/take.html", booking=booking, form=form, policy=policy)
    return private(page, 400 if form.errors else 200)


def _answered(token: str, *, passing: bool) -> str:
    with writing() as db:
        opened = open_link(db, token, "take")
        if passing:
            waiting.decline(db, opened.booking, opened.actor)
            return _("The time goes to the next. You stay on the wait-list.")
        service.confirm(db, opened.booking, opened.actor)
        return _("Booked. We have sent you a mail with a calendar invitation.")


def _own(public_id: str) -> WaitlistEntry:
    entry = current_db().scalar(select(WaitlistEntry).where(WaitlistEntry.public_id == public_id))
    if entry is None or entry.customer_id != current_user.id:
        raise NotFound(_l("You are not on that wait-list."))
    return entry


def _minute(moment: Any, default: int) -> int:
    """Wall minutes of a time field; 00:00 as an end is midnight."""
    if moment is None:
        return default
    minute = int(moment.hour * 60 + moment.minute)
    return minute or default


def _clock(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


def _asked() -> dict[str, Any] | None:
    """The length that was chosen on the listing's page."""
    return {"length": request.args.get("length", "")} if request.method == "GET" and "length" in request.args else None


def _as_form(entry: WaitlistEntry) -> dict[str, Any] | None:
    if request.method != "GET":
        return None
    ends = None if entry.until_minute == 1440 else _clock(entry.until_minute)
    begins = _clock(entry.from_minute) if entry.from_minute else None
    answers = {f"intake_{key}": value for key, value in entry.answers.items()}
    return {
        "length": str(entry.minutes),
        "weekdays": [str(day) for day in entry.weekdays],
        "from_time": begins,
        "until_time": ends,
        "until": entry.until,
        **answers,
    }
