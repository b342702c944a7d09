"""What people see when something is wrong: plain words and the way on, never a traceback."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from helpouts.api.problems import problem
from helpouts.errors import HelpoutsError
from helpouts.web.db import close_db, current_db

log = structlog.get_logger("helpouts.web")


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HelpoutsError, _expected)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def _undo() -> None:
    """Forget what the request has changed; the session stays, because the page asks who is signed in."""
    try:
        current_db().rollback()
    except Exception:
        close_db()


def _page(status: int, message: str, error_id: str = "") -> ResponseReturnValue:
    _undo()
    if request.path.startswith("/api/"):
        return problem(status, message, error_id=error_id)
    if request.accept_mimetypes.best == "application/json":
        return {"error": message, "status": status, "id": error_id}, status
    return render_template("helpouts/error.html", status=status, message=message, error_id=error_id), status


def _expected(error: HelpoutsError) -> ResponseReturnValue:
    return _page(error.status, str(error))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    return _page(error.code, "")


def _bug(error: Exception) -> ResponseReturnValue:
    error_id = secrets.token_hex(4)
    log.error("unexpected error", id=error_id, path=request.path, exc_info=error)
    return _page(500, "", error_id)
