"""Two Chromium pages with the real browser module call each other through the relay."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from playwright.async_api import Browser, Page, async_playwright

from helpouts.sessions import MediaRoom

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]
CHROMIUM = shutil.which("chromium")
ARGUMENTS = (
    "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--disable-sync", "--no-first-run", "--disable-default-apps",
)  # fmt: skip
SCRIPTS = {
    "transport": ("helpouts_video_aiortc", "static/transport.js"),
    "kit": ("helpouts", "web/static/js/room/kit.js"),
}
PAGE = """<!doctype html><title>room</title>
<audio id=audio autoplay></audio><video id=video autoplay muted></video><video id=screen autoplay muted></video>
<script type=module>
import {connect} from "/transport.js";
import * as kit from "/kit.js";
window.states = []; window.tracks = {}; window.peers = [];
const Native = RTCPeerConnection;
window.RTCPeerConnection = class extends Native { constructor(...all) { super(...all); peers.push(this); } };
window.repaired = async () => [...(await peers.at(-1).getStats()).values()]
  .filter((entry) => entry.type === "inbound-rtp" && entry.kind === "video")
  .reduce((sum, entry) => sum + (entry.retransmittedPacketsReceived || 0), 0);
window.enter = async (who) => {
  const socket = new WebSocket(`ws://${location.host}/ws/${who}`);
  await new Promise((resolve) => { socket.onopen = resolve; });
  const signal = {send: (message) => socket.send(JSON.stringify({signal: message})), onmessage: null};
  const config = await (await fetch(`/grant/${who}`)).json();
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 480}});
  window.connection = await connect({
    config, signal, kit,
    onState: (state) => window.states.push(state),
    onTrack: (kind, track) => {
      window.tracks[kind] = Boolean(track);
      document.getElementById(kind).srcObject = track ? new MediaStream([track]) : null;
    },
  });
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if ("present" in message) connection.peerPresent(message.present);
    else signal.onmessage(message.signal);
  };
  connection.publish({audio: media.getAudioTracks()[0], video: media.getVideoTracks()[0]});
  socket.send(JSON.stringify({ready: true}));
};
window.share = () => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 200});
  const context = canvas.getContext("2d");
  setInterval(() => { context.fillStyle = `hsl(${Date.now() % 360} 80% 50%)`; context.fillRect(0, 0, 320, 200); }, 50);
  return connection.replaceTrack("screen", canvas.captureStream(20).getVideoTracks()[0]);
};
</script>"""


class Room:
    """What the core's live process does for a room: presence, signalling, grants."""

    def __init__(self) -> None:
        self.relay: Any = None
        self.sockets: dict[str, web.WebSocketResponse] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.page),
            web.get("/{name}.js", self.module),
            web.get("/grant/{who}", self.grant),
            web.get("/ws/{who}", self.socket),
        ]

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def module(self, request: web.Request) -> web.Response:
        package, path = SCRIPTS[request.match_info["name"]]
        return web.Response(text=files(package).joinpath(path).read_text("utf-8"), content_type="text/javascript")

    async def grant(self, request: web.Request) -> web.Response:
        return web.json_response(await self.relay.grant(request.match_info["who"]))

    async def tell_presence(self) -> None:
        for socket in self.sockets.values():
            await socket.send_json({"present": len(self.sockets) == 2})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        who = request.match_info["who"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = message.json()
            if said.get("ready"):
                self.sockets[who] = socket
                await self.tell_presence()
            else:
                await self.relay.driver.on_signal(MediaRoom("room"), who, said["signal"])
        if self.sockets.get(who) is socket:
            del self.sockets[who]
            await self.tell_presence()
        return socket

    async def send(self, room: str, participant: str, message: dict[str, Any]) -> None:
        if participant in self.sockets:
            await self.sockets[participant].send_json({"signal": message})


class Call:
    """Two pages in one room."""

    def __init__(self, relay: Any, browser: Browser) -> None:
        self.relay, self.browser = relay, browser

    async def page(self, who: str) -> Page:
        context = await self.browser.new_context(permissions=["camera", "microphone"])
        page = await context.new_page()
        page.on("console", lambda message: print(who, message.text))
        page.on("pageerror", lambda error: print(who, error))
        await page.goto(self.relay.base)
        await page.evaluate("who => enter(who)", who)
        return page


Calls = Callable[[], Any]


@pytest.fixture
def calls(site: Any) -> Calls:
    """``async with calls() as call``: a relay, a web server and Chromium."""
    if CHROMIUM is None:
        message = "Chromium is missing: apt-get install chromium"
        pytest.fail(message) if os.environ.get("REQUIRE_ALL") == "1" else pytest.skip(message)

    @asynccontextmanager
    async def make() -> AsyncIterator[Call]:
        room = Room()
        async with site(*room.routes(), send=room.send) as relay, async_playwright() as playwright:
            room.relay = relay
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            try:
                yield Call(relay, browser)
            finally:
                await browser.close()

    return make


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def statistics(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("connection.statistics()")
    return found


async def moves(page: Page, key: str = "framesDecoded", by: float = 15) -> None:
    """Wait until a statistic has grown: pictures are decoded, sound is heard."""
    start = (await statistics(page))[key]

    async def grown() -> bool:
        return bool((await statistics(page))[key] >= start + by)

    await until(grown)


async def test_both_sides_see_and_hear_and_a_reload_brings_the_picture_back(calls: Calls) -> None:
    async with calls() as call:
        ann, bob = await call.page("ann"), await call.page("bob")
        for page in (ann, bob):
            await moves(page)
            await moves(page, "totalAudioEnergy", 1e-6)
            assert await page.evaluate("tracks") == {"audio": True, "video": True}
        numbers = await statistics(ann)
        assert numbers["frameWidth"] == 640
        assert numbers["fps"] > 0
        assert numbers["rttMs"] is not None
        assert numbers["lossPercent"] < 5

        before = await ann.evaluate("states")
        await bob.reload()
        await bob.evaluate("enter('bob')")
        await moves(ann)
        await moves(bob)
        assert await ann.evaluate("states") == before == ["connecting", "connected"]
        relay = call.relay.driver.statistics()
        assert (relay["rooms"], relay["legs"], relay["grants"]) == (1, 2, 0)

        await ann.evaluate("connection.close(); connection.close()")
        await bob.evaluate("connection.close()")

        async def empty() -> bool:
            numbers = call.relay.driver.statistics()
            return not (numbers["rooms"] or numbers["legs"])

        await until(empty)
        assert (await bob.evaluate("states"))[-1] == "closed"


async def test_an_ice_restart_in_the_middle_keeps_the_call(calls: Calls) -> None:
    async with calls() as call:
        ann, bob = await call.page("ann"), await call.page("bob")
        await moves(ann)
        legs = {leg.participant: leg for _room, leg in call.relay.driver._legs.values()}
        before = legs["ann"].etag
        await ann.evaluate("connection.restart()")
        await moves(ann)
        await moves(bob)
        assert legs["ann"].etag != before
        assert await ann.evaluate("states") == ["connecting", "connected", "reconnecting", "connected"]
        assert call.relay.driver.statistics()["legs"] == 2


async def test_the_screen_appears_and_disappears_without_a_new_round(calls: Calls) -> None:
    async with calls() as call:
        ann, bob = await call.page("ann"), await call.page("bob")
        await moves(bob)
        await ann.evaluate("share()")
        await bob.wait_for_function("tracks.screen && document.getElementById('screen').videoWidth === 320")
        await ann.evaluate("connection.replaceTrack('screen', null)")
        await bob.wait_for_function("tracks.screen === false")
        await ann.evaluate("connection.replaceTrack('video', null)")
        await bob.wait_for_function("tracks.video === false")


async def test_the_last_word_counts_when_the_camera_is_switched_in_a_hurry(calls: Calls) -> None:
    async with calls() as call:
        ann, bob = await call.page("ann"), await call.page("bob")
        await moves(bob)
        await ann.evaluate(
            """async () => {
              const camera = peers[0].getSenders()[1].track;
              connection.replaceTrack("video", null);
              connection.replaceTrack("video", camera);
              await connection.replaceTrack("video", null);
            }"""
        )
        assert await ann.evaluate("peers[0].getSenders()[1].track") is None


async def test_a_connection_that_the_relay_has_dropped_is_reported_as_failed(calls: Calls) -> None:
    async with calls() as call:
        ann = await call.page("ann")
        await ann.wait_for_function("states.includes('connected')")
        await call.relay.driver.dismiss(MediaRoom("room"), "ann")
        await ann.wait_for_function("states.at(-1) === 'failed'")


async def test_lost_packets_are_repeated_from_browser_to_browser(calls: Calls) -> None:
    """The receiver asks by its own numbers, the sender repeats by its own: both must come out right."""
    async with calls() as call:
        ann, bob = await call.page("ann"), await call.page("bob")
        await moves(bob)
        port, chance = call.relay.driver._port, random.Random(7)
        send = port.send
        port.send = lambda datagram, address: None if chance.random() < 0.04 else send(datagram, address)
        await bob.wait_for_function("repaired().then((packets) => packets >= 5)")
        await ann.wait_for_function("repaired().then((packets) => packets >= 5)")
        await moves(bob)
        await moves(ann)


@pytest.mark.slow
async def test_an_outage_of_all_datagrams_heals_by_itself(calls: Calls) -> None:
    async with calls() as call:
        ann, bob = await call.page("ann"), await call.page("bob")
        await moves(ann)
        port = call.relay.driver._port
        port._deliver = lambda datagram, address: None
        await ann.wait_for_function("states.at(-1) === 'reconnecting'")
        await bob.wait_for_function("states.at(-1) === 'reconnecting'")
        del port._deliver
        for page in (ann, bob):
            await page.wait_for_function("states.at(-1) === 'connected'")
            await moves(page)
        assert call.relay.driver.statistics()["legs"] == 2
