"""The database session of the request at hand.

A request that may change something (any method but GET, HEAD and OPTIONS) gets a writing session.  Views
commit; whatever is not committed at the end of the request is rolled back.

A view that many call at once is marked with :func:`reads_first`: it has a reading session, in which it asks all that
can be asked, and then a short transaction of its own to write (:func:`writing`), so that others wait for it less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from flask import current_app, g, has_request_context, request
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from helpouts.runtime import Runtime

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
F = TypeVar("F", bound=Callable[..., Any])
_MARK = "helpouts_reads_first"


def reads_first(view: F) -> F:
    """Declare that a view writes in :func:`writing` only, whatever the method."""
    setattr(view, _MARK, True)
    return view


def current_runtime() -> Runtime:
    """The runtime of the application at hand."""
    return cast("Runtime", current_app.extensions["helpouts"])


def current_db() -> Session:
    """The session of this request (or application context), made at first use."""
    if "db" not in g:
        g.db = current_runtime().database.session(write=_may_write())
    return cast("Session", g.db)


def _may_write() -> bool:
    if not has_request_context():
        return True
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method not in SAFE_METHODS and not hasattr(view, _MARK)


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that writes, committed at the end of the block, for a view that :func:`reads_first`.

    The reading one is over before it begins; whoever asks again afterwards reads what is there then.
    """
    reading = current_db()
    if reading.new or reading.dirty or reading.deleted:
        raise RuntimeError("this request has changed something in the session that only reads")
    reading.commit()
    try:
        with current_runtime().database.write() as db:
            yield db
    finally:
        reading.expire_all()


def close_db(_error: BaseException | None = None) -> None:
    """Roll back what was not committed and give the connection back."""
    session: Session | None = g.pop("db", None)
    if session is not None:
        session.close()


#: The same as an object, for libraries that want one.
session = cast("Session", LocalProxy(current_db))
