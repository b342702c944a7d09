"""Who is connected to this live process, room by room; the database has the truth, this is the way to the sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from helpouts.sessions.transport import MediaRoom, TransportDriver

#: Bytes that may wait for a slow browser before its connection is dropped.
MAX_BACKLOG = 1_000_000


@dataclass(eq=False)
class Connection:
    """One browser in a room."""

    socket: web.WebSocketResponse
    user_id: int
    name: str
    presence_id: int
    heard_at: datetime
    state: dict[str, bool] = field(default_factory=dict)
    replaced: bool = False

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message; a browser that is gone or hangs is somebody else's problem (the sweep ends it)."""
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            await asyncio.wait_for(self.socket.send_json(message), 5)

    @property
    def participant(self) -> str:
        """The name that transports know this person by."""
        return str(self.user_id)


@dataclass(eq=False)
class Room:
    """A room with somebody in it."""

    id: str
    session_id: int
    host_id: int
    customer_id: int
    media: MediaRoom
    driver: TransportDriver
    module: str
    transport: str
    connections: dict[int, Connection] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def complete(self) -> bool:
        """Whether both people are connected."""
        return {self.host_id, self.customer_id} <= self.connections.keys()

    def other(self, user_id: int) -> Connection | None:
        """The connection of the other person, if there is one."""
        return next((c for user, c in self.connections.items() if user != user_id), None)

    async def broadcast(self, message: dict[str, Any]) -> None:
        """Send to everybody in the room."""
        await asyncio.gather(*(connection.send(message) for connection in list(self.connections.values())))


class Rooms:
    """The rooms of this process, by name."""

    def __init__(self) -> None:
        self.by_id: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Lock] = {}

    def opening(self, room_id: str) -> asyncio.Lock:
        """Held while a room is made, so that two who enter at once make one room."""
        return self._opening.setdefault(room_id, asyncio.Lock())

    def forget(self, room: Room) -> None:
        """The room is empty or over."""
        self.by_id.pop(room.id, None)
        self._opening.pop(room.id, None)

    def connections(self) -> Iterator[tuple[Room, Connection]]:
        """All browsers of all rooms."""
        for room in list(self.by_id.values()):
            for connection in list(room.connections.values()):
                yield room, connection
