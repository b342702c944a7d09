"""Errors as programs read them: Problem Details for HTTP APIs (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, json


def problem(
    status: int, detail: str = "", *, code: str = "", field: str | None = None, error_id: str = ""
) -> tuple[Response, int]:
    """The answer that says what went wrong.

    ``type`` is "about:blank", so ``title`` is the status's own phrase (section 4.2.1); our members are ``code``, a
    word for programs, ``field``, the member of the request that is meant, and ``id``, under which the log tells more.
    """
    phrase = HTTPStatus(status).phrase
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": detail or phrase,
        "code": code or phrase.lower().replace(" ", "_"),
    }
    if field:
        content["field"] = field
    if error_id:
        content["id"] = error_id
    return Response(json.dumps(content), mimetype="application/problem+json"), status
