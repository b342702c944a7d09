"""What browsers are told of STUN and TURN servers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

#: RFC 7064 (stun) and RFC 7065 (turn), without the rare parts: scheme, host or [IPv6], port, transport.
URL = re.compile(r"(stuns?|turns?):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\?transport=(udp|tcp))?")


def password(secret: str, name: str, until: datetime) -> tuple[str, str]:
    """(user name, password) for a TURN server that shares ``secret``, good until then.

    The scheme is "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00, section 2.2), which coturn
    calls ``use-auth-secret``: the user name begins with the Unix time of its end, the password is
    base64(HMAC-SHA-1(secret, user name)).
    """
    user = f"{int(until.timestamp())}:{name}"
    digest = hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()
    return user, base64.b64encode(digest).decode()


def servers(settings: Mapping[str, Any], name: str, now: datetime) -> list[dict[str, Any]]:
    """The ``iceServers`` of one participant (W3C webrtc-pc, RTCConfiguration); ``name`` is for the server's log."""
    found: list[dict[str, Any]] = []
    if settings["stun_urls"]:
        found.append({"urls": list(settings["stun_urls"])})
    if settings["turn_urls"]:
        until = now + timedelta(hours=settings["turn_hours"])
        user, credential = password(settings["turn_secret"], name, until)
        found.append({"urls": list(settings["turn_urls"]), "username": user, "credential": credential})
    return found


def faults(settings: Mapping[str, Any]) -> list[str]:
    """The server addresses among the settings that no browser would understand."""
    named = [("stun", url) for url in settings["stun_urls"]] + [("turn", url) for url in settings["turn_urls"]]
    return [url for scheme, url in named if not (URL.fullmatch(url) and url.startswith(scheme))]
