"""The states of the site: while it is closed, the public sees the front page and the form for experts only."""

from __future__ import annotations

from flask import Flask, redirect, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from helpouts import site
from helpouts.web.db import current_db
from helpouts.web.permissions import OPERATOR_ROLES, declared, permitted


def check_site_state(app: Flask) -> Response | None:
    """The ``before_request`` function: sends people to the front page where the site is not open for them.

    "prelaunch": everybody but operators; "invitation_only": everybody who is not signed in.
    """
    endpoint = request.endpoint
    if endpoint is None or endpoint == "static" or endpoint.endswith(".static"):
        return None
    found = declared(app, endpoint)
    if found is None or found[1]:
        return None
    state = site.get(current_db(), "state")
    if state == "open":
        return None
    inside = state == "invitation_only" or permitted((*OPERATOR_ROLES, "expert"))
    if current_user.is_authenticated and inside:
        return None
    return redirect(url_for("web.home"))
