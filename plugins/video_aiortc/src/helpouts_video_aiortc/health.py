"""What ``helpouts doctor`` says about the relay: the two settings that keep media away although all else works."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpouts.errors import ConfigurationError
from helpouts.i18n import gettext as _
from helpouts.plugins import Problem


def check(_db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    """Tested releases, a fixed port, and an address that browsers elsewhere can reach."""
    from helpouts_video_aiortc import private

    try:
        private.check_versions()
    except ConfigurationError as error:
        return [Problem("error", str(error))]
    found = []
    if not settings.get("port"):
        text = _("The video relay takes another UDP port at each start: no firewall can let it through.")
        found.append(Problem("warning", text, _("Set port of video_aiortc, and open that UDP port.")))
    named = [word.strip() for word in str(settings.get("public_ip") or "").split(",") if word.strip()]
    try:
        addresses = [ipaddress.IPv4Address(word) for word in named or private.host_addresses()]
    except ValueError:
        text = _("public_ip is no list of IPv4 addresses: the video relay will not start.")
        found.append(Problem("error", text, _("Set public_ip of video_aiortc to this server's public IPv4 address.")))
        return found
    if not any(address.is_global for address in addresses):
        text = _("The video relay offers private addresses only: browsers elsewhere get neither picture nor sound.")
        found.append(Problem("warning", text, _("Set public_ip of video_aiortc to this server's public IPv4 address.")))
    return found
