"""Throws broken STUN, DTLS, RTP, RTCP, TCP frames and signalling at the relay while a call is running through it.

    python -m benchmarks.fuzz_relay [--seconds 60] [--seed 1]

The relay runs in a process of its own.  Exit code 1 when it ends, complains, answers with 5xx, grows by more than it
may (``benchmarks/fuzz/report.py``), leaves legs, tasks or open files behind, or when the call loses a packet.  The
messages of one seed are the same in each run; how they interleave is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from helpouts_video_aiortc.srtp import SrtpError

from benchmarks.fuzz import broken
from benchmarks.fuzz.browser import Browser, rtp
from benchmarks.fuzz.process import Json, Relay, relay
from benchmarks.fuzz.report import WARM_UP, Report, run

BATCH = 60
"""Messages between two breaths: the kernel's buffers are to hold them, or the call would lose packets by our fault."""


@dataclass
class CallReport(Report):
    """What came of it, also for the call."""

    delivered: tuple[int, int] = (0, 0)
    """Packets of the running call: sent, arrived."""
    overflowed: int = 0
    """Datagrams of any kind for which the kernel had no room, on a machine that is busy with other things."""

    def remarks(self) -> list[str]:
        """What the relay has counted, and how the call went."""
        counted = [name for name in sorted(self.after) if name.startswith(("dropped", "tcp_cut"))]
        sent, arrived = self.delivered
        return [
            *(f"{self.after[name]:9} counted by the relay as {name}" for name in counted),
            f"the call meanwhile: {sent} packets sent, {arrived} arrived; the kernel dropped {self.overflowed}",
        ]


def waiting(port: int) -> tuple[int, int]:
    """What the kernel has of the UDP socket of that port: bytes not read yet, and datagrams that it had no room for."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].partition(":")[2], 16) == port:
            return int(fields[4].partition(":")[2], 16), int(fields[12])
    raise LookupError(f"nobody listens on UDP port {port}")


class Call:
    """Two browsers that go on talking: sound and pictures, numbered."""

    def __init__(self, here: Relay) -> None:
        self.ann, self.bob = Browser(here), Browser(here)
        self.number = 0

    async def begin(self) -> None:
        """Connect both."""
        await asyncio.gather(self.ann.connect("call", "ann"), self.bob.connect("call", "bob"))

    async def talk(self) -> None:
        """Forever, until cancelled."""
        while True:
            for browser, ssrc in ((self.ann, 1), (self.bob, 2)):
                for payload in (111, 96):
                    body = b"\x10\x00" + struct.pack("!I", self.number) + bytes(100)
                    packet = rtp(payload, 10 * payload + ssrc, self.number, 960 * self.number, body)
                    browser.socket.send(browser.protect(packet))
                if self.number % 50 == 0:  # browsers check all the time, every other second or so
                    browser.socket.send(browser.check())
            self.number += 1
            await asyncio.sleep(0.02)

    def overflowed(self) -> int:
        """Datagrams that the kernel dropped before the relay or a browser could read them."""
        ports = [
            self.ann.socket.getpeername()[1],
            *(browser.socket.getsockname()[1] for browser in (self.ann, self.bob)),
        ]
        return sum(waiting(port)[1] for port in ports)

    def delivered(self) -> tuple[int, int]:
        """(sent, arrived), each packet counted once."""
        arrived = sum(len({(packet[1], packet[14:18]) for packet in browser.got}) for browser in (self.ann, self.bob))
        return 4 * self.number, arrived


def _protected(protect: Callable[[bytes], bytes], messages: list[bytes]) -> list[bytes]:
    """Those that libsrtp agrees to protect: it looks at headers, too."""
    out = []
    for message in messages:
        with contextlib.suppress(*SrtpError):
            out.append(protect(message))
    return out


class Fuzzer:
    """All kinds of trouble; each method is one small helping of it."""

    def __init__(self, here: Relay, call: Call, seed: int, report: CallReport) -> None:
        self.relay, self.call, self.report = here, call, report
        self.chance = random.Random(seed)  # to be the same in each run
        self.host, self.port = call.ann.socket.getpeername()
        self.visits = 0

    async def _send(self, kind: str, where: socket.socket, messages: list[bytes]) -> None:
        for message in messages:
            self.report.sent[kind] += 1
            with contextlib.suppress(OSError):
                where.send(message)
        await self._digested()

    async def _digested(self) -> None:
        """Wait until the kernel holds nothing more for the relay: what it has no room for would look like a loss."""
        await asyncio.sleep(0)
        while waiting(self.port)[0]:
            await asyncio.sleep(0.001)

    async def strangers(self) -> None:
        """From addresses that nobody knows."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.connect((self.host, self.port))
            good = [self.call.ann.check("guess"), *self.call.ann.recorded]  # with the right one it would be no stranger
            await self._send("stranger, STUN", stranger, [broken.stun(self.chance, good[0]) for _one in range(BATCH)])
            messages = [broken.flipped(self.chance, self.chance.choice(good)) for _one in range(BATCH // 2)]
            messages += [broken.noise(self.chance, range(256)) for _one in range(BATCH // 2)]
            await self._send("stranger, other", stranger, messages)

    async def neighbour(self) -> None:
        """From the address of a browser in a call, as somebody on its network could."""
        ann, chance = self.call.ann, self.chance
        good = ann.protect(rtp(96, 961, self.call.number + 1, 0, bytes(100)))  # never sent whole
        messages = [broken.flipped(chance, good, 1) for _one in range(BATCH // 3)]
        messages += [broken.stun(chance, ann.check()) for _one in range(BATCH // 3)]
        messages += [broken.flipped(chance, chance.choice(ann.recorded), 1) for _one in range(BATCH // 6)]
        messages += [broken.noise(chance, range(20, 192)) for _one in range(BATCH // 6)]
        await self._send("address of the call", ann.socket, messages)

    async def handshake(self) -> None:
        """A participant who joins as one should, and then shakes hands with broken records."""
        self.visits += 1
        eve, chance = Browser(self.relay), self.chance
        await eve.join(f"eve{self.visits}", "eve")
        await eve.respond()
        records = [broken.flipped(chance, chance.choice(self.call.ann.recorded), 1) for _one in range(BATCH // 2)]
        records += [broken.noise(chance, range(20, 64)) for _one in range(BATCH // 4)]
        await self._send("DTLS of a participant", eve.socket, records)
        await self._leave(eve, f"eve{self.visits}")

    async def participant(self) -> None:
        """A participant with good keys and bad manners; the other one in the room gets what is passed on."""
        self.visits += 1
        room, chance = f"pair{self.visits}", self.chance
        eve, mallory = Browser(self.relay), Browser(self.relay)
        await asyncio.gather(eve.connect(room, "eve"), mallory.connect(room, "mallory"))
        ssrcs = [int(line.split()[0].partition(":")[2]) for line in eve.offer.split("\n") if line.startswith("a=ssrc:")]
        for browser in (eve, mallory, eve, mallory):
            packets = _protected(browser.protect, [broken.rtp(chance, number) for number in range(BATCH // 2)])
            await self._send("RTP inside SRTP", browser.socket, packets)
            compounds = _protected(browser.protect_rtcp, [broken.rtcp(chance, ssrcs) for _one in range(BATCH // 2)])
            await self._send("RTCP inside SRTCP", browser.socket, compounds)
        await self._leave(eve, room)
        await mallory.close()

    async def _leave(self, browser: Browser, room: str) -> None:
        await browser.close()
        async with self.relay.http.delete(f"{self.relay.base}/{room}"):
            pass

    async def connections(self) -> None:
        """Over TCP: noise, half frames, sudden ends."""
        chance = self.chance
        good = [self.call.ann.check("guess"), *self.call.ann.recorded]
        for _one in range(5):
            client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            client.settimeout(1)
            with client, contextlib.suppress(OSError):
                client.connect((self.host, self.port))
                if chance.randrange(2):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                for _piece in range(chance.randrange(1, 6)):
                    client.sendall(broken.frames(chance, good)[: chance.choice((1, 2, 50, 9999))])
                    self.report.sent["TCP"] += 1
                    await asyncio.sleep(0)
        await asyncio.sleep(0.005)

    async def signalling(self) -> None:
        """Over HTTP and through the room's WebSocket."""
        self.visits += 1
        eve = Browser(self.relay)
        room = f"http{self.visits}"
        await eve.join(room, "eve")
        calls = broken.requests(self.chance, self.relay.base, eve.location, eve.answer)
        for _one in range(15):
            method, url, headers, body = next(calls)
            self.report.sent["HTTP"] += 1
            async with self.relay.http.request(method, url, headers=headers, data=body) as response:
                await self._judge(response.status, f"{method} {url} {body!r}")
        for who in ("eve", "nobody"):
            said = broken.signal(self.chance)
            self.report.sent["signal"] += 1
            message = said if isinstance(said, dict) else {"sending": said}
            async with self.relay.http.post(f"{self.relay.base}/signal/{room}/{who}", json=message) as response:
                await self._judge(response.status, f"signal {message!r}")
        await self._leave(eve, room)

    async def _judge(self, status: int, what: str) -> None:
        if status >= 500 and status != 503:
            self.report.problems.append(f"{status} for {what[:300]}")

    def kinds(self) -> list[Callable[[], Awaitable[None]]]:
        """All of them."""
        return [self.strangers, self.neighbour, self.handshake, self.participant, self.connections, self.signalling]


async def _settled(here: Relay) -> Json:
    """Figures when the leftovers have had their time: connections that prove nothing live for some seconds."""
    deadline = time.monotonic() + 15
    while True:
        found = await here.statistics()
        if (found["legs"], found["tcp_connections"]) == (2, 0) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.2)


async def fuzz(seed: int, seconds: float) -> CallReport:
    """Run for so long; everything that was wrong is in the report's ``problems``."""
    report = CallReport()
    async with relay() as here:
        call = Call(here)
        await call.begin()
        talking = asyncio.create_task(call.talk())
        fuzzer = Fuzzer(here, call, seed, report)
        begun = time.monotonic()
        while time.monotonic() - begun < seconds and here.alive and not talking.done():
            for kind in fuzzer.kinds():
                await kind()
            if not report.before and time.monotonic() - begun >= WARM_UP * seconds:
                report.before = await _settled(here)
        talking.cancel()
        await asyncio.wait([talking])
        await asyncio.sleep(0.3)
        report.delivered, report.overflowed = call.delivered(), call.overflowed()
        report.after = await _settled(here)
        _judge(report, here)
        await call.ann.close()
        await call.bob.close()
    return report


def _judge(report: CallReport, here: Relay) -> None:
    sent, arrived = report.delivered
    if not here.alive:
        report.problems.append("the relay has ended")
    if here.complaints():
        report.problems.append(f"the relay complains:\n{here.complaints()[:4000]}")
    if not sent or sent - arrived > report.overflowed:
        report.problems.append(f"the call lost {sent - arrived} of {sent} packets")
    report.judge({"legs": 2, "rooms": 1, "grants": 0, "tcp_connections": 0}, slack=2)


if __name__ == "__main__":
    sys.exit(run(__doc__, fuzz))
