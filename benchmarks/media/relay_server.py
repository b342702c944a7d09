"""``python -m benchmarks.media.relay_server HOST``: our relay as the live process runs it (aiohttp, uvloop).

Only the room's tickets are left out: whoever asks gets a grant.  Prints its URL.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import helpouts_video_aiortc as plugin
import uvloop
from aiohttp import web

from helpouts.sessions import MediaRoom, TransportContext


async def serve(host: str) -> None:
    settings: dict[str, Any] = {setting.key: setting.default for setting in plugin.helpouts_settings()}
    settings |= {"bind": host, "max_calls": 10000}
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)

    async def grant(request: web.Request) -> web.Response:
        room, who = MediaRoom(request.match_info["room"]), request.match_info["who"]
        await driver.open_room(room.id)
        return web.json_response((await driver.admit(room, who, who)).config)

    async def statistics(_request: web.Request) -> web.Response:
        return web.json_response(driver.statistics())

    app.router.add_get("/grant/{room}/{who}", grant)
    app.router.add_get("/statistics", statistics)
    for route in plugin.helpouts_live_routes():
        app.router.add_route(route.method, "/x/video_aiortc" + route.path, route.handler)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    base = f"http://{host}:{runner.addresses[0][1]}"

    async def send(_room: str, _participant: str, _message: dict[str, Any]) -> None:
        """Nobody listens."""

    transport = next(iter(plugin.helpouts_video_transports()))
    driver = await transport.start(TransportContext(lambda: settings, send, base, "bench"))
    print(base, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
