"""What ``helpouts doctor`` says about the relay: what keeps media away although all else works."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from helpouts.errors import ConfigurationError
from helpouts.i18n import gettext as _
from helpouts.plugins import Problem
from helpouts.runtime import runtime_of
from helpouts_video_aiortc import EVERYWHERE, probe

INTERNAL = (".local", ".internal", ".localhost", ".test", ".lan", ".home.arpa")


def check(db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    """Tested releases, a fixed port, an address that browsers elsewhere can reach, and an answer from there."""
    from helpouts_video_aiortc import fastpath, private

    try:
        private.check_versions()
    except ConfigurationError as error:
        return [Problem("error", str(error))]
    found = []
    if not fastpath.works():
        text = _("The compiled part of the video relay is missing: each call costs the server several times as much.")
        fix = _("Install a C compiler (Debian: apt-get install gcc libc6-dev), then helpouts-video-aiortc again.")
        found.append(Problem("warning", text, fix))
    if not settings.get("port"):
        text = _("The video relay takes another port at each start: no firewall can let it through.")
        found.append(Problem("warning", text, _("Set port of video_aiortc, and open it for UDP and TCP.")))
    named = [word.strip() for word in str(settings.get("public_ip") or "").split(",") if word.strip()]
    try:
        addresses = [ipaddress.IPv4Address(word) for word in named or private.host_addresses()]
    except ValueError:
        text = _("public_ip is no list of IPv4 addresses: the video relay will not start.")
        found.append(Problem("error", text, _("Set public_ip of video_aiortc to this server's public IPv4 address.")))
        return found
    url = str(runtime_of(db).config.public_url)
    if is_public(url) and not any(address.is_global for address in addresses):
        text = _(
            "%(url)s is public, but the video relay offers private addresses only (%(addresses)s): no call will work.",
            url=url, addresses=", ".join(map(str, addresses)) or "–",
        )  # fmt: skip
        found.append(Problem("warning", text, _("Set public_ip of video_aiortc to this server's public IPv4 address.")))
    found += _unreachable([str(address) for address in addresses], settings)
    return found


def is_public(url: str) -> bool:
    """Whether people elsewhere are meant to open this address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(INTERNAL)


def _unreachable(addresses: Sequence[str], settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Ask the relay through the addresses that browsers are given.

    Only where it answers on this machine: it starts with the first call, and may run on another.
    """
    port, bind = int(settings.get("port") or 0), str(settings.get("bind") or EVERYWHERE)
    local = "127.0.0.1" if bind == EVERYWHERE else bind
    if not port or not probe.answers("udp", local, port):
        return
    protocols: list[probe.Protocol] = ["udp", "tcp"] if settings.get("tcp", True) else ["udp"]
    for protocol in protocols:
        if not any(probe.answers(protocol, address, port) for address in addresses):
            text = _(
                "The video relay answers on this machine, but not at %(addresses)s, %(protocol)s port %(port)s.",
                addresses=", ".join(addresses), protocol=protocol.upper(), port=port,
            )  # fmt: skip
            fix = _(
                "Open and forward the port. Where the router does not lead back its own traffic, try from elsewhere."
            )
            yield Problem("warning", text, fix)
