"""What ``helpouts doctor`` says about the servers that help two browsers to meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpouts.i18n import gettext as _
from helpouts.plugins import Problem
from helpouts_video_p2p.ice import faults


def check(_db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    """Addresses that browsers understand, a TURN server, and its secret."""
    found = [
        Problem(
            "error",
            _("“%(url)s” is no address of a STUN or TURN server.", url=url),
            _("Write it as turn:turn.example.org:3478 in the settings of video_p2p."),
        )
        for url in faults(settings)
    ]
    if settings["turn_urls"] and not settings["turn_secret"]:
        text = _("The TURN servers have no shared secret: they will let nobody in.")
        found.append(Problem("error", text, _("Set turn_secret of video_p2p to coturn's static-auth-secret.")))
    if not settings["turn_urls"]:
        if settings["relay_only"]:
            text = _("Calls shall always use a TURN server, but none is named: no call will work.")
            found.append(Problem("error", text, _("Set turn_urls of video_p2p, or switch relay_only off.")))
        else:
            text = _("Without a TURN server, people behind strict firewalls get neither picture nor sound.")
            found.append(Problem("warning", text, _("Run coturn and set turn_urls and turn_secret of video_p2p.")))
    return found
