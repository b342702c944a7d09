"""Embedded video: a packet-forwarding relay in the live process, on one UDP port for all calls."""

from __future__ import annotations

from collections.abc import Iterable

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import LiveRoute, Setting
from helpouts.sessions import TransportCapabilities, TransportContext, TransportDriver, VideoTransport


async def _start(context: TransportContext) -> TransportDriver:
    # The media libraries are large: the web and worker processes, which load this module too, never need them.
    from helpouts_video_aiortc.driver import start

    return await start(context)


@hookimpl
def helpouts_video_transports() -> Iterable[VideoTransport]:
    """The relay, as the transport ``aiortc``."""
    return [
        VideoTransport(
            name="aiortc",
            title=_l("Built-in relay"),
            summary=_l("Forwards the call through this server on one UDP port; needs no other software."),
            capabilities=TransportCapabilities(server_media=True),
            module="static/transport.js",
            start=_start,
            requirements=(_l("One UDP port that is open to the browsers"),),
        )
    ]


@hookimpl
def helpouts_settings() -> Iterable[Setting]:
    """Where browsers reach the relay, and how much it takes on."""
    return [
        Setting(
            "public_ip", str, "", _l("Public IPv4 address"),
            _l("What browsers connect to; several separated by commas. Empty: all addresses of this machine."),
        ),
        Setting(
            "port", int, 0, _l("UDP port"),
            _l("The one port for all calls, to be opened in the firewall. 0 takes any free port: good for trying out."),
            minimum=0, maximum=65535,
        ),
        Setting(
            "bind", str, "0.0.0.0", _l("Bind to address"),
            _l("The local IPv4 address to listen on. 0.0.0.0 listens on all."),
        ),
        Setting(
            "max_calls", int, 100, _l("Calls at the same time"),
            _l("Further calls are refused until one ends. One processor core carries about a hundred."),
            minimum=1, maximum=10000,
        ),
    ]  # fmt: skip


@hookimpl
def helpouts_live_routes() -> Iterable[LiveRoute]:
    """Joining, answering, restarting and leaving over HTTP."""
    from helpouts_video_aiortc.signalling import ROUTES

    return [LiveRoute(method, path, handler) for method, path, handler in ROUTES]
