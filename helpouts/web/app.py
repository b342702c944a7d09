"""The web application: made from a runtime, blueprint by blueprint."""

from __future__ import annotations

import hashlib
from importlib import import_module

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from helpouts.runtime import Runtime
from helpouts.web import assets, context, errors, gate, headers, icons, plugin_pages, uploads
from helpouts.web.db import close_db
from helpouts.web.permissions import check_permission

#: Modules whose blueprint ``bp`` makes up the site; each part of the business has one.
PAGES = (
    "helpouts.web.views",
    "helpouts.web.probes",
    "helpouts.accounts.views",
    "helpouts.catalog.views",
    "helpouts.companies.views",
    "helpouts.vetting.views",
    "helpouts.scheduling.views",
    "helpouts.calendars.views",
    "helpouts.bookings.views",
    "helpouts.bookings.change_views",
    "helpouts.bookings.series_views",
    "helpouts.bookings.waiting_views",
    "helpouts.coupons.views",
    "helpouts.coupons.checkout_views",
    "helpouts.packages.offer_views",
    "helpouts.packages.views",
    "helpouts.sessions.views",
    "helpouts.sessions.file_views",
    "helpouts.sessions.report_views",
    "helpouts.sessions.recording_views",
    "helpouts.sessions.support_views",
    "helpouts.reviews.views",
    "helpouts.wishes.views",
    "helpouts.instant.views",
    "helpouts.notices.views",
    "helpouts.api.views",
    "helpouts.api.pages",
)


def create_app(runtime: Runtime, **overrides: object) -> Flask:
    """The Flask application for a runtime; ``overrides`` go into ``app.config`` (tests)."""
    config = runtime.config
    app = Flask("helpouts.web", static_folder="static", static_url_path="/static", template_folder="templates")
    app.request_class = uploads.Request
    secure = str(config.public_url).startswith("https://")
    app.config.update(
        SECRET_KEY=hashlib.sha256(b"flask" + config.key("secret_key")).hexdigest(),
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="__Host-session" if secure else "helpouts_session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.config.update(overrides)
    app.extensions["helpouts"] = runtime
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, count, count, count, count)  # type: ignore[method-assign]  # Flask's documented way
    app.teardown_appcontext(close_db)
    CSRFProtect(app)
    assets.init_app(app)
    icons.init_app(app)
    context.init_app(app)

    from helpouts.accounts import security

    security.init_app(app)
    app.before_request(lambda: plugin_pages.hide_disabled(app))
    app.before_request(lambda: gate.check_site_state(app))
    app.before_request(lambda: check_permission(app))
    for module in PAGES:
        app.register_blueprint(import_module(module).bp)
    plugin_pages.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    return app
