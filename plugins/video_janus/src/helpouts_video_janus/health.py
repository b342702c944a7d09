"""What ``helpouts doctor`` says about the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from helpouts.i18n import gettext as _
from helpouts.plugins import Problem


def faults(settings: Mapping[str, Any]) -> list[str]:
    """The server addresses that are no WebSocket addresses."""
    return [
        url for url in settings["servers"] if urlsplit(url).scheme not in ("ws", "wss") or not urlsplit(url).hostname
    ]


def check(_db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    """At least one server, each with an address that can be one, and a secret in front of them."""
    found = [
        Problem(
            "error",
            _("“%(url)s” is no address of a Janus server.", url=url),
            _("Write it as ws://janus.example.org:8188 in the settings of video_janus."),
        )
        for url in faults(settings)
    ]
    if not settings["servers"]:
        text = _("No Janus server is named: sessions that use it will have neither picture nor sound.")
        found.append(Problem("info", text, _("Set servers of video_janus if you want to use it.")))
    elif not settings["api_secret"]:
        text = _("The Janus servers are used without a secret: whoever reaches them can use them as well.")
        found.append(Problem("warning", text, _("Set api_secret in janus.jcfg and in the settings of video_janus.")))
    return found
