"""One live process: its database thread, its video transports, its heartbeat."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.live import recorder
from helpouts.live.desk import Desk
from helpouts.live.limits import Door
from helpouts.live.rooms import Rooms
from helpouts.plugins.service import read_settings
from helpouts.runtime import Runtime
from helpouts.sessions import choosing, feed, nodes, service
from helpouts.sessions.transport import Json, TransportContext, TransportDriver

T = TypeVar("T")
log = structlog.get_logger("helpouts.live")


class Node:
    """The state of one live process, and the loops that keep it in step with the database."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.rooms = Rooms()
        self.desk = Desk(self)
        self.door = Door()
        config = runtime.config
        self.name = config.node or f"{socket.gethostname()}:{config.actual_live_port}"
        self.public_url = config.actual_live_url
        self.drivers: dict[str, TransportDriver] = {}
        self._starting = asyncio.Lock()
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live-db")
        self._settings: dict[str, dict[str, Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[None]] = set()
        #: what has been heard of the events; set, by whoever knows of a new one, when to look again at once
        self.position = feed.Position(0)
        self.stir = asyncio.Event()
        #: PostgreSQL tells us of events
        self.told = False
        #: we take no new rooms, and end with the last call (:mod:`helpouts.live.draining`); then this is called
        self.draining = False
        self.end_process: Callable[[], object] = lambda: None

    # -- database --------------------------------------------------------------------------------------------

    async def write(self, work: Callable[[DbSession], T]) -> T:
        """Run ``work`` in a writing transaction, off the event loop; committed when this returns."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.runtime.database.run, work)

    async def read(self, work: Callable[[DbSession], T]) -> T:
        """Run ``work`` in a reading transaction, off the event loop."""

        def run() -> T:
            with self.runtime.database.read() as db:
                return work(db)

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    # -- transports ------------------------------------------------------------------------------------------

    async def driver(self, name: str) -> TransportDriver:
        """The running side of a video transport, started at first use."""
        async with self._starting:
            if name not in self.drivers:
                transport = self.runtime.registry.video_transport(name)
                plugin = self.runtime.registry.plugin_of("helpouts_video_transports", name) or ""
                self._settings[plugin] = await self.read(lambda db: read_settings(db, plugin))
                self.drivers[name] = await transport.start(
                    TransportContext(
                        settings=lambda: self._plugin_settings(plugin),
                        send=self.send_signal,
                        public_base=self.public_url,
                        node=self.name,
                    )
                )
        return self.drivers[name]

    async def warm_up(self) -> None:
        """Start the transports that rooms are likely to need: the first call, or one that another process has left
        behind by its death, does not wait for that."""
        for name in await self.read(choosing.likely_transports):
            try:
                await self.driver(name)
            except Exception:
                log.exception("a transport does not start; it is tried again when a room needs it", transport=name)

    def _plugin_settings(self, plugin: str) -> Mapping[str, Any]:
        return self._settings.get(plugin, {})

    async def send_signal(self, room_id: str, participant_id: str, message: Json) -> None:
        """A transport has something to say to a participant's module."""
        room = self.rooms.by_id.get(room_id)
        connection = room.connections.get(int(participant_id)) if room and participant_id.isdecimal() else None
        if connection is not None:
            await connection.send({"type": "signal", "data": message})
        elif room is not None:
            room.media.keep_for(participant_id, message)

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Close what a predecessor of the same name left open, announce the node, begin the loops."""

        def begin(db: DbSession) -> feed.Position:
            service.forget_node(db, self.name)
            nodes.announce(db, self.name, self.public_url)
            return feed.now_at(db)

        self.position = await self.write(begin)
        from helpouts.live import desk_loops, draining, following, sweep

        loops = [
            sweep.presence,
            sweep.heartbeat,
            sweep.upkeep,
            sweep.qualities,
            draining.drain,
            following.follow,
            following.listen,
        ]
        loops += [desk_loops.look_again, desk_loops.beat, desk_loops.drive]
        self._tasks = [asyncio.create_task(self._forever(loop)) for loop in loops]

    async def _forever(self, loop: Callable[[Node], Any]) -> None:
        while True:
            try:
                await loop(self)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("a loop of the live process failed; it goes on")
                await asyncio.sleep(1)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that nobody waits for (a browser may take its time to agree that a socket is closed)."""
        task = asyncio.get_running_loop().create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    def errand(self, work: Coroutine[Any, Any, None]) -> None:
        """The same, for what may fail: it is logged."""

        async def run() -> None:
            try:
                await work
            except Exception:
                log.exception("something that had happened elsewhere could not be done here")

        self.spawn(run())

    async def finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something to its end, even when the request that asked for it is cancelled half-way."""
        await asyncio.shield(self.spawn(work))

    async def say_goodbye(self) -> None:
        """No new tickets lead here, everybody left now, and the browsers are told to come back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        connections = [connection for _, connection in self.rooms.connections()]
        now = clock.now()

        def end(db: DbSession) -> None:
            for connection in connections:
                service.leave(db, connection.presence_id, now)
            nodes.forget(db, self.name)

        try:
            await self.write(end)
        except Exception:
            log.exception("could not write down the end of this live process")
        leaving = [connection.hang_up(1012, b"restarting") for connection in connections]
        await asyncio.gather(*leaving, self.desk.say_goodbye())
        await asyncio.gather(*(recorder.stop(room) for room in list(self.rooms.by_id.values())))

    async def release(self) -> None:
        """After the last message: the transports and the threads."""
        while self._errands:
            await asyncio.gather(*self._errands, return_exceptions=True)
        for driver in self.drivers.values():
            try:
                await driver.stop()
            except Exception:
                log.exception("a transport could not be stopped")
        self._threads.shutdown(wait=True)
