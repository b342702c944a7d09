"""The feed itself, and the pages on which people set up feeds and experts connect their calendars."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts.calendars import feed as feeds
from helpouts.calendars import forms, service
from helpouts.calendars.trouble import in_words
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("calendars", __name__)


@bp.get("/calendar/<token>.ics")
@requires("public", while_closed=True)
def feed(token: str) -> ResponseReturnValue:
    """What calendars subscribe to; the address is all that they need."""
    found = feeds.open_feed(current_db(), token)
    if found is None:
        gone = Response("This calendar is no longer here.\n", 404, mimetype="text/plain")
        gone.headers["Cache-Control"] = "private, no-store"
        return gone
    response = Response(status=200, mimetype="text/calendar")
    response.set_etag(found.etag)
    if not request.if_none_match.contains(found.etag):
        response.set_data(found.content())
    else:
        response.status_code = 304
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Content-Disposition"] = 'inline; filename="helpouts.ics"'
    return response


@bp.get("/account/calendar")
@requires("signed_in")
def own_feed() -> ResponseReturnValue:
    """The feed, for everybody."""
    return _page("helpouts/calendars/feed.html")


@bp.post("/account/calendar/link")
@requires("signed_in")
def new_link() -> ResponseReturnValue:
    """Make a link, shown on the page that answers and never again."""
    db = current_db()
    token = feeds.renew(db, current_user.id)
    if request.form.get("hide") is not None:
        feeds.hide_names(db, current_user.id, True)
    db.commit()
    address = f"{current_runtime().config.public_url.rstrip('/')}{url_for('calendars.feed', token=token)}"
    response = make_response(_page(_template(), address=address))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/account/calendar/names")
@requires("signed_in")
def names() -> ResponseReturnValue:
    """Show or hide names in the feed."""
    db = current_db()
    feeds.hide_names(db, current_user.id, request.form.get("hide") is not None)
    db.commit()
    flash(_("Saved."), "success")
    return redirect(_back(), 303)


@bp.post("/account/calendar/end")
@requires("signed_in")
def end_link() -> ResponseReturnValue:
    """End the feed."""
    db = current_db()
    feeds.revoke(db, current_user.id)
    db.commit()
    flash(_("The link is dead. Calendars that used it get nothing any more."), "success")
    return redirect(_back(), 303)


@bp.get("/expert/calendars")
@requires("expert")
def overview() -> ResponseReturnValue:
    """Connected calendars with their state, and the feed."""
    return _page("helpouts/calendars/overview.html")


@bp.route("/expert/calendars/connect", methods=["GET", "POST"])
@requires("expert")
def connect() -> ResponseReturnValue:
    """Connect an address (``?kind=ical``) or an account (``?kind=caldav``)."""
    kind = "caldav" if request.args.get("kind") == "caldav" else "ical"
    form = forms.AccountForm() if kind == "caldav" else forms.AddressForm()
    if form.validate_on_submit():
        given = {name: form[name].data or "" for name in ("url", "name", "user", "password") if name in form}
        db = current_db()
        try:
            service.connect(db, current_user.id, kind, given.pop("url"), **given)
        except HelpoutsError as error:
            attach(form, error)
        else:
            db.commit()
            flash(_("Connected. We are looking at it now."), "success")
            return redirect(url_for("calendars.overview"), 303)
    status = 400 if form.errors else 200
    return render_template("helpouts/calendars/connect.html", form=form, kind=kind), status


@bp.route("/expert/calendars/<public_id>", methods=["GET", "POST"])
@requires("expert")
def choose(public_id: str) -> ResponseReturnValue:
    """Which calendars of an account count."""
    db = current_db()
    source = service.source_of(db, current_user.id, public_id, lock_row=request.method == "POST")
    known = source.collections or []
    form = forms.ChooseForm(data={"calendars": [item["href"] for item in known if item["chosen"]]})
    form.calendars.flags.required = True
    form.calendars.choices = [(item["href"], item["name"]) for item in known]
    if form.validate_on_submit():
        try:
            service.choose(db, source, form.calendars.data or [])
        except HelpoutsError as error:
            attach(form, error)
        else:
            db.commit()
            flash(_("Saved. We are reading them now."), "success")
            return redirect(url_for("calendars.overview"), 303)
    status = 400 if form.errors else 200
    return render_template("helpouts/calendars/choose.html", form=form, source=source), status


@bp.post("/expert/calendars/<public_id>/read")
@requires("expert")
def read_now(public_id: str) -> ResponseReturnValue:
    """Read it now."""
    db = current_db()
    source = service.source_of(db, current_user.id, public_id, lock_row=True)
    try:
        service.read_now(db, source)
    except HelpoutsError as error:
        flash(str(error), "info")
    else:
        db.commit()
        flash(_("We are reading it now."), "success")
    return redirect(url_for("calendars.overview"), 303)


@bp.post("/expert/calendars/<public_id>/disconnect")
@requires("expert")
def disconnect(public_id: str) -> ResponseReturnValue:
    """Forget it."""
    db = current_db()
    source = service.source_of(db, current_user.id, public_id, lock_row=True)
    name = source.name
    service.disconnect(db, source)
    db.commit()
    flash(_("“%(name)s” is disconnected; its events no longer take your time.", name=name), "success")
    return redirect(url_for("calendars.overview"), 303)


def _page(template: str, address: str = "") -> str:
    db = current_db()
    own = service.sources_of(db, current_user.id) if template.endswith("overview.html") else ()
    return render_template(
        template,
        feed=feeds.feed_of(db, current_user.id),
        address=address,
        webcal=f"webcal://{address.partition('://')[2]}" if address else "",
        back="expert" if template.endswith("overview.html") else "",
        sources=own,
        stages={source.id: service.stage(source) for source in own},
        reasons={source.id: in_words(source.trouble, source.trouble_status) for source in own if source.trouble},
    )


def _template() -> str:
    at_desk = request.form.get("back") == "expert" and current_user.has_role("expert")
    return f"helpouts/calendars/{'overview' if at_desk else 'feed'}.html"


def _back() -> str:
    return url_for("calendars.overview" if _template().endswith("overview.html") else "calendars.own_feed")
