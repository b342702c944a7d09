"""The media of one room.  What a transport raises ends here: presence, chat and meter go on without it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import structlog

from helpouts.sessions.transport import Json, MediaRoom, TransportDriver, TransportError

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
#: Seconds that a transport may take for one call.
PATIENCE = 5
#: Seconds after which a browser asks again when the transport did not say.
RETRY_AFTER = 5


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

    async def grant(self, participant: str, name: str) -> dict[str, Any]:
        """What the browser needs for the media: ``transport``, None while it cannot take them, then ``retry_after``."""
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
        return {"transport": {"name": self.transport, "module": module, "config": found.config}}

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

    async def dismiss(self, participant: str) -> None:
        """The participant has left for now."""
        if self._driver is not None:
            await self._quietly(self._driver.dismiss(self._room, participant))

    async def close(self) -> None:
        """Nobody is in the room any more."""
        if self._driver is not None:
            await self._quietly(self._driver.close_room(self._room))

    async def _quietly(self, call: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await call
        except Exception:
            log.exception("transport failed", transport=self.transport)
