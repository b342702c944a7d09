"""Pages on which a booking is cancelled or moved: for people who are signed in, and through a link in a mail.

Both ways lead to the same pages.  A link needs no account; what it shows is the booking's, in its person's language and
zone, and nothing is done before the form is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy.orm import Session

from helpouts import i18n
from helpouts.audit.actor import Actor
from helpouts.bookings import moving, service
from helpouts.bookings.forms import AnswerForm, CancelForm, MoveForm
from helpouts.bookings.links import Purpose, open_link
from helpouts.bookings.models import Booking
from helpouts.bookings.policy import free_until, policy_text
from helpouts.bookings.views import own_booking, parse_start
from helpouts.catalog.pages import first_days, slot_start
from helpouts.errors import HelpoutsError
from helpouts.i18n import current_zone
from helpouts.i18n import gettext as _
from helpouts.scheduling.display import group_by_day
from helpouts.scheduling.zones import to_minute
from helpouts.web.db import current_db, reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("booking_changes", __name__)
#: Days of other times that a page shows at once.
SHOWN = timedelta(days=14)
#: They begin so long before the time that it has now.
NEAR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is at a page, about which booking; ``token`` is of the link that they came by, or "", ``purpose`` its own."""

    booking: Booking
    actor: Actor
    token: str = ""
    purpose: Purpose = "cancel"

    @property
    def is_host(self) -> bool:
        """Whether it is the expert."""
        return self.actor.kind == "expert"

    def booking_in(self, db: Session) -> Booking:
        """The booking in the session that writes.

        :raises NotFound: the link has become void since the page was asked for.
        """
        return open_link(db, self.token, self.purpose).booking if self.token else db.get_one(Booking, self.booking.id)

    def done(self, message: str) -> ResponseReturnValue:
        """Say that it worked: on the booking's page, or on one of its own for people who may not be signed in."""
        if self.token:
            return private(render_template("helpouts/bookings/done.html", booking=self.booking, message=message))
        flash(message, "success")
        return redirect(url_for("bookings.show", public_id=self.booking.public_id), 303)


def _signed_in(public_id: str) -> Visit:
    booking = own_booking(public_id)
    return Visit(booking, current_actor("expert" if current_user.id == booking.host_id else "customer"))


def _by_link(token: str, purpose: Purpose) -> Visit:
    opened = open_link(current_db(), token, purpose)
    booking = opened.booking
    i18n.set_locale(opened.person.locale, booking.host_zone if opened.is_host else booking.customer_zone)
    return Visit(booking, opened.actor, token, purpose)


def private(page: str, status: int = 200) -> ResponseReturnValue:
    """A page behind a link: neither kept by caches and search engines, nor named to other sites."""
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _page(visit: Visit, template: str, form: Any, **values: Any) -> ResponseReturnValue:
    page = render_template(
        f"helpouts/bookings/{template}",
        booking=visit.booking,
        form=form,
        is_host=visit.is_host,
        by_link=bool(visit.token),
        policy=policy_text(visit.booking.cancellation_policy, visit.booking.pricing),
        **values,
    )
    status = 400 if form.errors else 200
    return private(page, status) if visit.token else (page, status)


def _tried(form: Any, visit: Visit, act: Callable[[Session, Booking], str]) -> ResponseReturnValue | None:
    """Do it in a transaction of its own; None when it was refused, with the reason in the form."""
    try:
        with writing() as db:
            message = act(db, visit.booking_in(db))
    except HelpoutsError as error:
        attach(form, error)
        return None
    return visit.done(message)


@bp.route("/bookings/<public_id>/cancel", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def cancel(public_id: str) -> ResponseReturnValue:
    """What cancelling costs now, and doing it."""
    return _cancel(_signed_in(public_id))


@bp.route("/b/cancel/<token>", methods=["GET", "POST"])
@reads_first
@requires("public", while_closed=True)
def link_cancel(token: str) -> ResponseReturnValue:
    """The same through a link in a mail."""
    return _cancel(_by_link(token, "cancel"))


def _cancel(visit: Visit) -> ResponseReturnValue:
    form = CancelForm()

    def act(db: Session, booking: Booking) -> str:
        service.cancel(db, booking, form.reason.data or "", visit.actor)
        return _("The booking is cancelled.")

    if form.validate_on_submit():
        answer = _tried(form, visit, act)
        if answer is not None:
            return answer
    return _page(visit, "cancel.html", form, charge=service.charge_now(visit.booking, visit.actor))


@bp.route("/bookings/<public_id>/move", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def move(public_id: str) -> ResponseReturnValue:
    """Other times for the session, and moving it or asking to."""
    return _move(_signed_in(public_id))


@bp.route("/b/move/<token>", methods=["GET", "POST"])
@reads_first
@requires("public", while_closed=True)
def link_move(token: str) -> ResponseReturnValue:
    """The same through a link in a mail."""
    return _move(_by_link(token, "move"))


def _move(visit: Visit) -> ResponseReturnValue:
    form, booking = MoveForm(), visit.booking

    def act(db: Session, booking: Booking) -> str:
        start = parse_start(form.start.data)
        made = moving.reschedule(db, booking, start, visit.actor, form.reason.data or "")
        return _("The session is moved.") if made.state == "done" else _("We have asked the other side by mail.")

    if form.validate_on_submit():
        answer = _tried(form, visit, act)
        if answer is not None:
            return answer
    since = slot_start(request.args.get("from", ""), booking.starts_at - NEAR)
    starts = moving.other_starts(current_db(), booking, since, since + SHOWN) if moving.can_move(booking) else []
    days, later = first_days(group_by_day([to_minute(start) for start in starts]), since + SHOWN)
    return _page(
        visit,
        "move.html",
        form,
        days=days,
        later=later,
        viewer_zone=current_zone(),
        can_move=moving.can_move(booking),
        at_once=moving.at_once(booking, visit.actor),
        free_until=free_until(booking.cancellation_policy, booking.pricing, booking.starts_at),
        most=moving.MOST_MOVES,
    )


@bp.route("/bookings/<public_id>/move/answer", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def answer(public_id: str) -> ResponseReturnValue:
    """The other side's proposal: agree or decline."""
    return _answer(_signed_in(public_id))


@bp.route("/b/answer/<token>", methods=["GET", "POST"])
@reads_first
@requires("public", while_closed=True)
def link_answer(token: str) -> ResponseReturnValue:
    """The same through a link in a mail."""
    return _answer(_by_link(token, "answer"))


def _answer(visit: Visit) -> ResponseReturnValue:
    form = AnswerForm()

    def act(db: Session, booking: Booking) -> str:
        if form.answer.data == "accept":
            moving.accept(db, booking, visit.actor)
            return _("The session is moved.")
        moving.decline(db, booking, visit.actor, form.reason.data or "")
        return _("The session stays as it was.") if visit.is_host else _("The booking is cancelled free of charge.")

    if form.validate_on_submit():
        done = _tried(form, visit, act)
        if done is not None:
            return done
    return _page(visit, "answer.html", form, move=moving.proposal(current_db(), visit.booking))


@bp.post("/bookings/<public_id>/move/withdraw")
@reads_first
@requires("signed_in")
def withdraw(public_id: str) -> ResponseReturnValue:
    """Take one's own proposal back."""
    visit = _signed_in(public_id)
    with writing() as db:
        moving.withdraw(db, visit.booking_in(db), visit.actor)
    return visit.done(_("Your proposal is taken back."))
