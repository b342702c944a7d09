"""Pages of a booking: choose, answer, pay, look.  Changing one is in :mod:`helpouts.bookings.change_views`."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.bookings import intake, moving, service
from helpouts.bookings.forms import BookingForm, ConfirmForm, booking_form
from helpouts.bookings.models import Booking, BookingSeries
from helpouts.bookings.policy import policy_text
from helpouts.bookings.series import bookings_of
from helpouts.calendars.invitations import calendar_file
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.coupons.codes import normal
from helpouts.coupons.forms import RedeemForm
from helpouts.coupons.uses import use_of
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import current_zone
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages import holdings
from helpouts.payments import service as money
from helpouts.reviews.forms import ReplyForm, ReviewForm
from helpouts.reviews.models import Review
from helpouts.reviews.service import may_review, review_of
from helpouts.scheduling.service import asked_for
from helpouts.sessions.history import history
from helpouts.sessions.recording import recordings_of
from helpouts.sessions.service import session_of
from helpouts.sessions.tickets import OPENS_BEFORE
from helpouts.web.db import current_db, current_runtime, reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("bookings", __name__)


def own_booking(public_id: str) -> Booking:
    """The booking of that name, when the person at hand is one of its two people.

    :raises NotFound: otherwise, whether it exists or not.
    """
    booking = current_db().scalar(select(Booking).where(Booking.public_id == public_id))
    if booking is None or current_user.id not in (booking.host_id, booking.customer_id):
        raise NotFound(_l("There is no such booking."))
    if current_user.id == booking.host_id and not booking.is_settled_on:
        raise NotFound(_l("There is no such booking."))
    return booking


def listing_of(listing_id: int) -> Listing:
    """The listing with that id.

    :raises NotFound: when there is none.
    """
    listing = current_db().get(Listing, listing_id)
    if listing is None:
        raise NotFound(_l("There is no such listing."))
    return listing


def parse_start(text: str | None) -> datetime:
    """The instant of a form's field.

    :raises HelpoutsError: at the field ``start``, when it is none.
    """
    try:
        start = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        start = None  # type: ignore[assignment]  # refused below
    if start is None or start.tzinfo is None:
        raise HelpoutsError(_l("Choose a time from the calendar."), field="start")
    return start


def whole(text: str | None) -> int | None:
    """The number in a field, or None when there is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else None


def submitted_answers(form: FlaskForm, category: Any) -> dict[str, Any]:
    """What a form says to the category's questions, by their keys."""
    return {question.key: form.data.get(f"intake_{question.key}") for question in category.intake}


@bp.route("/book/<int:listing_id>", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def new(listing_id: int) -> ResponseReturnValue:
    """What is booked, the category's questions, the policy; sending it takes the slot."""
    db = current_db()
    listing = listing_of(listing_id)
    category = service.check_bookable(db, listing)
    form: BookingForm = booking_form(category)()
    if request.method == "GET":
        form.start.data, form.key.data = request.args.get("start", ""), secrets.token_urlsafe(12)
        form.length.data, form.host.data = request.args.get("length", ""), request.args.get("host", "")
        form.coupon.data = normal(request.args.get("coupon", ""))
    try:
        start = parse_start(form.start.data)
        length, host_id = whole(form.length.data), asked_for(db, listing, whole(form.host.data))
        listing.price_of(length or listing.length_minutes)
    except HelpoutsError as error:
        flash(str(error), "error")
        return redirect(url_for("catalog.listing", slug=listing.slug), 303)
    if form.validate_on_submit():
        try:
            booking = _take(listing, category, form, start, length, host_id)
            endpoint = "bookings.checkout" if booking.state == "held" else "bookings.show"
            coupon = normal(form.coupon.data or "") if booking.state == "held" else ""
            return redirect(url_for(endpoint, public_id=booking.public_id, coupon=coupon or None), 303)
        except HelpoutsError as error:
            attach(form, error)
    return _new_page(listing, category, form, start, length or listing.length_minutes)


def _take(
    listing: Listing, category: Any, form: BookingForm, start: datetime, length: int | None, host_id: int | None
) -> Booking:
    """The slot, held for the checkout, or booked when there is nothing to pay."""
    db, actor = current_db(), current_actor("customer")
    made = service.prepare(
        db,
        listing,
        db.get_one(User, current_user.id),
        start,
        submitted_answers(form, category),
        zone=current_zone(),
        idempotency_key=form.key.data or "",
        length_minutes=length,
        host_id=host_id,
    )
    if isinstance(made, Booking):
        return made
    with writing() as db:
        return service.reserve(db, made, actor) if made.values["amount_minor"] else service.place(db, made, actor)


def _new_page(listing: Listing, category: Any, form: BookingForm, start: datetime, length: int) -> ResponseReturnValue:
    questions = [form[f"intake_{question.key}"] for question in category.intake]
    page = render_template(
        "helpouts/bookings/new.html",
        listing=listing,
        category=category,
        form=form,
        questions=questions,
        start=start,
        length=length,
        price_minor=listing.price_of(length),
        policy=policy_text(listing.cancellation_policy, listing.pricing),
    )
    return page, 400 if form.errors else 200


@bp.route("/bookings/<public_id>/checkout", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def checkout(public_id: str) -> ResponseReturnValue:
    """Pay for a held slot from the wallet."""
    booking = own_booking(public_id)
    if booking.state != "held" or current_user.id != booking.customer_id:
        return redirect(url_for("bookings.show", public_id=public_id), 303)
    form = ConfirmForm()
    if form.validate_on_submit():
        actor = current_actor("customer")
        try:
            with writing() as writer:
                agreed = whole(form.agreed.data)
                service.confirm(writer, writer.get_one(Booking, booking.id), actor, agreed_minor=agreed)
            flash(_("Booked. We have sent you a mail with a calendar invitation."), "success")
            return redirect(url_for("bookings.show", public_id=public_id), 303)
        except HelpoutsError as error:
            attach(form, error)
    return checkout_page(booking, form)


def checkout_page(
    booking: Booking, form: ConfirmForm | None = None, redeem: RedeemForm | None = None
) -> ResponseReturnValue:
    """The page of a held booking's price, wallet and coupon.

    :param form: where paying was refused; ``redeem`` where a coupon was.
    """
    db, use = current_db(), use_of(current_db(), booking.id)
    form = form or ConfirmForm(formdata=None)
    form.agreed.data = str(booking.amount_minor)
    redeem = redeem or RedeemForm(formdata=None, code=normal(request.args.get("coupon", "")))
    return render_template(
        "helpouts/bookings/checkout.html",
        booking=booking,
        form=form,
        use=use,
        redeem=redeem,
        policy=policy_text(booking.cancellation_policy, booking.pricing),
        wallet=money.checkout_view(db, booking.customer_id, booking.amount_minor, booking.currency),
        holdings=holdings.usable(db, booking),
        pay_url=lambda package: url_for("packages.pay", public_id=package.public_id, booking_id=booking.public_id),
        back={"next": url_for("bookings.checkout", public_id=booking.public_id)},
    ), (409 if form.form_errors or redeem.form_errors else 400 if redeem.errors else 200)


@bp.get("/bookings/<public_id>")
@requires("signed_in")
def show(public_id: str) -> ResponseReturnValue:
    """Everything about a booking: when, the way into the room, what was paid, the review."""
    db = current_db()
    booking = own_booking(public_id)
    session = session_of(db, booking)
    category = current_runtime().registry.category(booking.category)
    answers = intake.in_words(category.intake, booking.intake)
    review = review_of(db, booking)
    series = db.get(BookingSeries, booking.series_id) if booking.series_id else None
    return render_template(
        "helpouts/bookings/show.html",
        booking=booking,
        session=session,
        use=use_of(db, booking.id),
        answers=answers,
        is_host=current_user.id == booking.host_id,
        other=booking.customer if current_user.id == booking.host_id else booking.host,
        opens_at=booking.starts_at - OPENS_BEFORE,
        can_enter=booking.state in ("confirmed", "in_session") and clock.now() >= booking.starts_at - OPENS_BEFORE,
        policy=policy_text(booking.cancellation_policy, booking.pricing),
        series=series,
        siblings=bookings_of(db, series) if series is not None else (),
        can_move=moving.can_move(booking),
        proposal=moving.proposal(db, booking),
        receipt=_receipt_lines(booking),
        kept=history(db, session, booking, current_user.id) if session is not None else None,
        recordings=recordings_of(db, session) if session is not None else (),
        review=review,
        review_form=ReviewForm(formdata=None) if may_review(db, booking, current_user.id) else None,
        reply_form=ReplyForm(formdata=None) if _may_reply(booking, review) else None,
    )


def _may_reply(booking: Booking, review: Review | None) -> bool:
    return review is not None and not review.reply and current_user.id == booking.host_id


def _receipt_lines(booking: Booking) -> tuple[Any, ...]:
    receipt = money.receipt(current_db(), booking)
    return receipt.earnings if current_user.id == booking.host_id else receipt.lines


@bp.get("/bookings/<public_id>/invite.ics")
@requires("signed_in")
def calendar(public_id: str) -> ResponseReturnValue:
    """The booking as a calendar file."""
    booking = own_booking(public_id)
    method = "CANCEL" if booking.state == "cancelled" else "REQUEST"
    me = booking.host if current_user.id == booking.host_id else booking.customer
    attachment = calendar_file(current_db(), booking, me, method)
    headers = {"Content-Disposition": 'attachment; filename="invite.ics"'}
    return Response(attachment.content, content_type=attachment.mime, headers=headers)
