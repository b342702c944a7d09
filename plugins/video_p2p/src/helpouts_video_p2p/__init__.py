"""Video from browser to browser; the live process carries the signalling only, TURN servers the calls that need one."""

from __future__ import annotations

from collections.abc import Iterable

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import HealthCheck, Setting
from helpouts.sessions import TransportCapabilities, VideoTransport
from helpouts_video_p2p.driver import start
from helpouts_video_p2p.health import check


@hookimpl
def helpouts_video_transports() -> Iterable[VideoTransport]:
    """The transport ``p2p``."""
    return [
        VideoTransport(
            name="p2p",
            title=_l("Browser to browser"),
            summary=_l("Sends the call directly from one browser to the other; costs this server next to nothing."),
            capabilities=TransportCapabilities(),
            module="static/transport.js",
            start=start,
            requirements=(_l("A TURN server such as coturn, for people behind strict firewalls"),),
        )
    ]


@hookimpl
def helpouts_settings() -> Iterable[Setting]:
    """The servers that help two browsers to find each other."""
    return [
        Setting(
            "stun_urls", list, [], _l("STUN servers"),
            _l("Such as stun:turn.example.org:3478. A TURN server is one as well and need not be named twice."),
        ),
        Setting(
            "turn_urls", list, [], _l("TURN servers"),
            _l("Such as turn:turn.example.org:3478 and turns:turn.example.org:443?transport=tcp."),
        ),
        Setting(
            "turn_secret", str, "", _l("Shared secret of the TURN servers"),
            _l("The same as static-auth-secret in coturn: from it, passwords are made that hold for one session."),
            secret=True,
        ),
        Setting(
            "turn_hours", int, 12, _l("Hours that a password holds"),
            _l("Longer than your longest session: who loses the connection needs the password again."),
            minimum=1, maximum=48,
        ),
        Setting(
            "relay_only", bool, False, _l("Always use the TURN servers"),
            _l("Hides the internet addresses of customer and expert from each other."),
        ),
    ]  # fmt: skip


@hookimpl
def helpouts_health_checks() -> Iterable[HealthCheck]:
    """Whether browsers behind strict firewalls can meet."""
    return [HealthCheck("turn", _l("Browser to browser"), check)]
