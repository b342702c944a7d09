"""Throws nonsense at a live process over HTTP and its WebSockets while two people talk in a room of it.

    python -m benchmarks.fuzz_live [--seconds 60] [--seed 1]

A real process (``helpouts live``) over SQLite, with the relay as its transport.  Strangers knock with wrong tickets and
no hello, cut frames off, announce more than they send, dribble; a participant with a good ticket says what no page
says, storms back in, and vanishes.  Exit code 1 when the process ends, logs an error, grows by more than it may
(``benchmarks/fuzz/report.py``), leaves rooms, tasks or sockets behind, or when the two in their room lose touch, a line
of the chat or a second of the meter.  The messages of one seed are the same in each run; how they interleave is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from benchmarks.fuzz import nonsense
from benchmarks.fuzz.report import WARM_UP, Report, run
from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.sessions import service
from helpouts.sessions.models import Session
from helpouts.sessions.tickets import issue_ticket
from helpouts.testing.cluster import Cluster, Page, room

KINDS = (
    "ping", "chat", "state", "signal", "grant", "quality", "notes", "notes_since", "draw", "drawing", "strokes",
    "extend", "extend_answer", "recording", "leave",
)  # fmt: skip
FIGURES = {
    "rss_mb": "process_resident_memory_bytes",
    "files": "process_open_fds",
    "tasks": "helpouts_live_tasks",
    "rooms": "helpouts_live_rooms",
    "sockets": "helpouts_live_sockets",
}
Figures = dict[str, float]


@dataclass
class LiveReport(Report):
    """The report of a live process."""

    #: Seconds for which this program itself stood still, at most: whose page does not ping is shown out, rightly.
    stalled: float = 0.0

    def remarks(self) -> list[str]:
        """How far the machine let us measure."""
        return [f"this program stood still for {self.stalled:.2f} s at most"]

    async def watch(self) -> None:
        """For ever: notice when we stand still."""
        while True:
            before = time.time()  # not the monotonic clock: a machine may have stood still without noticing
            await asyncio.sleep(0.1)
            self.stalled = max(self.stalled, time.time() - before - 0.1)


class Fuzzer:
    """All kinds of trouble; each method is one small helping of it."""

    def __init__(self, cluster: Cluster, client: aiohttp.ClientSession, base: str, seed: int, report: Report) -> None:
        self.cluster, self.client, self.base, self.report = cluster, client, base, report
        self.chance = random.Random(seed)  # to be the same in each run
        address = urlsplit(base)
        self.host, self.port = str(address.hostname), int(address.port or 0)
        self.session = room(cluster)
        self.used = self._issue(self.session.booking.customer_id)

    def _issue(self, user_id: int) -> str:
        with self.cluster.runtime.database.write() as db:
            return issue_ticket(db, db.get_one(Session, self.session.id), db.get_one(User, user_id)).token

    async def _ticket(self, user_id: int) -> str:
        """Beside the loop: while it waits for the process that writes, the two in the call must go on pinging."""
        return await asyncio.to_thread(self._issue, user_id)

    async def _raw(self, kind: str, pieces: list[bytes], pause: float = 0.0) -> None:
        """Bytes over TCP, one piece after the other; the connection ends without a word."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            reader, writer = await asyncio.open_connection(self.host, self.port)
            try:
                for piece in pieces:
                    self.report.sent[kind] += 1
                    writer.write(piece)
                    await asyncio.wait_for(writer.drain(), 1)
                    await asyncio.sleep(pause)
                await asyncio.wait_for(reader.read(200), 0.02)
            finally:
                writer.transport.abort()

    async def requests(self) -> None:
        """HTTP that is broken, half, or aims at nothing."""
        await asyncio.gather(*(self._raw("HTTP", [nonsense.request(self.chance)]) for _one in range(20)))

    async def frames(self) -> None:
        """A WebSocket that opens as it should and then speaks in broken frames."""
        path = self.chance.choice(("/ws", "/ws/desk"))
        opening = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
        pieces = [[opening, nonsense.frames(self.chance)] for _one in range(15)]
        await asyncio.gather(*(self._raw("frames", both) for both in pieces))

    async def dribble(self) -> None:
        """Slow ones: a few bytes at a time, and gone before they have said anything."""
        wholes = [nonsense.request(self.chance)[:40] for _one in range(10)]
        drops = [[whole[at : at + 4] for at in range(0, len(whole), 4)] for whole in wholes]
        await asyncio.gather(*(self._raw("dribbled bytes", pieces, 0.02) for pieces in drops))

    async def strangers(self) -> None:
        """First messages that are no hello, or whose ticket is worth nothing."""

        async def knock(said: str | bytes, path: str) -> None:
            self.report.sent["wrong hello"] += 1
            async with self._socket(path) as socket:
                await (socket.send_str(said) if isinstance(said, str) else socket.send_bytes(said))
                await asyncio.wait_for(socket.receive(), 15)

        told = [
            (nonsense.hello(self.chance, self.used), self.chance.choice(("/ws", "/ws", "/ws/desk")))
            for _one in range(15)
        ]
        await asyncio.gather(*(knock(*one) for one in told), return_exceptions=True)

    def _socket(self, path: str = "/ws") -> contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        patience = aiohttp.ClientWSTimeout(ws_close=0.1)
        return self.client.ws_connect(self.base + path, timeout=patience, max_msg_size=0)

    async def participant(self) -> None:
        """Somebody with a good ticket and bad manners; in the end gone without a goodbye."""
        booking = self.session.booking
        ticket = await self._ticket(self.chance.choice((booking.host_id, booking.customer_id)))
        with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            async with self._socket() as socket:
                await socket.send_json({"type": "hello", "ticket": ticket})
                await asyncio.wait_for(socket.receive(), 15)
                for _one in range(60):
                    self.report.sent["nonsense in a room"] += 1
                    text = nonsense.message(self.chance, KINDS)
                    await socket.send_bytes(text.encode("utf-8", "ignore")) if not self.chance.randrange(50) else None
                    await socket.send_str(text.encode("utf-8", "ignore").decode())
                    await asyncio.sleep(0)
                await self._gone(socket)

    async def storm(self) -> None:
        """One person comes back ten times at once."""
        tickets = [await self._ticket(self.session.booking.customer_id) for _one in range(10)]

        async def come(ticket: str) -> None:
            self.report.sent["entered in a storm"] += 1
            async with self._socket() as socket:
                await socket.send_json({"type": "hello", "ticket": ticket, "media": "x"})
                await asyncio.wait_for(socket.receive(), 15)
                await self._gone(socket)

        await asyncio.gather(*map(come, tickets), return_exceptions=True)

    async def _gone(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        transport = socket._response.connection and socket._response.connection.transport
        if transport is not None:
            transport.abort()

    async def flood(self) -> None:
        """More than a message may hold, over both ways."""
        with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            self.report.sent["too much"] += 1
            async with self.client.post(f"{self.base}/check/echo", data=bytes(300_000)) as response:
                await response.read()
        with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            self.report.sent["too much"] += 1
            async with self._socket() as socket:
                await socket.send_str("x" * 300_000)
                await asyncio.wait_for(socket.receive(), 15)

    def kinds(self) -> list[Callable[[], Awaitable[None]]]:
        """All of them."""
        return [
            self.requests, self.frames, self.dribble, self.strangers, self.participant, self.storm, self.flood,
        ]  # fmt: skip


async def figures(client: aiohttp.ClientSession, base: str) -> Figures:
    """What the process says of itself."""
    async with client.get(f"{base}/metrics") as response:
        text = await response.text()
    found = {}
    for name, metric in FIGURES.items():
        value = re.search(rf"(?m)^{metric} (\S+)$", text)
        assert value is not None, metric
        found[name] = float(value[1])
    found["rss_mb"] /= 1e6
    return found


async def settled(client: aiohttp.ClientSession, base: str, patience: float) -> Figures:
    """The figures when nobody is left but the two in their room, or when that took too long."""
    deadline = time.monotonic() + patience
    while True:
        found = await figures(client, base)
        if (found["rooms"], found["sockets"]) == (1, 2) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


async def fuzz(seed: int, seconds: float) -> LiveReport:
    """Run for so long; everything that was wrong is in the report's ``problems``."""
    report = LiveReport()
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder))
        try:
            await asyncio.to_thread(cluster.start, "n1")
            watching = asyncio.create_task(report.watch())
            try:
                await _with(cluster, seed, seconds, report)
            finally:
                watching.cancel()
        finally:
            cluster.stop()
        log = (Path(folder) / "live.log").read_text(errors="replace")
        if trouble := re.findall(r"(?m)^.*(?:Traceback|\[error|\"level\": \"error).*$", log):
            report.problems.append(f"the process complains: {trouble[:3]}\n{log[-3000:]}")
    return report


async def _with(cluster: Cluster, seed: int, seconds: float, report: Report) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(20)) as client:
        session = room(cluster)
        pages = [
            Page(cluster.runtime, client, session, who) for who in (session.booking.host, session.booking.customer)
        ]
        while not all(page.newest("meter").get("running") for page in pages):
            await asyncio.sleep(0.05)
        address = urlsplit(pages[0].url)
        base = f"http://{address.netloc}"
        fuzzer = Fuzzer(cluster, client, base, seed, report)
        begun, lines = time.monotonic(), 0
        while time.monotonic() - begun < seconds and cluster.processes["n1"].poll() is None:
            for kind in fuzzer.kinds():
                await kind()
            lines += 1
            await pages[lines % 2].say(type="chat", client_id=f"line{lines}", body=f"line {lines}")
            if not report.before and time.monotonic() - begun >= WARM_UP * seconds:
                report.before = await figures(client, base)
        if cluster.processes["n1"].poll() is not None:
            report.problems.append("the process has ended")
            return
        report.after = await settled(client, base, 75)  # the media of who vanished are kept for a minute
        _judge(report, pages, lines)
        measured = _off(cluster, session)
        if measured > 2:
            report.problems.append(f"the meter of the two who stayed is off by {measured:.1f} s")
        await asyncio.gather(*(page.close() for page in pages))


def _off(cluster: Cluster, session: Session) -> float:
    with cluster.runtime.database.read() as db:
        found = service.intervals(db, session.id, clock.now())
        both = max(min(start for start, _end in rows) for rows in found.values())
        seconds = service.connected_seconds(db, db.get_one(Session, session.id))
    return abs((clock.now() - both).total_seconds() - seconds)


def _judge(report: Report, pages: list[Page], lines: int) -> None:
    for page in pages:
        if page.count("welcome") != 1:
            report.problems.append(f"somebody in the call was thrown out {page.count('welcome') - 1} times")
        if page.lines != [f"line {number}" for number in range(1, lines + 1)]:
            report.problems.append(f"the chat has {len(page.lines)} of {lines} lines")
    report.judge({"rooms": 1, "sockets": 2}, slack=3)


if __name__ == "__main__":
    sys.exit(run(__doc__, fuzz))
