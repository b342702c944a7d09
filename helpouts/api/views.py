"""The API below ``/api/v1``: who calls, how often, what they send, what they get.

No cookie says anything here: only the token in the header does, so no other site's page can act for somebody, and
there is no form key to check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from limits import parse

from helpouts import i18n, site
from helpouts.accounts.models import User
from helpouts.api import tokens
from helpouts.api.idempotency import Answer, kept, once, read_key
from helpouts.api.models import ApiToken
from helpouts.api.openapi import document
from helpouts.api.operations import Call
from helpouts.api.problems import problem
from helpouts.api.routes import ROUTES, Route
from helpouts.api.schemas import read_body
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db, current_runtime, reads_first, writing
from helpouts.web.permissions import OPERATOR_ROLES, requires

bp = Blueprint("api", __name__, url_prefix="/api/v1")
#: How often each token (or, without one, each address) may ask, and act.
LOOKS, ACTS = parse("120 per minute"), parse("20 per minute")
REALM = 'Bearer realm="api"'


class Unauthorized(HelpoutsError):
    """There is no token, or not one that is good for this."""

    status = 401
    code = "unauthorized"


class MissingScope(HelpoutsError):
    """The token is good, but not for this."""

    status = 403
    code = "insufficient_scope"


class TooMany(HelpoutsError):
    """Too many requests."""

    status = 429
    code = "too_many_requests"


def _answer(route: Route, **path: str) -> ResponseReturnValue:
    """Do one operation: token, rate, body, work, commit."""
    token = _token()
    _check_rate(route, token)
    user = token.user if token is not None else None
    _check_site_state(user)
    if route.scope and token is None:
        raise Unauthorized(_l("Send a token: Authorization: Bearer …"))
    if token is not None and route.scope and route.scope not in token.scopes:
        raise MissingScope(_l("This token may not do that: it needs the scope “%(scope)s”.", scope=route.scope))
    db = current_db()
    if token is not None:
        i18n.set_locale(_language(token.user), token.user.zone or "UTC")
    body = read_body(route.body, _json()) if route.body else {}
    key = read_key(request.headers.get("Idempotency-Key"), required=route.key == "required") if route.key else ""
    call = Call(db, user, request.args, body, key)
    content, status = _act(route, call, path) if route.method == "POST" else route.view(call, **path)
    response = jsonify(content)
    response.headers["Cache-Control"] = "no-store" if user is not None else "no-cache"
    response.headers["Vary"] = "Authorization, Accept-Language"
    return response, status


def _act(route: Route, call: Call, path: dict[str, str]) -> Answer:
    """Look first; then write in a short transaction, once for each key."""
    me = call.person.id
    asked = (route.method, request.path, request.get_data())
    before = kept(call.db, me, call.key, asked)
    if before is not None:
        return before
    prepared = (route.prepare(call, **path),) if route.prepare else ()
    with writing() as db:
        return once(db, me, call.key, asked, partial(route.view, replace(call, db=db), *prepared, **path))


def _token() -> ApiToken | None:
    """The token of the request; one that is sent must be good, even where none is needed."""
    given = request.headers.get("Authorization")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    db = current_db()
    found = tokens.find(db, secret.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        _hit(LOOKS, f"bad:{get_remote_address()}")
        raise Unauthorized(_l("This token is not good, or not any more."))
    if tokens.is_stale(found):
        with current_runtime().database.write() as own:
            tokens.mark_used(own, found.id)
    return found


def _check_rate(route: Route, token: ApiToken | None) -> None:
    who = f"token:{token.id}" if token is not None else f"address:{get_remote_address()}"
    _hit(ACTS if route.method == "POST" else LOOKS, who)


def _hit(limit: Any, who: str) -> None:
    if not current_app.extensions["helpouts_limiter"].limiter.hit(limit, "api", who):
        raise TooMany(_l("That was too often. Try again in a minute."))


def _check_site_state(user: User | None) -> None:
    """What :mod:`helpouts.web.gate` does for pages, by the token's person."""
    state = site.get(current_db(), "state")
    inside = user is not None and (state == "invitation_only" or user.has_any_role(*OPERATOR_ROLES, "expert"))
    if state != "open" and not inside:
        raise MissingScope(_l("The site is not open to everybody yet."))


def _language(user: User) -> str:
    wanted = request.accept_languages.best_match(list(i18n.LANGUAGES)) if request.accept_languages else None
    return wanted or user.locale


def _json() -> Any:
    if not request.get_data():
        return {}
    if not request.is_json:
        raise HelpoutsError(_l("Send JSON, with the header Content-Type: application/json."))
    return request.get_json(silent=True)


@bp.get("/openapi.json")
@requires("public", while_closed=True)
def openapi() -> ResponseReturnValue:
    """The description of the API."""
    config = current_runtime().config
    return jsonify(document(config.site_name, str(config.public_url).rstrip("/")))


@bp.errorhandler(HelpoutsError)
def _refused(error: HelpoutsError) -> ResponseReturnValue:
    current_db().rollback()
    response, status = problem(error.status, str(error), code=error.code, field=error.field)
    if status == 401:
        response.headers["WWW-Authenticate"] = REALM
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response, status


def _view(route: Route) -> Callable[..., ResponseReturnValue]:
    def view(**path: str) -> ResponseReturnValue:
        return _answer(route, **path)

    view.__doc__ = route.summary
    return reads_first(requires("public", while_closed=True)(view))  # the token decides, see _answer


for _route in ROUTES:
    bp.add_url_rule(_route.rule, _route.name, _view(_route), methods=[_route.method])


@bp.record_once
def _no_form_key(state: Any) -> None:
    state.app.extensions["csrf"].exempt(bp)


@bp.after_request
def _for_programs(response: Response) -> Response:
    """Nothing here is a page: nothing may be loaded or run, and nobody is kept signed in by it."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response
