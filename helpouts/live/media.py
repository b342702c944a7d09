"""The media of one room.  What a transport raises ends here: presence, chat and meter go on without it.

Media do not end with the WebSocket: pictures and sound take another way than it, and often stand when it breaks.
Whoever drops out without a goodbye keeps them for :data:`LINGER`; the page that comes back names the grant that it
still holds, and is told that it was kept.  What the transport had to say meanwhile is delivered then.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from helpouts.clock import clock
from helpouts.sessions.transport import Json, MediaRoom, RecordingDriver, Sink, TransportDriver, TransportError

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
#: Seconds that a transport may take for one call.
PATIENCE = 5
#: Seconds after which a browser asks again when the transport did not say.
RETRY_AFTER = 5
#: For how long the media of somebody whose WebSocket broke are kept.
LINGER = timedelta(minutes=1)
#: Messages kept for somebody who lingers; who misses more gets a new grant.
MOST_WAITING = 200


@dataclass
class Held:
    """What one participant holds: the name of the grant, when the browser was heard last, until when it is kept."""

    id: str
    heard: datetime
    until: datetime | None = None
    waiting: list[Json] = field(default_factory=list)


def module_of(node: Node, transport: str) -> str:
    """Where the site serves the ES module of a transport."""
    registry = node.runtime.registry
    plugin = registry.plugin_of("helpouts_video_transports", transport)
    return f"/x/{plugin}/{registry.video_transport(transport).module}"


class Media:
    """A transport's room, opened at first use and again after a failure.  Hold ``Rooms.changing`` around every call."""

    def __init__(self, node: Node, room_id: str, transport: str) -> None:
        self.transport = transport
        self._node = node
        self._room_id = room_id
        self._driver: TransportDriver | None = None
        self._room = MediaRoom(room_id)
        self._held: dict[str, Held] = {}
        self._changed: dict[str, datetime] = {}

    async def grant(self, participant: str, name: str) -> dict[str, Any]:
        """What the browser needs for the media: ``transport``, None while it cannot take them, then ``retry_after``."""
        self._held.pop(participant, None)
        self._changed[participant] = clock.now()
        try:
            async with asyncio.timeout(PATIENCE):
                driver = await self._opened()
                found = await driver.admit(self._room, participant, name)
        except TransportError as error:
            log.error("transport refuses a participant", transport=self.transport, error=str(error))
            return {"transport": None, "retry_after": getattr(error, "retry_after", RETRY_AFTER)}
        except Exception:
            log.exception("transport failed", transport=self.transport)
            return {"transport": None, "retry_after": RETRY_AFTER}
        module = module_of(self._node, self.transport)
        held = self._held[participant] = Held(secrets.token_urlsafe(9), clock.now())
        return {"transport": {"name": self.transport, "module": module, "config": found.config, "id": held.id}}

    def linger(self, participant: str, heard: datetime) -> None:
        """The participant's WebSocket is gone, without a goodbye: keep the media for a while."""
        held = self._held.get(participant)
        if held is not None:
            held.heard, held.until = heard, clock.now() + LINGER

    @property
    def lingering(self) -> list[str]:
        """Those who are not connected, and for whom media are kept."""
        return [participant for participant, held in self._held.items() if held.until is not None]

    def give_up(self) -> None:
        """Nobody will come back here."""
        for held in self._held.values():
            held.until = clock.now() - timedelta(seconds=1)

    def overdue(self) -> list[str]:
        """Those of them who have not come back in time."""
        now = clock.now()
        return [participant for participant, held in self._held.items() if held.until is not None and held.until < now]

    def stand(self, participant: str, held_id: str, heard: datetime | None) -> bool:
        """Whether the page that comes back still holds the media.

        :param heard: when its earlier connection was heard last, if it is still here: until then nothing was missed.
            Somebody else who came or went since may have said something into the broken connection.
        """
        held = self._held.get(participant)
        if held is None or held.id != held_id or (held.until is not None and held.until < clock.now()):
            return False
        since = heard or held.heard
        others = [moment for other, moment in self._changed.items() if other != participant]
        return len(held.waiting) < MOST_WAITING and all(moment <= since for moment in others)

    def take_back(self, participant: str) -> list[Json]:
        """The participant is connected again: the media stay, and this was to be said meanwhile."""
        held = self._held[participant]
        waiting, held.waiting, held.until = held.waiting, [], None
        return waiting

    def keep_for(self, participant: str, message: Json) -> None:
        """Something is to be said to somebody who is not connected."""
        held = self._held.get(participant)
        if held is not None and held.until is not None and len(held.waiting) < MOST_WAITING:
            held.waiting.append(message)

    async def _opened(self) -> TransportDriver:
        if self._driver is None:
            driver = await self._node.driver(self.transport)
            self._room = MediaRoom(self._room_id, await driver.open_room(self._room_id))
            self._driver = driver
        return self._driver

    async def signal(self, participant: str, message: Json) -> None:
        """A message of the participant's module."""
        if self._driver is not None:
            await self._quietly(self._driver.on_signal(self._room, participant, message))

    async def record(self, sink: Sink) -> bool:
        """Begin a recording; False when the transport cannot."""
        try:
            async with asyncio.timeout(PATIENCE):
                driver = await self._opened()
                if not isinstance(driver, RecordingDriver):
                    return False
                await driver.start_recording(self._room, sink)
        except Exception:
            log.exception("a transport could not begin to record", transport=self.transport)
            return False
        return True

    async def stop_recording(self) -> None:
        """Nothing more is to be recorded."""
        if isinstance(self._driver, RecordingDriver):
            await self._quietly(self._driver.stop_recording(self._room))

    async def dismiss(self, participant: str) -> None:
        """The participant has left for now."""
        self._held.pop(participant, None)
        self._changed[participant] = clock.now()
        if self._driver is not None:
            await self._quietly(self._driver.dismiss(self._room, participant))

    def anew(self) -> Media:
        """For whoever comes after this room was closed."""
        return Media(self._node, self._room_id, self.transport)

    async def close(self) -> None:
        """Nobody is in the room any more."""
        self._held.clear()
        if self._driver is not None:
            await self._quietly(self._driver.close_room(self._room))

    async def _quietly(self, call: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await call
        except Exception:
            log.exception("transport failed", transport=self.transport)
