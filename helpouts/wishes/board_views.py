"""The experts' pages of posted requests: the board, and answering."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from helpouts.catalog.cards import short_name, soon
from helpouts.catalog.desk import actor, own_expert
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.formatting import ago
from helpouts.i18n import current_zone
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling.service import next_free
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import requires
from helpouts.wishes import answers
from helpouts.wishes.forms import AnswerForm, answer_form
from helpouts.wishes.models import HelpRequest
from helpouts.wishes.request_views import words
from helpouts.wishes.states import LIVE_STATES
from helpouts.wishes.views import bp


@bp.get("/expert/requests")
@requires("expert")
def board() -> ResponseReturnValue:
    """What people need in the expert's fields."""
    expert = own_expert()
    text = request.args.get("page", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    rows, pages = answers.board(current_db(), expert, number)
    return render_template(
        "helpouts/wishes/board.html",
        rows=[_shown(row) | {"answered": any(a.expert_id == expert.id for a in row.answers)} for row in rows],
        page=max(1, min(number, pages)),
        pages=pages,
        page_url=lambda page: url_for("wishes.board", page=page),
        most=answers.MOST_ANSWERS,
    )


@bp.route("/expert/requests/<public_id>", methods=["GET", "POST"])
@requires("expert")
def answer(public_id: str) -> ResponseReturnValue:
    """Read a request and answer it."""
    db, expert = current_db(), own_expert()
    found = answers.for_expert(db, expert, public_id)
    listings = list(answers.listings_for(db, expert, found))
    free = next_free(db, listings)
    form = answer_form(
        [(listing, _("next free: %(time)s", time=soon(at)) if (at := free[listing.id]) else "") for listing in listings]
    )
    if form.validate_on_submit():
        try:
            chosen = int(form.listing.data) if form.listing.data else None
            answers.answer(
                db, found, expert, actor(), listing_id=chosen, starts_at=_start(form), text=form.text.data or ""
            )
        except HelpoutsError as error:
            db.rollback()
            error.field = "day" if error.field == "start" else error.field
            attach(form, error)
            found = answers.for_expert(db, expert, public_id)
        else:
            db.commit()
            flash(_("Sent. The customer gets a mail and can book from it."), "success")
            return redirect(url_for("wishes.board"), 303)
    page = render_template(
        "helpouts/wishes/answer.html",
        request_=found,
        shown=_shown(found),
        given=answers.answer_of(db, expert, found),
        is_open=found.state in LIVE_STATES,
        form=form,
        listings=listings,
    )
    return page, 400 if form.errors else 200


def _shown(row: HelpRequest) -> dict[str, Any]:
    return {
        "row": row,
        "words": words(row),
        "by": short_name(row.customer.name),
        "posted": ago(row.created_at, clock.now()),
    }


def _start(form: AnswerForm) -> datetime | None:
    if form.day.data is None and form.time.data is None:
        return None
    if form.day.data is None or form.time.data is None:
        raise HelpoutsError(_l("Give day and time, or neither."), field="day")
    local = datetime.combine(form.day.data, form.time.data)
    return local.replace(tzinfo=ZoneInfo(current_zone()))
