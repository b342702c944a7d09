"""Language, zone and what every template may use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import Babel
from flask_security import current_user

from helpouts import formatting, i18n, site
from helpouts.accounts import zones
from helpouts.catalog.cards import picture
from helpouts.clock import clock
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import OPERATOR_ROLES


def init_app(app: Flask) -> None:
    """Install translation, filters and the common template variables."""
    Babel(app, locale_selector=i18n.current_locale, timezone_selector=i18n.current_zone)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(i18n.gettext, i18n.plural, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    app.jinja_env.globals["_"] = i18n.in_template
    app.jinja_env.filters.update(formatting.FILTERS, place=zones.place)
    app.before_request(choose_language)
    app.context_processor(common)


def choose_language() -> None:
    """The language and zone of this request: the account's, else the cookie's, else the browser's.

    A zone that was chosen for this visit, where times are shown, goes before all of them.
    """
    if request.endpoint == "static":
        return
    wanted = request.cookies.get("locale") or request.accept_languages.best_match(list(i18n.LANGUAGES))
    zone = request.cookies.get("zone", "")
    if current_user.is_authenticated:
        wanted = current_user.locale or wanted
        zone = current_user.zone or zone
    visit = request.cookies.get("shown_in", "")
    zone = visit if visit in zones.known() else zone
    i18n.set_locale(wanted or i18n.DEFAULT_LOCALE, zone if zone in zones.known() else "UTC")


def common() -> dict[str, Any]:
    """Variables of every template."""
    runtime = current_runtime()
    return {
        "site": {"name": runtime.config.site_name, "state": _site_state(), "demo": runtime.config.demo},
        "locale": i18n.current_locale(),
        "zone": i18n.current_zone(),
        "zone_names": zone_names,
        "languages": i18n.LANGUAGES,
        "now": clock.now(),
        "timedelta": timedelta,
        "categories": footer_categories(),
        "nav_links": nav_links(),
        "own_picture": picture(current_user.avatar) if current_user.is_authenticated else "",
        "is_operator": current_user.is_authenticated and current_user.has_any_role(*OPERATOR_ROLES),
    }


def zone_names() -> list[str]:
    """The zones that are offered first where one can be chosen: the account's, and the one that the browser told."""
    own = current_user.zone if current_user.is_authenticated else ""
    return [name for name in dict.fromkeys((own, request.cookies.get("zone", ""))) if name in zones.known()]


def footer_categories() -> list[dict[str, str]]:
    """The enabled categories, for the foot of every page."""
    found = current_runtime().registry.categories(current_db()).values()
    return [{"slug": category.slug, "name": i18n.in_language(category.name)} for category in found]


def nav_links() -> list[dict[str, str]]:
    """Where this person works: experts their desk, operators the console when it is installed."""
    links = []
    if current_user.is_authenticated and current_user.has_role("expert"):
        links.append({"url": url_for("catalog.expert_dashboard"), "label": i18n.gettext("My expert desk")})
    if current_user.is_authenticated and current_user.has_any_role(*OPERATOR_ROLES) and "console.index" in _endpoints():
        links.append({"url": url_for("console.index"), "label": i18n.gettext("Console")})
    return links


def _endpoints() -> Mapping[str, Any]:
    return current_app.view_functions


def _site_state() -> str:
    if "site_state" not in g:
        g.site_state = site.get(current_db(), "state")
    return str(g.site_state)
