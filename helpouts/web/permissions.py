"""Who may do what: declared with the route.  A view without a declaration is refused to everybody.

Levels: "public", "signed_in", "expert", or one of the operators' roles; "admin" may do everything that the
other operators may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from flask import Flask, abort, redirect, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from helpouts.audit.actor import VISITOR, Actor, Kind

Level = Literal["public", "signed_in", "expert", "support", "curator", "finance", "admin"]
OPERATOR_ROLES: tuple[str, ...] = ("support", "curator", "finance", "admin")
F = TypeVar("F", bound=Callable[..., Any])
_MARK = "helpouts_requires"


def requires(*levels: Level, while_closed: bool = False) -> Callable[[F], F]:
    """Declare who may call a view: any one of ``levels``.

    :param while_closed: the page is also there while the site is closed to the public.
    """

    def mark(view: F) -> F:
        setattr(view, _MARK, (levels, while_closed))
        return view

    return mark


def declare(app: Flask, blueprint: str, *levels: Level, while_closed: bool = False) -> None:
    """The declaration for all views of a blueprint that do not have one of their own (plugins, libraries)."""
    app.extensions.setdefault("helpouts_permissions", {})[blueprint] = (levels, while_closed)


def declared(app: Flask, endpoint: str) -> tuple[tuple[str, ...], bool] | None:
    """(levels, while_closed) of an endpoint, or None when nobody has declared anything."""
    own = getattr(app.view_functions.get(endpoint), _MARK, None)
    if own is not None:
        return own  # type: ignore[no-any-return]  # set by requires() above
    blueprint = endpoint.rpartition(".")[0]
    found: tuple[tuple[str, ...], bool] | None = app.extensions.get("helpouts_permissions", {}).get(blueprint)
    return found


def permitted(levels: tuple[str, ...]) -> bool:
    """Whether the person at hand holds one of the levels."""
    if "public" in levels:
        return True
    if not current_user.is_authenticated:
        return False
    if "signed_in" in levels:
        return True
    roles = {role.name for role in current_user.roles}
    wanted = set(levels)
    return bool(roles & wanted) or ("admin" in roles and bool(wanted & set(OPERATOR_ROLES)))


def check_permission(app: Flask) -> Response | None:
    """The ``before_request`` function: lets through, sends to the sign-in page, or refuses."""
    endpoint = request.endpoint
    if endpoint is None or endpoint == "static" or endpoint.endswith(".static"):
        return None
    found = declared(app, endpoint)
    if found is None:
        abort(403)
    if permitted(found[0]):
        return None
    if not current_user.is_authenticated and request.method == "GET":
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
    return abort(401 if not current_user.is_authenticated else 403)


def current_actor(kind: Kind) -> Actor:
    """The person at hand in the given part, for the services."""
    if not current_user.is_authenticated:
        return VISITOR
    return Actor(kind, current_user.id, current_user.email)
