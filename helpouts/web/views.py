"""Pages that belong to no part: the front page, language, and who runs the site."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts import i18n, site
from helpouts.accounts import zones as time_zones
from helpouts.accounts.security import safe_next
from helpouts.catalog.queries import front_page
from helpouts.errors import NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import OPERATOR_ROLES, requires

bp = Blueprint("web", __name__)

YEAR = 365 * 24 * 3600


@bp.get("/")
@requires("public", while_closed=True)
def home() -> ResponseReturnValue:
    """The front page; while the site is closed, the invitation to experts."""
    state = site.get(current_db(), "state")
    inside = current_user.is_authenticated and (
        state == "invitation_only" or current_user.has_any_role("expert", *OPERATOR_ROLES)
    )
    if state != "open" and not inside:
        return render_template("helpouts/closed.html", state=state)
    return render_template("helpouts/home.html", **front_page(current_db()))


@bp.post("/language/<code>")
@requires("public", while_closed=True)
def set_language(code: str) -> ResponseReturnValue:
    """Speak another language from now on; kept in a cookie, and with the account."""
    if code not in i18n.LANGUAGES:
        raise NotFound(_l("This language is not offered."))
    target = request.form.get("next", "").rstrip("?")
    response = make_response(redirect(target if safe_next(target) else "/", 303))
    response.set_cookie("locale", code, max_age=YEAR, samesite="Lax", secure=request.is_secure)
    if current_user.is_authenticated and current_user.locale != code:
        current_user.locale = code
        current_db().commit()
    return response


@bp.get("/zones")
@requires("public", while_closed=True)
def zones() -> ResponseReturnValue:
    """The time zones that can be chosen, in the visitor's language: {"areas": [[area, [[name, label], ...]], ...]}."""
    response = jsonify(areas=list(time_zones.by_area().items()))
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


@bp.get("/about")
@requires("public", while_closed=True)
def about() -> ResponseReturnValue:
    """What the site promises, and how it works."""
    return render_template("helpouts/about.html")


@bp.get("/imprint")
@requires("public", while_closed=True)
def imprint() -> ResponseReturnValue:
    """Who runs the site, in the operator's own words."""
    return render_template("helpouts/imprint.html", text=own_text("imprint"))


def own_text(name: str) -> str:
    """A plain text that the operator has put into the data folder, ``pages/NAME.LANG.txt`` or ``pages/NAME.txt``."""
    folder = current_runtime().config.data_dir / "pages"
    for file in (folder / f"{name}.{i18n.current_locale()}.txt", folder / f"{name}.txt"):
        if file.is_file():
            return file.read_text("utf-8").strip()
    return ""


@bp.app_context_processor
def footer_links() -> dict[str, Any]:
    """The links at the foot of every page."""
    return {
        "footer_links": [
            {"url": url_for("web.about"), "label": i18n.gettext("How it works")},
            {"url": url_for("web.imprint"), "label": i18n.gettext("Who runs this site")},
        ]
    }
