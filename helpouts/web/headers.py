"""Security headers on every answer (OWASP ASVS 5.0, section 3.4)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from helpouts.config import Config
from helpouts.errors import ConfigurationError
from helpouts.runtime import Runtime


def live_sources(config: Config) -> list[str]:
    """What pages may connect to besides the site: HTTP and the WebSocket of each live process.

    :raises ConfigurationError: an origin of the option ``live_origins`` is none.
    """
    found = []
    for url in (config.actual_live_url, *config.live_origins):
        live = urlsplit(url)
        if live.scheme not in ("http", "https") or not re.fullmatch(r"[\w.*:\[\]-]+", live.netloc):
            raise ConfigurationError(f"live_origins: {url!r} is no origin such as https://live2.example.org")
        found += [f"{live.scheme}://{live.netloc}", f"{live.scheme.replace('http', 'ws')}://{live.netloc}"]
    return list(dict.fromkeys(found))


def init_app(app: Flask) -> None:
    """Set the headers that a view has not set itself."""
    runtime: Runtime = app.extensions["helpouts"]
    config = runtime.config
    sources = " ".join(live_sources(config))
    policy = "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            f"connect-src 'self' {sources}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
    secure = str(config.public_url).startswith("https://")

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self)")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if not (request.endpoint or "").endswith("static"):
            headers.setdefault("Cache-Control", "no-store" if request.cookies else "no-cache")
        return response
