# ruff: noqa: D102 # the names of the checks are sentences
"""Calls between two real browsers: the part of the conformance of a video transport that only pictures can show.

A plugin's tests subclass it, beside :class:`helpouts.testing.video.VideoTransportContract`::

    @pytest.mark.browser
    class TestMyCalls(BrowserCallContract):
        plugin = my_package

Chromium brings a fake camera and microphone; a web server of the test does for the room what the live process does:
presence, signalling, grants, and the plugin's own routes below ``/x/{package}``.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import WSMsgType, web

from helpouts.plugins import LiveRoute
from helpouts.sessions import CheckingDriver, MediaRoom, TransportContext, TransportDriver
from helpouts.testing.plugin import require

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from helpouts.testing.network import Network

Json = dict[str, Any]
ROOM = MediaRoom("room")
ARGUMENTS = (
    "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--disable-sync", "--no-first-run", "--disable-default-apps",
)  # fmt: skip


class Calls:
    """One room with a running driver, and the browsers in it."""

    def __init__(self, plugin: ModuleType, settings: Json) -> None:
        self.plugin, self.settings = plugin, settings
        self.transport = next(iter(plugin.helpouts_video_transports()))
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.driver: TransportDriver
        self.browser: Browser
        self.away: Browser | None = None
        self.base = ""

    def application(self) -> web.Application:
        """The web server: the test's page, the modules, the room's WebSocket, the plugin's routes."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", _file("helpouts", "testing/static/call.html", "text/html")),
                web.get("/call.js", _file("helpouts", "testing/static/call.js")),
                web.get("/kit.js", _file("helpouts", "web/static/js/room/kit.js")),
                web.get("/probe.js", _file("helpouts", "web/static/js/room/probe.js")),
                web.get("/roaming.js", _file("helpouts", "web/static/js/room/roaming.js")),
                web.get("/transport.js", _file(self.plugin.__name__, self.transport.module)),
                web.get("/grant/{who}", self._grant),
                web.get("/check", self._check),
                web.get("/ws/{who}", self._socket),
            ]
        )
        routes: Iterable[LiveRoute] = getattr(self.plugin, "helpouts_live_routes", tuple)()
        name = self.plugin.__name__.removeprefix("helpouts_")
        app.add_routes([web.route(route.method, f"/x/{name}{route.path}", route.handler) for route in routes])
        return app

    async def _grant(self, request: web.Request) -> web.Response:
        who = request.match_info["who"]
        return web.json_response((await self.driver.admit(ROOM, who, who.title())).config)

    async def _check(self, _request: web.Request) -> web.Response:
        config = await self.driver.check() if isinstance(self.driver, CheckingDriver) else None
        return web.json_response({"config": config})

    async def _tell_presence(self) -> None:
        for socket in self.sockets.values():
            await socket.send_json({"present": len(self.sockets) == 2})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        who = request.match_info["who"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = message.json()
            if said.get("ready"):
                self.sockets[who] = socket
                await self._tell_presence()
            else:
                await self.driver.on_signal(ROOM, who, said["signal"])
        if self.sockets.get(who) is socket:
            del self.sockets[who]
            await self._tell_presence()
        return socket

    async def send(self, _room: str, participant: str, message: Json) -> None:
        """What the driver says to a browser."""
        if participant in self.sockets:
            await self.sockets[participant].send_json({"signal": message})

    async def page(self, who: str, *, away: bool = False, script: str = "", enter: bool = True) -> Page:
        """A browser of its own, in the room unless told not to ``enter``, its camera on.

        :param away: behind the network that was named.
        :param script: runs before all others of the page.
        """
        browser = self.away if away else self.browser
        assert browser is not None
        # Nothing is granted here: Playwright's grant would hold in frames that the page has taken the right from.
        context = await browser.new_context()
        if script:
            await context.add_init_script(script)
        page = await context.new_page()
        page.on("console", lambda message: print(who, message.text))  # shown when the test fails
        page.on("pageerror", lambda error: print(who, error))
        await page.goto(self.base)
        if enter:
            await page.evaluate("who => enter(who)", who)
        return page


def _file(package: str, path: str, kind: str = "text/javascript") -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=files(package).joinpath(path).read_text("utf-8"), content_type=kind)

    return answer


@asynccontextmanager
async def calling(plugin: ModuleType, *, behind: Network | None = None, **settings: Any) -> AsyncIterator[Calls]:
    """A room over the plugin's transport, its settings the defaults but for those named; and Chromium.

    :param behind: a network in which a second Chromium runs, for :meth:`Calls.page` with ``away``.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        require("Chromium", "apt-get install chromium")
    from playwright.async_api import async_playwright

    calls = Calls(plugin, {setting.key: setting.default for setting in plugin.helpouts_settings()} | settings)
    # Who was cut off says no goodbye, and is not waited for at the end.
    runner = web.AppRunner(calls.application(), shutdown_timeout=1)
    await runner.setup()
    host = behind.address if behind is not None else "127.0.0.1"
    await web.TCPSite(runner, host, 0).start()
    calls.base = f"http://{host}:{runner.addresses[0][1]}"
    context = TransportContext(lambda: calls.settings, calls.send, calls.base, "node")
    calls.driver = await calls.transport.start(context)
    # A camera only shows where nobody can listen, or where we say that nobody can.
    arguments = [*ARGUMENTS, f"--unsafely-treat-insecure-origin-as-secure={calls.base}"]
    try:
        await calls.driver.open_room(ROOM.id)
        async with async_playwright() as playwright, AsyncExitStack() as stack:
            programs = [chromium] if behind is None else [chromium, behind.launcher(str(chromium))]
            browsers = []
            for program in programs:
                browsers.append(await playwright.chromium.launch(executable_path=program, args=arguments))
                stack.push_async_callback(browsers[-1].close)
            calls.browser, calls.away = browsers[0], browsers[-1]
            yield calls
    finally:
        await calls.driver.stop()
        await runner.cleanup()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until the condition holds.

    :raises TimeoutError: when it does not in time.
    """
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def statistics(page: Page) -> Json:
    """What the connection of a page measures."""
    found: Json = await page.evaluate("connection.statistics()")
    return found


async def moves(page: Page, key: str = "framesDecoded", by: float = 15) -> None:
    """Wait until a statistic has grown: pictures are decoded, sound is heard."""
    start = (await statistics(page)).get(key, 0)

    async def grown() -> bool:
        return bool((await statistics(page)).get(key, 0) >= start + by)

    await until(grown)


class BrowserCallContract:
    """What two people see and hear, whatever carries it.  Mark the subclass ``browser``."""

    plugin: ClassVar[ModuleType]
    """The plugin's package."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings that differ from the defaults."""

    async def test_both_see_and_hear_and_a_reload_brings_the_picture_back(self) -> None:
        async with calling(self.plugin, **self.settings) as calls:
            ann, bob = await calls.page("ann"), await calls.page("bob")
            for page in (ann, bob):
                await moves(page)
                await moves(page, "totalAudioEnergy", 1e-6)
                assert await page.evaluate("({audio: tracks.audio, video: tracks.video})") == {
                    "audio": True,
                    "video": True,
                }
            numbers = await statistics(ann)
            assert numbers["frameWidth"] == 640
            assert numbers["fps"] > 0
            assert numbers["rttMs"] is not None
            assert numbers["lossPercent"] < 5
            assert set(numbers) == set(await ann.evaluate("Object.keys(kit.Statistics.none())"))
            assert numbers["path"]
            assert numbers["protocol"] in ("udp", "tcp")
            assert numbers["sendWidth"] > 0
            before = await ann.evaluate("states")
            await bob.reload()
            await bob.evaluate("enter('bob')")
            await moves(ann)
            await moves(bob)
            assert await ann.evaluate("states") == before == ["connecting", "connected"]
            for page in (ann, bob):
                await page.evaluate("connection.close(); connection.close()")
                assert (await page.evaluate("states"))[-1] == "closed"

    async def test_a_restart_in_the_middle_keeps_the_call(self) -> None:
        async with calling(self.plugin, **self.settings) as calls:
            ann, bob = await calls.page("ann"), await calls.page("bob")
            await moves(ann)
            for page in (ann, bob):  # whoever of the two it is that offers
                await page.evaluate("connection.restart()")
                await page.wait_for_function("states.at(-1) === 'connected'")
                await moves(ann)
                await moves(bob)
                assert set(await page.evaluate("states")) <= {"connecting", "connected", "reconnecting"}

    async def test_the_screen_appears_and_disappears_without_a_new_round(self) -> None:
        async with calling(self.plugin, **self.settings) as calls:
            ann, bob = await calls.page("ann"), await calls.page("bob")
            await moves(bob)
            await ann.evaluate("share()")
            await bob.wait_for_function("tracks.screen && document.getElementById('screen').videoWidth === 320")
            await ann.evaluate("connection.replaceTrack('screen', null)")
            await bob.wait_for_function("tracks.screen === false")
            await ann.evaluate("connection.replaceTrack('video', null)")
            await bob.wait_for_function("tracks.video === false")

    async def test_stereo_arrives_in_stereo_and_how_it_is_sent_can_be_chosen(self) -> None:
        async with calling(self.plugin, **self.settings) as calls:
            ann, bob = await calls.page("ann"), await calls.page("bob")
            await moves(bob)
            await ann.evaluate("left()")
            await ann.evaluate("connection.prefer('audio', {maxBitrate: 96_000, priority: 'high'})")
            await bob.wait_for_function("sides().then(([left, right]) => left > 0.05 && right < left / 20)")
            wished = await ann.evaluate("encodings('audio')")
            assert [(wish["maxBitrate"], wish["priority"]) for wish in wished] == [(96_000, "high")]

    async def test_the_network_can_be_tried_alone_where_the_transport_offers_it(self) -> None:
        async with calling(self.plugin, **self.settings) as calls:
            if not isinstance(calls.driver, CheckingDriver):
                return
            page = await calls.page("ann", enter=False)
            found = await page.evaluate("check()")
            assert found is None or (
                found["path"] in ("udp", "tcp") and found["kbps"] > 100 and found["rttMs"] is not None
            ), found

            async def empty() -> bool:
                return not calls.driver.statistics()["legs"]

            await until(empty)
            stopped = await page.evaluate("check(AbortSignal.timeout(300)).catch((error) => error.name)")
            assert stopped in ("TimeoutError", None)

    async def test_the_last_word_counts_when_the_camera_is_switched_in_a_hurry(self) -> None:
        async with calling(self.plugin, **self.settings) as calls:
            ann, bob = await calls.page("ann"), await calls.page("bob")
            await moves(bob)
            assert await ann.evaluate("hurry()") is None
