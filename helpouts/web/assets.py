"""Static files that browsers keep: their addresses carry a digest of the content, ``/static/css/base.css?v=1a2b3c4d``.

A changed file has another address, so an answer to the right digest may be kept for ever (RFC 8246, "immutable").
Without a digest, or with an old one, browsers ask again each time.  Typefaces are the exception: style sheets name
them by themselves, so they have no digest, and a page that loaded them in advance under another address would load
them twice; a new typeface gets a new file name.

Texts are sent compressed.  Pages are not: they hold secrets next to what others can put into them, and their length
would tell about the secrets (the BREACH attack).
"""

from __future__ import annotations

import gzip
import hashlib
import math
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from flask import Flask, has_request_context, request
from werkzeug.security import safe_join
from werkzeug.wrappers import Response

FONTS = "fonts/"
FOR_EVER = "public, max-age=31536000, immutable"
TEXTS = (".css", ".js", ".svg")


def init_app(app: Flask) -> None:
    """Put digests into the addresses of static files and let browsers keep what they got."""

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if "filename" in values and "v" not in values:
            found = digest_of(app, endpoint, values["filename"])
            if found:
                values["v"] = found

    app.jinja_env.globals["url_for"] = _Addresses(app).url_for

    @app.after_request
    def let_keep(response: Response) -> Response:
        name = (request.view_args or {}).get("filename")
        if name and response.status_code in (200, 206, 304) and _is_final(app, str(request.endpoint), name):
            response.headers["Cache-Control"] = FOR_EVER
            if name.endswith(TEXTS):
                response.headers.add("Vary", "Accept-Encoding")
                if response.status_code == 200 and request.accept_encodings["gzip"] > 0:
                    _compress(app, response, name)
        return response


class _Addresses:
    """``url_for`` of templates: a page has some sixty addresses, most of them on every page, so they are kept.

    Those of static files only for a second, because of their digests.
    """

    MOST = 4096

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._kept: dict[tuple[object, ...], tuple[float, str]] = {}

    def url_for(self, endpoint: str, **values: Any) -> str:
        """Flask's, which is asked where the address is not known yet, or depends on more than the values."""
        if endpoint.startswith(".") or not has_request_context() or not _PLAIN.issuperset(map(type, values.values())):
            return self._app.url_for(endpoint, **values)
        key, now = (request.script_root, endpoint, *values, *values.values()), monotonic()
        until, address = self._kept.get(key, (0.0, ""))
        if now > until:
            if len(self._kept) >= self.MOST:
                self._kept.clear()
            address = self._app.url_for(endpoint, **values)
            self._kept[key] = (now + 1 if endpoint.endswith("static") else math.inf, address)
        return address


_PLAIN = {str, int}


def digest_of(app: Flask, endpoint: str, filename: str) -> str:
    """Eight hexadecimal digits of a static file's content; "" when there is no such file, or it is a typeface."""
    folder = static_folder(app, endpoint)
    path = safe_join(folder, filename) if folder else None
    if path is None or filename.startswith(FONTS):
        return ""
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError:
        return ""
    return _digest(path, changed)


def static_folder(app: Flask, endpoint: str) -> str | None:
    """The folder behind ``static``, or behind ``NAME.static`` of a blueprint."""
    owner, _, last = endpoint.rpartition(".")
    if last != "static":
        return None
    return app.blueprints[owner].static_folder if owner in app.blueprints else None if owner else app.static_folder


def _compress(app: Flask, response: Response, filename: str) -> None:
    path = safe_join(str(static_folder(app, str(request.endpoint))), filename)
    if path is None:
        return
    response.close()
    response.direct_passthrough = False
    response.set_data(_compressed(path, Path(path).stat().st_mtime_ns))
    response.headers["Content-Encoding"] = "gzip"
    for header in ("ETag", "Accept-Ranges"):  # they tell of the file as it is
        response.headers.pop(header, None)


def _is_final(app: Flask, endpoint: str, filename: str) -> bool:
    if static_folder(app, endpoint) is None:
        return False
    return filename.startswith(FONTS) or request.args.get("v", "-") == digest_of(app, endpoint, filename)


@lru_cache(maxsize=1024)
def _digest(path: str, _changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]


@lru_cache(maxsize=256)
def _compressed(path: str, _changed: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), mtime=0)
