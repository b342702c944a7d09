"""The database session of the request at hand.

A request that may change something (any method but GET, HEAD and OPTIONS) gets a writing session.  Views
commit; whatever is not committed at the end of the request is rolled back.
"""

from __future__ import annotations

from typing import cast

from flask import current_app, g, has_request_context, request
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from helpouts.runtime import Runtime

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def current_runtime() -> Runtime:
    """The runtime of the application at hand."""
    return cast("Runtime", current_app.extensions["helpouts"])


def current_db() -> Session:
    """The session of this request (or application context), made at first use."""
    if "db" not in g:
        write = not has_request_context() or request.method not in SAFE_METHODS
        g.db = current_runtime().database.session(write=write)
    return cast("Session", g.db)


def close_db(_error: BaseException | None = None) -> None:
    """Roll back what was not committed and give the connection back."""
    session: Session | None = g.pop("db", None)
    if session is not None:
        session.close()


#: The same as an object, for libraries that want one.
session = cast("Session", LocalProxy(current_db))
