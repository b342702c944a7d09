"""Language, zone and what every template may use."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import Flask, g, request
from flask import session as login_session
from flask_babel import Babel
from flask_security import current_user

from helpouts import formatting, i18n, site
from helpouts.clock import clock
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import OPERATOR_ROLES


def init_app(app: Flask) -> None:
    """Install translation, filters and the common template variables."""
    Babel(app, locale_selector=i18n.current_locale, timezone_selector=i18n.current_zone)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    app.jinja_env.filters.update(formatting.FILTERS)
    app.before_request(choose_language)
    app.context_processor(common)


def choose_language() -> None:
    """The language and zone of this request: the person's choice, else the session's, else the browser's."""
    wanted = login_session.get("locale") or request.accept_languages.best_match(list(i18n.LANGUAGES))
    zone = request.cookies.get("zone", "")
    if current_user.is_authenticated:
        wanted = current_user.locale or wanted
        zone = current_user.zone or zone
    i18n.set_locale(wanted or i18n.DEFAULT_LOCALE, zone if zone in available_timezones() else "UTC")


def common() -> dict[str, Any]:
    """Variables of every template."""
    runtime = current_runtime()
    return {
        "site": {"name": runtime.config.site_name, "state": _site_state(), "demo": runtime.config.demo},
        "locale": i18n.current_locale(),
        "zone": i18n.current_zone(),
        "languages": i18n.LANGUAGES,
        "now": clock.now(),
        "is_operator": current_user.is_authenticated and current_user.has_any_role(*OPERATOR_ROLES),
    }


def _site_state() -> str:
    if "site_state" not in g:
        g.site_state = site.get(current_db(), "state")
    return str(g.site_state)
