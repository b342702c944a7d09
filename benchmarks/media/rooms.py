"""How load clients get into a call on each server under test."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from benchmarks.media.endpoint import FINGERPRINT, Endpoint

Job = dict[str, Any]
Pairs = list[tuple[str, Endpoint, Endpoint]]
"""(room, one end, other end)."""
AT_ONCE = 4
"""Calls that join at the same time."""


async def _each(pairs: Pairs, one: Callable[[str, Endpoint, Endpoint], Awaitable[None]]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def run(room: str, ann: Endpoint, bob: Endpoint) -> None:
        async with places:
            await one(room, ann, bob)

    await asyncio.gather(*(run(*pair) for pair in pairs))


async def relay(job: Job, pairs: Pairs) -> list[object]:
    """Our relay: its own offer, answered."""
    async with aiohttp.ClientSession() as http:

        async def end(room: str, who: str, endpoint: Endpoint) -> None:
            async with http.get(f"{job['url']}/grant/{room}/{who}") as response:
                grant = await response.json()
            bearer = {"Authorization": f"Bearer {grant['token']}"}
            async with http.post(grant["url"], headers=bearer) as response:
                offer, location = await response.text(), response.headers["Location"]
            answer = "\r\n".join(
                f"a=fingerprint:sha-256 {FINGERPRINT}" if line.startswith("a=fingerprint") else line
                for line in offer.replace("actpass", "active").splitlines()
            )
            headers = {"Content-Type": "application/sdp"}
            async with http.patch(location, data=answer + "\r\n", headers=headers) as response:
                response.raise_for_status()
            await endpoint.follow(offer, server=False, host=job["host"])

        async def one(room: str, ann: Endpoint, bob: Endpoint) -> None:
            await end(room, "1", ann)
            await end(room, "2", bob)

        await _each(pairs, one)
    return []


async def stock(job: Job, pairs: Pairs) -> list[object]:
    """aiortc's MediaRelay: the client offers."""
    async with aiohttp.ClientSession() as http:

        async def one(room: str, ann: Endpoint, bob: Endpoint) -> None:
            for endpoint in (ann, bob):
                offer = endpoint.description("actpass")
                async with http.post(f"{job['url']}/join/{room}", data=offer) as response:
                    answer = await response.text()
                server = "a=setup:active" in answer
                await endpoint.follow(answer, server=server, host=job["host"])

        await _each(pairs, one)
    return []


class _Janus:
    """One session of one participant on the VideoCall plugin."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._session = self._handle = 0
        self._events: asyncio.Queue[Job] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[Job]] = {}
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for raw in self._socket:
            said = json.loads(raw.data)
            if said["janus"] == "event":  # may come before the ack of its own transaction
                await self._events.put(said)
            elif said["janus"] in ("success", "ack", "error"):
                waiting = self._answers.pop(said.get("transaction", ""), None)
                if waiting is not None:
                    waiting.set_result(said)

    async def _ask(self, message: Job) -> Job:
        transaction = secrets.token_hex(6)
        answer: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self._answers[transaction] = answer
        places = {"session_id": self._session, "handle_id": self._handle}
        await self._socket.send_json(
            {"transaction": transaction} | {key: value for key, value in places.items() if value} | message
        )
        found = await asyncio.wait_for(answer, 10)
        if found["janus"] == "error":
            raise RuntimeError(found)
        return found

    async def begin(self, name: str) -> None:
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]
        attached = await self._ask({"janus": "attach", "plugin": "janus.plugin.videocall"})
        self._handle = attached["data"]["id"]
        await self.say({"request": "register", "username": name})
        await self.hear("registered")

    async def say(self, body: Job, sdp: str = "", kind: str = "") -> None:
        more = {"jsep": {"type": kind, "sdp": sdp}} if sdp else {}
        await self._ask({"janus": "message", "body": body} | more)

    async def hear(self, event: str) -> str:
        """The session description that came with an event."""
        while True:
            said = await asyncio.wait_for(self._events.get(), 20)
            data = said["plugindata"]["data"]
            if "error" in data:
                raise RuntimeError(data["error"])
            if data.get("result", {}).get("event") == event:
                return str(said.get("jsep", {}).get("sdp", ""))


async def janus(job: Job, pairs: Pairs) -> list[object]:
    """Janus's VideoCall: one calls the other by name."""
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    sockets: list[object] = [http]

    async def session(name: str) -> _Janus:
        socket = await http.ws_connect(job["url"], protocols=["janus-protocol"], heartbeat=None)
        sockets.append(socket)
        made = _Janus(socket)
        await made.begin(name)
        return made

    async def one(room: str, ann: Endpoint, bob: Endpoint) -> None:
        caller, callee = await session(f"{room}a"), await session(f"{room}b")
        await caller.say({"request": "call", "username": f"{room}b"}, ann.description("actpass"), "offer")
        offer = await callee.hear("incomingcall")
        await callee.say({"request": "accept"}, bob.description("active"), "answer")
        answer = await caller.hear("accepted")
        await asyncio.gather(
            bob.follow(offer, server=False, host=job["host"]),
            ann.follow(answer, server="a=setup:active" in answer, host=job["host"]),
        )

    await _each(pairs, one)
    return sockets


JOIN: dict[str, Callable[[Job, Pairs], Awaitable[list[object]]]] = {"ours": relay, "janus": janus, "stock": stock}
