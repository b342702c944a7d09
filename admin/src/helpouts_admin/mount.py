"""Puts the console together and hangs it into the web application."""

from __future__ import annotations

from flask import Blueprint, Flask, request
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme
from werkzeug.wrappers import Response

from helpouts.i18n import lazy_gettext as _l
from helpouts.web.permissions import declare
from helpouts_admin.permissions import VIEWS
from helpouts_admin.views import menu

URL = "/console"
#: Nothing but what we serve ourselves; no inline scripts or styles; never in a frame.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def mount(app: Flask) -> Admin:
    """Mount the console at ``/console`` and declare the permission of every page."""
    # Before Flask-Admin's blueprints, so that our templates are found before its own.
    assets = Blueprint(
        "console_assets",
        __name__,
        url_prefix=f"{URL}/assets",
        static_folder="static",
        static_url_path="",
        template_folder="templates",
    )
    app.register_blueprint(assets)
    index, views = menu.pages(app)
    admin = Admin(app, name=str(_l("Console")), url=URL, index_view=index, theme=Bootstrap4Theme())
    declare(app, index.endpoint, *VIEWS[index.endpoint], while_closed=True)
    for view in views:
        declare(app, view.endpoint, *VIEWS[view.endpoint], while_closed=True)
        admin.add_view(view)
    app.after_request(harden)
    return admin


def harden(response: Response) -> Response:
    """Headers of the console's pages: strict policy, kept by nobody (OWASP ASVS 5.0, 3.4 and 14.3)."""
    if request.path == URL or request.path.startswith(f"{URL}/"):
        response.headers["Content-Security-Policy"] = POLICY
        if not (request.endpoint or "").endswith(".static"):
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
    return response
