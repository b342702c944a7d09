"""A video transport without media, for tests of what the core does above the media.

It is a whole plugin: ``registry.add("video_dummy", lambda: dummy_transport)`` makes the transport ``dummy`` known.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import LiveRoute
from helpouts.sessions import JoinGrant, MediaRoom, TransportCapabilities, TransportContext, VideoTransport
from helpouts.sessions.transport import Sink

Json = dict[str, Any]


class DummyDriver:
    """Remembers every call; raises what a test has put into :attr:`failures` under the call's name."""

    def __init__(self, context: TransportContext) -> None:
        self.context = context
        self.calls: list[tuple[str, ...]] = []
        self.rooms: dict[str, set[str]] = {}
        self.sinks: dict[str, Sink] = {}

    def _note(self, name: str, *values: str) -> None:
        self.calls.append((name, *values))
        if name in failures:
            raise failures[name]

    async def open_room(self, room_id: str) -> Json:
        """Seats for two."""
        self._note("open_room", room_id)
        self.rooms.setdefault(room_id, set())
        return {"node": self.context.node}

    async def admit(self, room: MediaRoom, participant_id: str, name: str) -> JoinGrant:
        """A random token."""
        self._note("admit", room.id, participant_id)
        self.rooms.setdefault(room.id, set()).add(participant_id)
        return JoinGrant({"token": secrets.token_urlsafe(16)})

    async def on_signal(self, room: MediaRoom, participant_id: str, message: Json) -> None:
        """Sends it to the other side."""
        self._note("on_signal", room.id, participant_id)
        for other in self.rooms.get(room.id, set()) - {participant_id}:
            await self.context.send(room.id, other, message)

    async def start_recording(self, room: MediaRoom, sink: Sink) -> None:
        """Keeps the sink, for tests to fill."""
        self._note("start_recording", room.id)
        self.sinks[room.id] = sink

    async def stop_recording(self, room: MediaRoom) -> None:
        """Forgets the sink."""
        self._note("stop_recording", room.id)
        self.sinks.pop(room.id, None)

    async def dismiss(self, room: MediaRoom, participant_id: str) -> None:
        """Frees the seat."""
        self.rooms.get(room.id, set()).discard(participant_id)
        self._note("dismiss", room.id, participant_id)

    async def close_room(self, room: MediaRoom) -> None:
        """Frees the room."""
        self.rooms.pop(room.id, None)
        self._note("close_room", room.id)

    def statistics(self) -> Json:
        """How many rooms and seats are taken."""
        return {"rooms": len(self.rooms), "legs": sum(map(len, self.rooms.values()))}

    async def stop(self) -> None:
        """Nothing is held."""
        self.rooms.clear()


#: By the name of a driver's method (or "start"): what it raises.  Empty it after the test.
failures: dict[str, Exception] = {}


async def _start(context: TransportContext) -> DummyDriver:
    if "start" in failures:
        raise failures["start"]
    return DummyDriver(context)


async def _echo(request: web.Request) -> web.StreamResponse:
    return web.Response(status=201, text=await request.text(), headers={"Location": "/here", "ETag": '"1"'})


def convert(blocks: Iterable[tuple[str, bytes]], participants: Sequence[str], target: Path) -> None:
    """A film of text: who said what, who is no participant left out; "fail" is what it cannot bear."""
    lines = [f"{name}: {data.decode()}\n" for name, data in blocks if name in participants]
    if any("fail" in line for line in lines):
        raise ValueError("cannot bear it")
    target.write_text("".join(lines), "utf-8")


@hookimpl
def helpouts_video_transports() -> Iterable[VideoTransport]:
    """The transport ``dummy``."""
    module = "static/dummy.js"
    can = TransportCapabilities(server_media=True, recording=True)
    return [VideoTransport("dummy", _l("Dummy"), _l("No media."), can, module, _start, convert=convert)]


@hookimpl
def helpouts_live_routes() -> Iterable[LiveRoute]:
    """Answers what it is sent."""
    return [LiveRoute("POST", "/echo", _echo)]
