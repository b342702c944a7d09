"""Saved searches: save, list, rename, pause, delete, and stopping the mails without signing in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from werkzeug.datastructures import MultiDict

from helpouts.accounts.models import User
from helpouts.catalog import pages
from helpouts.catalog.records import SearchRequest
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import requires
from helpouts.wishes import chips, saved
from helpouts.wishes.digest import query_of_link
from helpouts.wishes.forms import ButtonForm, SearchNameForm
from helpouts.wishes.models import SavedSearch

bp = Blueprint("wishes", __name__)


@bp.record_once
def _without_token(state: Any) -> None:
    """A mail program that stops the mails of its reader has no token of ours (RFC 8058)."""
    app: Flask = state.app
    if "csrf" in app.extensions:
        app.extensions["csrf"].exempt("helpouts.wishes.views.stop")


@bp.get("/account/searches")
@requires("signed_in")
def searches() -> ResponseReturnValue:
    """The person's saved searches."""
    rows = saved.searches_of(current_db(), current_user.id)
    return render_template(
        "helpouts/wishes/searches.html",
        searches=[_shown(row) for row in rows],
        most=saved.MOST_SEARCHES,
    )


@bp.route("/account/searches/new", methods=["GET", "POST"])
@requires("signed_in")
def save() -> ResponseReturnValue:
    """Save the search that the address says; posted without a name it gets one made of what it asks for."""
    db, wanted = current_db(), pages.search_request(request.args)
    form = SearchNameForm()
    proposed = _name(wanted)
    one_click = "name" not in request.form
    if one_click:
        form.name.data = proposed
    if request.method == "POST" and (ButtonForm() if one_click else form).validate():
        try:
            row = saved.save(db, db.get_one(User, current_user.id), wanted, form.name.data or "")
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(_("Saved. We write to you when something new fits, at most once a day."), "success")
            return redirect(url_for("wishes.searches", _anchor=f"search-{row.id}"), 303)
    categories = current_runtime().registry.categories(db)
    page = render_template(
        "helpouts/wishes/save.html",
        form=form,
        query=wanted.q,
        chips=chips.chips_of(wanted, categories, current_runtime().config.currency),
    )
    return page, 400 if form.errors else 200


@bp.post("/account/searches/<int:search_id>/<any(rename, pause, resume, delete):action>")
@requires("signed_in")
def change(search_id: int, action: str) -> ResponseReturnValue:
    """Rename, pause, wake up or delete a saved search."""
    db = current_db()
    row = saved.own_search(db, current_user.id, search_id)
    form = SearchNameForm() if action == "rename" else ButtonForm()
    try:
        if not form.validate():
            raise HelpoutsError(next(iter(form.errors.values()))[0])
        if action == "rename":
            row.name = saved.clean_name(form.name.data or "")
        elif action == "delete":
            db.delete(row)
        else:
            row.paused = action == "pause"
        db.commit()
        done = {"rename": _("Saved."), "pause": _("Paused: no mails for now."), "resume": _("We write again.")}
        flash(done.get(action) or _("Deleted."), "success")
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "error")
    return redirect(url_for("wishes.searches"), 303)


@bp.route("/alerts/stop/<token>", methods=["GET", "POST"])
@requires("public", while_closed=True)
def stop(token: str) -> ResponseReturnValue:
    """Stop the mails of a saved search from the link in a mail, without signing in.

    Looking at the page changes nothing, since mail scanners follow links; the button, or the mail program's POST
    (RFC 8058, section 3.1), does.
    """
    db = current_db()
    row = saved.by_stop_token(db, token)
    if request.method == "POST":
        row.paused = True
        db.commit()
    return render_template("helpouts/wishes/stop.html", search=row, token=token)


def _shown(row: SavedSearch) -> dict[str, Any]:
    link: dict[str, Any] = query_of_link(row)
    wanted = pages.search_request(MultiDict(link))
    categories = current_runtime().registry.categories(current_db())
    form = SearchNameForm(formdata=None, data={"name": row.name})
    form.name.id = f"name-{row.id}"
    return {
        "row": row,
        "url": url_for("catalog.search", **link),
        "query": wanted.q,
        "chips": chips.chips_of(wanted, categories, current_runtime().config.currency),
        "is_over": saved.is_over(row),
        "form": form,
    }


def _name(wanted: SearchRequest) -> str:
    runtime = current_runtime()
    categories = runtime.registry.categories(current_db())
    return chips.name_of(wanted, categories, runtime.config.currency, saved.NAME_LENGTH)


from helpouts.wishes import board_views, request_views  # noqa: E402, F401  # more pages, on the same blueprint
