"""Security headers on every answer (OWASP ASVS 5.0, section 3.4)."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from helpouts.runtime import Runtime


def init_app(app: Flask) -> None:
    """Set the headers that a view has not set itself."""
    runtime: Runtime = app.extensions["helpouts"]
    config = runtime.config
    live = urlsplit(config.actual_live_url)
    websocket = f"{'wss' if live.scheme == 'https' else 'ws'}://{live.netloc}"
    policy = "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            f"connect-src 'self' {live.scheme}://{live.netloc} {websocket}",
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
