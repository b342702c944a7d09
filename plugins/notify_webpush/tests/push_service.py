"""A push service of our own, and browsers whose keys we hold."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from helpouts_notify_webpush import service
from helpouts_notify_webpush.encoding import to_text

from helpouts.audit.actor import SYSTEM
from helpouts.plugins.service import write_settings
from helpouts.runtime import Runtime


@dataclass
class Browser:
    """A browser's subscription, with the keys that only the browser has."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self) -> dict[str, Any]:
        """As ``PushSubscription.toJSON()`` gives it."""
        return {"endpoint": self.endpoint, "keys": {"p256dh": to_text(self.public), "auth": to_text(self.secret)}}

    def read(self, body: bytes) -> dict[str, Any]:
        """Decrypt with an implementation that is not ours."""
        plain = http_ece.decrypt(body, private_key=self.private, auth_secret=self.secret, version="aes128gcm")
        return json.loads(plain)  # type: ignore[no-any-return]  # the library has no types


class PushService:
    """Takes push messages on a port of its own and keeps them; ``status`` by path says what it answers."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status: dict[str, int] = {}
        self.browsers: dict[str, Browser] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.status.get(self.path, outer.status.get("*", 201))
                if status == 201:
                    outer.requests.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def browser(self, path: str = "/push/one") -> Browser:
        """A browser that is registered here."""
        self.browsers[path] = Browser(self.url + path)
        return self.browsers[path]

    def messages(self) -> list[dict[str, Any]]:
        """Everything that arrived, decrypted."""
        return [self.browsers[path].read(body) for path, _, body in self.requests]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def sign_up(runtime: Runtime, user_id: int, browser: Browser) -> None:
    """Keep the browser for the person, with the guard against local addresses off."""
    given = browser.subscription()
    with runtime.database.write() as db:
        write_settings(db, "notify_webpush", {"allow_local": True}, SYSTEM)
        service.subscribe(db, user_id, given["endpoint"], **given["keys"], label="Firefox, Linux")
