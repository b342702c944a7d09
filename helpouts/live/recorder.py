"""Keeping what a transport gives of a recorded call: in memory for some seconds, then sealed in the storage.

The transport only appends to a list.  Every few seconds a task has the storage, and then the database, called in a
thread; a process that is killed loses no more than what it had not written.  When the storage cannot keep up, or fails,
the recording stops, and the call goes on.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session as DbSession

from helpouts.i18n import lazy_gettext as _l
from helpouts.i18n import use_locale
from helpouts.sessions import converting, recording
from helpouts.sessions.models import Session
from helpouts.storage import service

if TYPE_CHECKING:
    from helpouts.live.node import Node
    from helpouts.live.rooms import Room

log = structlog.get_logger("helpouts.live")
#: Seconds and bytes after which a segment is written.
SECONDS, SIZE = 5.0, 4 * 1024 * 1024
#: Bytes that may wait for the storage.  A minute and more of a call; then the recording stops.
MOST = 32 * 1024 * 1024
#: Seconds that the storage may take for one segment.
PATIENCE = 60


class Recorder:
    """One recording in this live process."""

    def __init__(self, node: Node, public_id: str, failed: Callable[[], Awaitable[None]]) -> None:
        self.public_id = public_id
        self._node = node
        self._failed = failed
        self._parts: dict[str, list[bytes]] = {}
        self._size = 0
        self._full = asyncio.Event()
        self._closed = False
        self._task = asyncio.get_running_loop().create_task(self._write_on())

    def sink(self, participant: str, data: bytes) -> None:
        """Given to the transport (:data:`helpouts.sessions.transport.Sink`)."""
        if self._closed or self._size > MOST:
            return
        self._parts.setdefault(participant, []).append(data)
        self._size += len(data)
        if self._size > SIZE:
            self._full.set()

    async def close(self) -> None:
        """Write what is left.  Idempotent; what comes later is dropped."""
        self._closed = True
        self._full.set()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write_on(self) -> None:
        try:
            while not self._closed:
                try:
                    async with asyncio.timeout(SECONDS):
                        await self._full.wait()
                except TimeoutError:
                    pass
                if not self._closed:
                    self._full.clear()
                await self._write()
        except Exception as error:
            self._closed = True
            self._parts = {}
            log.exception("a recording stops: it cannot be stored", recording=self.public_id, error=str(error))
            await self._failed()

    async def _write(self) -> None:
        blocks = [(name, b"".join(parts)) for name, parts in self._parts.items()]
        waiting, self._parts, self._size = self._size, {}, 0
        if not blocks:
            return
        if waiting > MOST:
            raise OverflowError(f"{waiting} bytes were waiting for the storage")
        name = f"recordings/{self.public_id}/{secrets.token_hex(8)}"
        runtime = self._node.runtime

        def keep() -> None:
            reference = service.store(runtime, name, converting.pack(blocks))
            size = sum(len(data) for _, data in blocks)
            if not runtime.database.run(lambda db: recording.keep_segment(db, self.public_id, reference, size)):
                service.remove(runtime, reference)  # it was deleted meanwhile

        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(keep)


async def follow(node: Node, room: Room) -> None:
    """Do what the database says: begin, go on, or stop; and tell both how it stands."""
    async with node.rooms.changing(room.id):
        found = await node.read(lambda db: recording.standing(db, db.get_one(Session, room.session_id)))
        if room.recorder is not None and room.recorder.public_id != found.running:
            await stop(room)
        if found.running and room.recorder is None and node.rooms.by_id.get(room.id) is room:
            room.recorder = Recorder(node, found.running, lambda: _failed(node, room))
            if not await room.media.record(room.recorder.sink):
                node.errand(_failed(node, room))
        async with room.talk:
            await room.broadcast({"type": "recording", **recording.as_json(found)})


async def stop(room: Room) -> None:
    """Take the transport's sink away and write what is left.  Hold ``Rooms.changing``."""
    if room.recorder is not None:
        recorder, room.recorder = room.recorder, None
        await room.media.stop_recording()
        await recorder.close()


async def _failed(node: Node, room: Room) -> None:
    """Nothing more can be kept: it ends for good, both are told, and the operator finds it in the log."""

    def end(db: DbSession) -> None:
        recording.stop(db, db.get_one(Session, room.session_id), "storage")

    await node.write(end)
    for connection in list(room.connections.values()):
        with use_locale(connection.locale):
            text = str(_l("The recording had to stop: it cannot be stored. The call goes on."))
        await connection.send({"type": "error", "code": "storage", "message": text})
    node.errand(follow(node, room))
