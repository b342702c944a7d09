"""``python -m benchmarks.fuzz.process``: the relay alone in a process of its own, as the live process runs it.

Whoever asks gets a grant, and may say anything to the driver: only for tests, on 127.0.0.1.  Prints its URL.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import helpouts_video_aiortc as plugin
import uvloop
from aiohttp import web

from helpouts.sessions import MediaRoom, TransportContext

Json = dict[str, Any]


async def serve() -> None:
    """Run until killed."""
    settings: Json = {setting.key: setting.default for setting in plugin.helpouts_settings()}
    settings |= {"bind": "127.0.0.1", "max_calls": 10_000}
    app = web.Application()

    def room(request: web.Request) -> MediaRoom:
        return MediaRoom(request.match_info["room"])

    async def grant(request: web.Request) -> web.Response:
        who = request.match_info["who"]
        return web.json_response((await driver.admit(room(request), who, who)).config)

    async def signal(request: web.Request) -> web.Response:
        await driver.on_signal(room(request), request.match_info["who"], await request.json())
        return web.Response()

    async def close(request: web.Request) -> web.Response:
        await driver.close_room(room(request))
        return web.Response()

    async def statistics(_request: web.Request) -> web.Response:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        process = {
            "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6, "tasks": len(asyncio.all_tasks()),
            "files": len(os.listdir("/proc/self/fd")),
        }  # fmt: skip
        return web.json_response(driver.statistics() | process)

    app.router.add_get("/grant/{room}/{who}", grant)
    app.router.add_post("/signal/{room}/{who}", signal)
    app.router.add_delete("/{room}", close)
    app.router.add_get("/statistics", statistics)
    for route in plugin.helpouts_live_routes():
        app.router.add_route(route.method, "/x/video_aiortc" + route.path, route.handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def send(_room: str, _participant: str, _message: Json) -> None:
        """Nobody listens."""

    transport = next(iter(plugin.helpouts_video_transports()))
    driver = await transport.start(TransportContext(lambda: settings, send, base, "fuzz"))
    print(base, flush=True)
    await asyncio.Event().wait()


class Relay:
    """The process from outside; made by :func:`relay`."""

    def __init__(self, base: str, http: aiohttp.ClientSession, process: asyncio.subprocess.Process, log: Path) -> None:
        self.base, self.http = base, http
        self._process, self._log = process, log

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.returncode is None

    def complaints(self) -> str:
        """What it wrote to its standard error: nothing, when all is well."""
        return self._log.read_text()

    async def statistics(self) -> Json:
        """Counters of the relay, memory, tasks and open files of the process."""
        async with self.http.get(f"{self.base}/statistics") as response:
            found: Json = await response.json()
            return found

    async def grant(self, room: str, who: str) -> Json:
        """What a browser needs to join."""
        async with self.http.get(f"{self.base}/grant/{room}/{who}") as response:
            found: Json = await response.json()
            return found


@asynccontextmanager
async def relay() -> AsyncIterator[Relay]:
    """A relay in a process of its own, killed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.fuzz.process", stdout=asyncio.subprocess.PIPE, stderr=errors
            )
        try:
            assert process.stdout is not None
            base = (await process.stdout.readline()).decode().strip()
            if not base:
                raise RuntimeError(log.read_text())
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(20)) as http:
                yield Relay(base, http, process, log)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


if __name__ == "__main__":
    uvloop.run(serve())
