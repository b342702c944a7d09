"""Video over Janus: media servers that browsers reach directly, and that the live process tells what to do."""

from __future__ import annotations

from collections.abc import Iterable

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import HealthCheck, Setting
from helpouts.sessions import TransportCapabilities, TransportContext, TransportDriver, VideoTransport
from helpouts_video_janus.health import check


async def _start(context: TransportContext) -> TransportDriver:
    from helpouts_video_janus.driver import JanusDriver

    return JanusDriver(context)


@hookimpl
def helpouts_video_transports() -> Iterable[VideoTransport]:
    """The transport ``janus``."""
    return [
        VideoTransport(
            name="janus",
            title=_l("Janus media servers"),
            summary=_l("Sends the call through Janus servers of yours: for many calls at once, on many machines."),
            capabilities=TransportCapabilities(server_media=True),
            module="static/transport.js",
            start=_start,
            requirements=(_l("Janus 1.x with the VideoRoom plugin and the WebSocket transport"),),
        )
    ]


@hookimpl
def helpouts_settings() -> Iterable[Setting]:
    """Which servers there are, and how they know us."""
    return [
        Setting(
            "servers", list, [], _l("Janus servers"),
            _l("Addresses of their WebSockets, such as ws://janus1.internal:8188. A call goes where there are fewest."),
        ),
        Setting(
            "api_secret", str, "", _l("API secret"),
            _l("The same as api_secret in janus.jcfg; only this server needs it, browsers never see it."), secret=True,
        ),
        Setting(
            "admin_key", str, "", _l("Key for making rooms"),
            _l("The same as admin_key in janus.plugin.videoroom.jcfg, if it is set there."), secret=True,
        ),
        Setting(
            "ice_urls", list, [], _l("STUN servers"),
            _l("Only where a browser cannot reach the address that Janus offers; such as stun:stun.example.org."),
        ),
        Setting(
            "bitrate", int, 3000, _l("Most kilobits a second"),
            _l("What one person may send at most."), minimum=128, maximum=20000,
        ),
    ]  # fmt: skip


@hookimpl
def helpouts_health_checks() -> Iterable[HealthCheck]:
    """Whether any server is named, and rightly."""
    return [HealthCheck("janus", _l("Janus media servers"), check)]
