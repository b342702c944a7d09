"""Who is connected to this live process, room by room; the database has the truth, this is the way to the sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from helpouts.live.media import Media
from helpouts.live.recorder import Recorder
from helpouts.sessions.quality import Quality

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
    locale: str = "en"
    state: dict[str, bool] = field(default_factory=dict)
    #: a message of this browser is being worked on, so that what it says meanwhile waits unread
    busy: bool = False
    #: the last line of the chat that it has been sent
    told: int = 0
    #: what the browser measured last, until it is written down
    quality: Quality | None = None
    #: its end has been written down
    gone: bool = False
    #: an operator whom one of the two has asked in
    guest: bool = False

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message; a browser that is gone or hangs is somebody else's problem (the sweep ends it)."""
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            await asyncio.wait_for(self.socket.send_json(message), 5)

    async def hang_up(self, code: int = 1000, message: bytes = b"") -> None:
        """Close the socket, in as long as the browser takes to agree, at most the socket's own timeout."""
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            await self.socket.close(code=code, message=message)

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
    starts_at: datetime
    ends_at: datetime
    media: Media
    #: of the two people, by user id
    connections: dict[int, Connection] = field(default_factory=dict)
    #: the operator whom they have asked in: hears and sees nothing but what is meant for them (tools/support.py)
    guest: Connection | None = None
    #: while the session is recorded here
    recorder: Recorder | None = None
    #: what the browsers were told last: whether the meter runs
    running: bool = False
    #: held while something is said to everybody, so that all hear all in the same order and nobody misses a line
    talk: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def complete(self) -> bool:
        """Whether both people are connected."""
        return {self.host_id, self.customer_id} <= self.connections.keys()

    def metering(self, now: datetime) -> bool:
        """Whether this moment counts: both are connected, within the booked time."""
        return self.complete and self.starts_at <= now < self.ends_at

    @property
    def everybody(self) -> list[Connection]:
        """The two people, as far as they are connected, and their guest."""
        return [*self.connections.values(), *([self.guest] if self.guest is not None else [])]

    def other(self, user_id: int) -> Connection | None:
        """The connection of the other person, if there is one."""
        return next((c for user, c in self.connections.items() if user != user_id), None)

    async def broadcast(self, message: dict[str, Any]) -> None:
        """Send to both people, not to their guest; hold :attr:`talk`."""
        await asyncio.gather(*(connection.send(message) for connection in list(self.connections.values())))


class Rooms:
    """The rooms of this process, by name."""

    def __init__(self) -> None:
        self.by_id: dict[str, Room] = {}
        self._locks: dict[str, tuple[asyncio.Lock, list[None]]] = {}

    @contextlib.asynccontextmanager
    async def changing(self, room_id: str) -> AsyncIterator[None]:
        """Held while somebody enters or leaves and while the media are told of it, one change after the other.

        Without it, the end of an old connection could take the media from the new one of the same person.
        """
        lock, users = self._locks.setdefault(room_id, (asyncio.Lock(), []))
        users.append(None)
        try:
            async with lock:
                yield
        finally:
            users.pop()
            if not users:
                del self._locks[room_id]

    @property
    def idle(self) -> bool:
        """Nobody is here, and nobody is about to be."""
        return not self.by_id and not self._locks

    def forget(self, room: Room) -> None:
        """The room is empty or over."""
        if self.by_id.get(room.id) is room:
            del self.by_id[room.id]

    def connections(self) -> Iterator[tuple[Room, Connection]]:
        """All browsers of all rooms."""
        for room in list(self.by_id.values()):
            for connection in room.everybody:
                yield room, connection
