"""The customer's pages of posted requests."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.catalog.queries import language_name
from helpouts.catalog.records import SearchRequest
from helpouts.errors import HelpoutsError
from helpouts.i18n import current_zone, in_language
from helpouts.i18n import gettext as _
from helpouts.scheduling.display import day_label
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires
from helpouts.wishes import requests
from helpouts.wishes.cards import cards_of
from helpouts.wishes.forms import ButtonForm, RequestForm, request_form, request_values, timings
from helpouts.wishes.models import HelpRequest
from helpouts.wishes.states import LIVE_STATES
from helpouts.wishes.views import bp

#: Where a visitor's request waits until they have signed in: in the browser's session, on the server.
DRAFT = "request_draft"
_KEPT = ("topic", "title", "text", "timing", "day_from", "day_until", "language", "budget")


def new_url(search: SearchRequest) -> str:
    """The address of the form, filled with what a search looked for."""
    topic = "/".join(filter(None, (search.category, search.subcategory)))
    budget = "" if search.price_max is None else str(search.price_max // 100)
    said: dict[str, Any] = {"title": search.q[:100], "topic": topic, "language": search.language, "budget": budget}
    if search.price == "free":
        said["budget"] = "0"
    return url_for("wishes.new_request", **{key: value for key, value in said.items() if value})


@bp.route("/requests/new", methods=["GET", "POST"])
@requires("public")
def new_request() -> ResponseReturnValue:
    """Write what is needed; who is not signed in yet does so before it is posted, and finds it as it was."""
    db, runtime = current_db(), current_runtime()
    draft = session.get(DRAFT) if request.method == "GET" and current_user.is_authenticated else None
    form = request_form(runtime.registry.categories(db), runtime.config.currency, _start(draft))
    if form.validate_on_submit():
        try:
            values = request_values(form, runtime.config.currency)
            if not current_user.is_authenticated:
                requests.clean(db, values, current_zone())
                session[DRAFT] = _draft(form)
                flash(_("Sign in or register to post it. What you wrote is kept."), "info")
                return redirect(url_for("security.login", next=url_for("wishes.new_request")), 303)
            made = requests.post(db, db.get_one(User, current_user.id), values, current_zone())
        except HelpoutsError as error:
            db.rollback()
            if error.field in ("category", "subcategory"):
                error.field = "topic"
            attach(form, error)
        else:
            db.commit()
            session.pop(DRAFT, None)
            flash(_("Posted. The experts of the field see it; we write to you when one answers."), "success")
            return redirect(url_for("wishes.show_request", public_id=made.public_id), 303)
    page = render_template("helpouts/wishes/new_request.html", form=form, from_draft=bool(draft))
    return page, 400 if form.errors else 200


@bp.get("/requests")
@requires("signed_in")
def my_requests() -> ResponseReturnValue:
    """The person's requests."""
    rows = requests.requests_of(current_db(), current_user.id)
    return render_template("helpouts/wishes/requests.html", requests=rows, words=words, live=LIVE_STATES)


@bp.get("/requests/<public_id>")
@requires("signed_in")
def show_request(public_id: str) -> ResponseReturnValue:
    """A request with its answers, and the way to book from them."""
    db = current_db()
    found = requests.own_request(db, current_user.id, public_id)
    offered = [answer.listing_id for answer in found.answers if answer.listing_id is not None]
    return render_template(
        "helpouts/wishes/request.html",
        request_=found,
        words=words(found),
        cards={card.id: card for card in cards_of(db, offered)},
        is_live=found.state in LIVE_STATES,
    )


@bp.post("/requests/<public_id>/<any(close, withdraw):event>")
@requires("signed_in")
def end_request(public_id: str, event: str) -> ResponseReturnValue:
    """Help was found, or is not needed any more."""
    db = current_db()
    found = requests.own_request(db, current_user.id, public_id)
    try:
        if not ButtonForm().validate():
            raise HelpoutsError(_("Reload the page and try again."))
        requests.finish(db, found, event, current_actor("customer"))
        db.commit()
        flash(_("Good to hear. Your request is closed.") if event == "close" else _("Taken back."), "success")
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "error")
    return redirect(url_for("wishes.show_request", public_id=public_id), 303)


def words(found: HelpRequest) -> dict[str, str]:
    """Field, topic, time, language and budget of a request, in the reader's language."""
    category = current_runtime().registry.category(found.category)
    topic = category.subcategory(found.subcategory)
    budget = ""
    if found.budget_minor is not None:
        upto = _("up to %(price)s", price=formatting.money(found.budget_minor, found.currency))
        budget = upto if found.budget_minor else _("for nothing")
    return {
        "field": in_language(category.name),
        "topic": in_language(topic.label) if topic else "",
        "when": _when(found),
        "language": language_name(found.language) if found.language else "",
        "budget": budget,
    }


def _when(found: HelpRequest) -> str:
    if found.timing != "dates" or found.day_from is None:
        return timings()[found.timing]
    first = day_label(found.day_from)
    if found.day_until in (None, found.day_from):
        return first
    assert found.day_until is not None  # the line before
    return _("%(first)s to %(last)s", first=first, last=day_label(found.day_until))


def _draft(form: RequestForm) -> dict[str, str]:
    values = {name: form[name].data for name in _KEPT}
    return {name: value.isoformat() if isinstance(value, date) else str(value or "") for name, value in values.items()}


def _start(draft: dict[str, str] | None) -> dict[str, Any]:
    """What the form holds at first: the draft of before the sign-in, else what the address says."""
    said = draft or {name: request.args.get(name, "")[:200].replace("\x00", "") for name in _KEPT}
    start: dict[str, Any] = {name: value for name, value in said.items() if value}
    for name in ("day_from", "day_until"):
        try:
            start[name] = date.fromisoformat(str(start.get(name, "")))
        except ValueError:
            start.pop(name, None)
    return start
