"""Which servers there are, which of them work, and which has the fewest calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import structlog

from helpouts.sessions import TransportError, TransportFull
from helpouts_video_janus.api import Gone, Refused, Server
from helpouts_video_janus.health import faults

log = structlog.get_logger("helpouts.video_janus")
#: Seconds until a server that failed is asked again.
REST = 5.0


class Pool:
    """Sessions on the servers of the settings, opened at first use.  ``on_lost`` hears of a server that was lost."""

    def __init__(self, settings: Callable[[], Mapping[str, Any]], on_lost: Callable[[Server], None]) -> None:
        self._settings, self._on_lost = settings, on_lost
        self._servers: dict[str, Server] = {}
        self._failed: dict[str, float] = {}
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> int:
        """How many servers are connected."""
        return sum(server.up for server in self._servers.values())

    async def choose(self, load: Mapping[str, int]) -> Server:
        """A working server with the least ``load`` (calls by address).

        :raises TransportError: none is named, or an address is none.
        :raises TransportFull: none works at this moment.
        """
        settings = self._settings()
        if not settings["servers"] or faults(settings):
            raise TransportError("servers of video_janus names no Janus server, or something that is none")
        now = monotonic()
        rested = [url for url in settings["servers"] if now - self._failed.get(url, -REST) >= REST]
        for url in sorted(rested, key=lambda url: load.get(url, 0)):
            try:
                return await self._connected(url, settings["api_secret"])
            except (Gone, Refused) as error:
                log.error("a Janus server cannot be used", server=url, error=str(error))
                self._failed[url] = monotonic()
        raise TransportFull("no Janus server works at this moment", 3)

    async def _connected(self, url: str, secret: str) -> Server:
        async with self._lock:
            server = self._servers.get(url)
            if server is None or not server.up:
                server = Server(url, secret, self._lost)
                await server.connect()
                self._servers[url] = server
                self._failed.pop(url, None)
            return server

    def _lost(self, server: Server) -> None:
        log.error("a Janus server was lost", server=server.url)
        self._failed[server.url] = monotonic()
        if self._servers.get(server.url) is server:
            del self._servers[server.url]
        task = asyncio.get_running_loop().create_task(server.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._on_lost(server)

    async def close(self) -> None:
        """End all sessions."""
        servers, self._servers = list(self._servers.values()), {}
        await asyncio.gather(*(server.close() for server in servers), *self._closing)
