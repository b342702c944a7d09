"""Flask's session, kept in the database (see :mod:`helpouts.accounts.login_store`).

Nothing is read before the session is looked at, and a visitor who stores nothing has no row and no cookie.
Signing in and out makes a new token, so that a planted one is worth nothing and a copied one dies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from flask import Flask, Request, Response, has_app_context, request
from flask import session as flask_session
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import select

from helpouts.accounts import login_store
from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.runtime import Runtime
from helpouts.web.db import close_db, current_db

#: The key under which Flask-Login keeps who is signed in: :attr:`User.fs_uniquifier`.
WHO = "_user_id"
#: What the libraries put into every session and nothing here reads.
_NOISE = ("fs_cc", "_id")
_serializer = TaggedJSONSerializer()


class StoredSession(SessionMixin):
    """A mapping that is read from the database when it is first looked at."""

    def __init__(self, token: str, runtime: Runtime) -> None:
        self.token = token
        self.runtime = runtime
        self.found: login_store.Found | None = None
        self.before: dict[str, Any] = {}
        self._values: dict[str, Any] | None = None

    @property
    def loaded(self) -> bool:
        """Whether anybody has looked."""
        return self._values is not None

    @property
    def values_now(self) -> dict[str, Any]:
        """The values, read at first use."""
        if self._values is None:
            self._values = {}
            self.found = self._find() if self.token else None
            if self.found is not None:
                self.before = self.found.data
                self._values = cast("dict[str, Any]", _serializer.loads(json.dumps(self.before)))
        return self._values

    def _find(self) -> login_store.Found | None:
        if has_app_context():
            return login_store.find(current_db(), self.token, clock.now())
        with self.runtime.database.read() as db:  # outside a request: Flask's test client
            return login_store.find(db, self.token, clock.now())

    def to_store(self) -> dict[str, Any]:
        """The values as JSON, without what nobody reads."""
        kept = {key: value for key, value in self.values_now.items() if key not in _NOISE}
        return cast("dict[str, Any]", _without_nul(json.loads(_serializer.dumps(kept))))

    def __getitem__(self, key: str) -> Any:
        return self.values_now[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.values_now[key] = value

    def __delitem__(self, key: str) -> None:
        del self.values_now[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_now)

    def __len__(self) -> int:
        return len(self.values_now)


class DatabaseSessionInterface(SessionInterface):
    """Opens and saves :class:`StoredSession`."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def open_session(self, app: Flask, asked: Request) -> StoredSession:
        """The session of the request's cookie; an odd cookie is no cookie."""
        token = asked.cookies.get(self.get_cookie_name(app), "")
        return StoredSession(token if token.isascii() and len(token) <= 64 else "", self.runtime)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what has changed, in a short transaction of its own after the request's is over."""
        assert isinstance(session, StoredSession)
        if not session.loaded:
            return
        response.vary.add("Cookie")
        data, now = session.to_store(), clock.now()
        row = session.found
        if row is None and not data:
            if session.token:
                self._forget_cookie(app, response)
            return
        if row is not None and data == session.before and now - row.last_seen_at < login_store.TOUCH:
            return
        close_db()  # a second writing transaction beside the request's own would wait for it forever on SQLite
        self._write(app, session, data, response)

    def _write(self, app: Flask, session: StoredSession, data: dict[str, Any], response: Response) -> None:
        now, row = clock.now(), session.found
        with self.runtime.database.write() as db:
            who = data.get(WHO)
            user = db.scalar(select(User).where(User.fs_uniquifier == who)) if who else None
            if row is not None and who != session.before.get(WHO):
                login_store.end(db, row.id)
                row = None
                data.pop("csrf_token", None)
            if row is None and not data:
                self._forget_cookie(app, response)
                return
            if row is None:
                agent = request.user_agent.string
                token, ends = login_store.create(db, data, now, user, agent, request.remote_addr or "")
            else:
                token, prolonged = session.token, login_store.prolong(db, row, data, now, user)
                if prolonged is None:
                    self._forget_cookie(app, response)
                    return
                ends = prolonged
        response.set_cookie(
            self.get_cookie_name(app),
            token,
            expires=ends if user is not None else None,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite=self.get_cookie_samesite(app),
        )

    def _forget_cookie(self, app: Flask, response: Response) -> None:
        response.delete_cookie(
            self.get_cookie_name(app),
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite=self.get_cookie_samesite(app),
        )


def _without_nul(value: Any) -> Any:
    """PostgreSQL's texts cannot hold the character 0."""
    if isinstance(value, dict):
        return {key: _without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    return value.replace("\0", "") if isinstance(value, str) else value


def _current() -> StoredSession:
    stored = cast("StoredSession", cast("Any", flask_session)._get_current_object())
    stored.values_now  # noqa: B018  # reads it
    return stored


def current_session_id() -> int | None:
    """The key of the row of the session at hand."""
    found = _current().found
    return found.id if found else None


def current_user_of(uniquifier: str) -> User | None:
    """The person of the session at hand if that is who the session names, without a second query."""
    found = _current().found
    user = found.user if found else None
    return user if user is not None and user.fs_uniquifier == uniquifier else None
