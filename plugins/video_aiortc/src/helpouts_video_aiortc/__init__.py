"""Embedded video: a packet-forwarding relay in the live process, on one UDP port for all calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import HealthCheck, LiveRoute, Problem, Setting
from helpouts.sessions import TransportCapabilities, TransportContext, TransportDriver, VideoTransport

if TYPE_CHECKING:
    from aiohttp import web
    from sqlalchemy.orm import Session

EVERYWHERE = "0.0.0.0"  # noqa: S104 # a relay is there to be reached from everywhere; operators may narrow it


# The media libraries are large, and only the live process needs them: they are imported at the first use, not when
# the web and worker processes load this module.


async def _start(context: TransportContext) -> TransportDriver:
    from helpouts_video_aiortc.driver import start

    return await start(context)


def convert(blocks: Iterable[tuple[str, bytes]], participants: Sequence[str], target: Path) -> None:
    """Make the film of a recording (:data:`helpouts.sessions.transport.Convert`)."""
    from helpouts_video_aiortc.film import convert as make

    make(blocks, participants, target)


@hookimpl
def helpouts_video_transports() -> Iterable[VideoTransport]:
    """The relay, as the transport ``aiortc``."""
    return [
        VideoTransport(
            name="aiortc",
            title=_l("Built-in relay"),
            summary=_l("Forwards the call through this server on one UDP port; needs no other software."),
            capabilities=TransportCapabilities(server_media=True, recording=True),
            module="static/transport.js",
            start=_start,
            requirements=(_l("One port that is open to the browsers, for UDP and TCP"),),
            convert=convert,
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
            "port", int, 0, _l("Port"),
            _l("The one port for all calls: open it for UDP and TCP. 0 takes any free one, good for trying out."),
            minimum=0, maximum=65535,
        ),
        Setting(
            "tcp", bool, True, _l("Also over TCP"),
            _l("Take TCP connections on the same port number, for browsers whose network lets no UDP through."),
        ),
        Setting(
            "bind", str, EVERYWHERE, _l("Bind to address"),
            _l("The local IPv4 address to listen on. 0.0.0.0 listens on all."),
        ),
        Setting(
            "max_calls", int, 100, _l("Calls at the same time"),
            _l("Further calls are refused until one ends."),
            minimum=1, maximum=10000,
        ),
    ]  # fmt: skip


@hookimpl
def helpouts_health_checks() -> Iterable[HealthCheck]:
    """Whether browsers can reach the relay, as far as the settings tell."""
    return [HealthCheck("relay", _l("Video relay"), _check)]


def _check(db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    from helpouts_video_aiortc.health import check

    return check(db, settings)


@hookimpl
def helpouts_live_routes() -> Iterable[LiveRoute]:
    """Joining, answering, restarting and leaving over HTTP."""
    return [
        LiveRoute("POST", "/legs", _join),
        LiveRoute("PATCH", "/legs/{leg}", _answer),
        LiveRoute("POST", "/legs/{leg}/offer", _offer),
        LiveRoute("POST", "/legs/{leg}/restart", _restart),
        LiveRoute("DELETE", "/legs/{leg}", _leave),
    ]


async def _join(request: web.Request) -> web.StreamResponse:
    from helpouts_video_aiortc import signalling

    return await signalling.join(request)


async def _answer(request: web.Request) -> web.StreamResponse:
    from helpouts_video_aiortc import signalling

    return await signalling.answer(request)


async def _offer(request: web.Request) -> web.StreamResponse:
    from helpouts_video_aiortc import signalling

    return await signalling.offer(request)


async def _restart(request: web.Request) -> web.StreamResponse:
    from helpouts_video_aiortc import signalling

    return await signalling.restart(request)


async def _leave(request: web.Request) -> web.StreamResponse:
    from helpouts_video_aiortc import signalling

    return await signalling.leave(request)
