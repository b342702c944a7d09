"""A relay with its real signalling on a web server of the test, and grants for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import helpouts_video_aiortc as plugin
import pytest
from aiohttp import web
from helpouts_video_aiortc.driver import RelayDriver, start

from helpouts.sessions import MediaRoom, TransportContext

Json = dict[str, Any]


@dataclass
class Site:
    """A running relay and the web server in front of it."""

    driver: RelayDriver
    app: web.Application
    base: str = ""
    sent: list[tuple[str, str, Json]] = field(default_factory=list)
    settings: Json = field(default_factory=dict)

    async def grant(self, participant: str, room: str = "room") -> Json:
        """What the browser of a participant gets."""
        return (await self.driver.admit(MediaRoom(room), participant, participant.title())).config


SiteMaker = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def site() -> SiteMaker:
    """``async with site(*routes, send=..., max_calls=...) as running``: everything is closed at the end."""

    @asynccontextmanager
    async def make(*routes: web.RouteDef, send: Any = None, **settings: Any) -> AsyncIterator[Site]:
        settings = {"public_ip": "", "port": 0, "bind": "0.0.0.0", "max_calls": 10} | settings
        app = web.Application()
        app.add_routes(
            [
                web.route(route.method, "/x/video_aiortc" + route.path, route.handler)
                for route in plugin.helpouts_live_routes()
            ]
        )
        app.add_routes(routes)
        runner = web.AppRunner(app)
        await runner.setup()
        server = web.TCPSite(runner, "127.0.0.1", 0)
        await server.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        sent: list[tuple[str, str, Json]] = []

        async def record(room: str, participant: str, message: Json) -> None:
            sent.append((room, participant, message))
            if send is not None:
                await send(room, participant, message)

        driver = await start(TransportContext(lambda: settings, record, base, "node"))
        try:
            yield Site(driver, app, base, sent, settings)
        finally:
            await driver.stop()
            await runner.cleanup()

    return make
