"""The fast path does what Python does: the same traffic through both, whatever happens between the packets."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from helpouts_video_aiortc import private, rewrite
from helpouts_video_aiortc.fastpath import FastPath
from helpouts_video_aiortc.leg import Leg
from helpouts_video_aiortc.port import UdpPort
from helpouts_video_aiortc.wire import MakeWire, Plain
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

CERTIFICATE = private.Certificate().current()
KEYS = {way: bytes([way]) * 30 for way in range(4)}
AUDIO, VP8, RTX, H264, UNKNOWN = 111, 96, 97, 100, 77
Step = tuple[Any, ...]


def session(way: int, *, inbound: bool) -> Session:
    kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    return Session(Policy(key=KEYS[way], ssrc_type=kind))


@dataclass
class Person:
    """A browser's end, whose keys were agreed long ago."""

    number: int
    port: UdpPort
    clock: Callable[[], float]
    socket: Any = None
    got: list[bytes] = field(default_factory=list)
    sequences: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sealing = session(2 * self.number, inbound=False)
        self.opening = session(2 * self.number + 1, inbound=True)
        self.leg = Leg(f"person {self.number}", self.port, CERTIFICATE, self.clock, lambda leg: None)
        self.leg._opening = private.cipher(session(2 * self.number, inbound=True))
        self.leg._sealing = private.cipher(session(2 * self.number + 1, inbound=False))
        self.tapped: list[bytes] = []
        self.move()

    def move(self) -> None:
        """To another address, from now on."""
        if self.socket is not None:
            self.socket.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", self.port.number))
        self.socket.settimeout(5)
        assert self.port._adopt(self.leg, self.socket.getsockname())
        self.leg._go_to(self.socket.getsockname())

    def say(self, payload: int, source: int, step: int, *, broken: bool = False) -> None:
        """One packet of a source, so far behind the one before it."""
        sequence = self.sequences.get(source, 30_000 * source) + step
        self.sequences[source] = sequence
        extension = struct.pack("!HHBHB", 0xBEDE, 1, 0x41, sequence & 0xFFFF, 0)
        body = struct.pack("!H", (sequence - 1) & 0xFFFF) if payload == RTX else b"\x10\x00picture"
        head = struct.pack("!BBHII", 0x90, payload, sequence & 0xFFFF, (sequence * 3000) & 0xFFFFFFFF, source)
        try:
            sealed = self.sealing.protect(head + extension + body)
        except Exception:
            return  # said before, or too long ago
        self.socket.send(sealed[:-1] + bytes([sealed[-1] ^ 1]) if broken else sealed)

    def report(self) -> None:
        """What the other side's packets were like, and when they came."""
        streams = list(self.leg.outgoing.by_ssrc.values())
        blocks = struct.pack("!6I", streams[0].ssrc, 0, streams[0].numbers.highest & 0xFFFFFFFF, 5, 0, 0)
        receiver = struct.pack("!BBHI", 0x81, 201, 7, 1) + blocks
        arrivals = struct.pack("!BBHIIHHII", 0x8F, 205, 5, 1, streams[0].ssrc, 30_000, 1, 0x105, 0x20010000)
        self.socket.send(self.sealing.protect_rtcp(receiver + arrivals))

    def hear(self) -> None:
        """Open what has come."""
        self.socket.setblocking(False)
        while True:
            try:
                datagram = self.socket.recv(4096)
            except BlockingIOError:
                return
            opens = self.opening.unprotect_rtcp if 192 <= datagram[1] <= 223 else self.opening.unprotect
            self.got.append(opens(datagram))


class Seeded(random.Random):
    """In place of ``secrets``: the same SSRCs and first numbers each time."""

    def randbits(self, bits: int) -> int:
        return self.getrandbits(bits)

    def randbelow(self, end: int) -> int:
        return self.randrange(end)


@dataclass
class Outcome:
    """What a relay made of the traffic."""

    people: list[Any]
    counters: Counter[str]
    numbers: list[tuple[int, ...]]
    asked: int
    """How many packets were handled in Python."""


def play(make: MakeWire, steps: Sequence[Step]) -> Outcome:
    """Let the same happen on a relay of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewrite, "secrets", Seeded(4))
        asked, media = Counter[str](), Leg.media
        patch.setattr(Leg, "media", lambda leg, slot: asked.update(["packets"]) or media(leg, slot))
        return asyncio.run(run(make, steps, asked))


async def run(make: MakeWire, steps: Sequence[Step], asked: Counter[str]) -> Outcome:
    now = [100.0]
    port = UdpPort("127.0.0.1", 0, lambda: now[0], make)
    people = [Person(number, port, lambda: now[0]) for number in range(2)]
    join(people)
    for step in steps:
        now[0] += 0.01
        do(people, step)
        port._wire.pump()
        for person in people:
            person.hear()
    numbers = [
        (stream.numbers.highest, stream.numbers.base, stream.numbers.source_highest, stream.numbers.timestamp)
        for person in people
        for stream in person.leg.outgoing.by_ssrc.values()
    ]
    heard = [(person.got, person.tapped, list(person.leg.sources.items())) for person in people]
    outcome = Outcome(heard, +port.counters, numbers, asked["packets"])
    for person in people:
        port.forget(person.leg)
        person.socket.close()
    port.close()
    return outcome


def join(people: Sequence[Person]) -> None:
    for person, other in zip(people, reversed(people), strict=True):
        person.leg.join(other.leg)


def do(people: Sequence[Person], step: Step) -> None:
    what, who, *more = step
    person = people[who]
    if what == "say":
        payload, source, steps, broken = more
        for each in steps:
            person.say(payload, source, each, broken=broken)
    elif what == "report":
        person.report()
    elif what == "move":
        person.move()
    elif what == "tap":
        person.leg.tap = (lambda packet, when: person.tapped.append(packet)) if more[0] else None
    elif what == "apart":
        person.leg.join(None)
    elif what == "join":
        join(people)
    elif what == "sweep":
        person.leg.refill()
    elif what == "spend":
        person.leg.flow.allowance = more[0]
    elif what == "lost link":
        person.leg._opening = None
        person.leg._recall()
    elif what == "accept":
        person.leg._recall()
        person.leg.outgoing.accept(more[0])


WHO = st.integers(0, 1)
PAYLOADS = st.sampled_from([AUDIO, VP8, VP8, RTX, H264, UNKNOWN])
AHEAD = st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, -1, -2, 40, -40, 1500, 20_000]), min_size=1, max_size=6)
SAY = st.tuples(st.just("say"), WHO, PAYLOADS, st.integers(1, 4), AHEAD, st.sampled_from([False] * 5 + [True]))
OTHER = st.one_of(
    st.tuples(st.sampled_from(["report", "move", "apart", "join", "sweep"]), WHO),
    st.tuples(st.just("tap"), WHO, st.booleans()),
    st.tuples(st.just("spend"), WHO, st.integers(0, 5)),
    st.tuples(st.just("lost link"), WHO),
    st.tuples(st.just("accept"), WHO, st.sampled_from([(AUDIO, VP8, RTX), (AUDIO,), (AUDIO, VP8, RTX, H264)])),
)
STEPS = st.lists(st.one_of(SAY, SAY, SAY, OTHER), max_size=40)
TALK: list[Step] = [("say", who, payload, payload, [1, 1, 1], False) for payload in (AUDIO, VP8) for who in (0, 1)]


@settings(max_examples=150, deadline=None)
@given(STEPS)
@example(TALK * 3)
@example([*TALK, ("report", 0), ("report", 1), ("apart", 0), ("join", 0), *TALK, *TALK])
@example([*TALK, *TALK, ("move", 0), *TALK, ("tap", 1, True), *TALK, ("tap", 1, False), *TALK])
@example([("say", 0, VP8, 1, [1, 1], False), ("say", 0, VP8, 2, [1, 1, -3, 4], False)])
@example([("say", 0, payload, 1, [1, 1], False) for payload in (VP8, H264, VP8)])
@example([*TALK, ("spend", 0, 2), *TALK, ("sweep", 0), *TALK, ("lost link", 1), *TALK])
def test_the_fast_path_does_what_python_does(steps: list[Step]) -> None:
    plain, fast = play(Plain, steps), play(FastPath, steps)
    assert fast.people == plain.people
    assert fast.counters == plain.counters
    assert fast.numbers == plain.numbers
    assert fast.asked <= plain.asked


def test_only_the_first_packet_of_a_stream_is_handled_in_python() -> None:
    steps = TALK * 10
    assert play(Plain, steps).asked == 120
    assert play(FastPath, steps).asked == 4


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        pytest.param(("say", 0, VP8, VP8, [1], True), 0, id="a forged packet is dropped there"),
        pytest.param(("move", 0), 4, id="an address of either"),
        pytest.param(("tap", 0, True), 4, id="a recording"),
        pytest.param(("accept", 0, (AUDIO, VP8)), 4, id="other codecs"),
        pytest.param(("sweep", 0), 0, id="another stretch of time"),
        pytest.param(("say", 0, VP8, 5, [1], False), 2, id="another camera, and the first again"),
        pytest.param(("report", 0), 1, id="reports"),
    ],
)
def test_what_changes_is_python_s_again(step: Step, asked: int) -> None:
    before = play(FastPath, TALK * 2).asked
    assert play(FastPath, [*TALK * 2, step, *TALK]).asked - before == asked


def test_a_leg_without_keys_gives_nothing_to_the_fast_path() -> None:
    """It holds pointers into libsrtp, which frees them with the leg's keys."""
    outcome = play(FastPath, [*TALK, ("lost link", 0), *TALK])
    assert outcome.counters["dropped_early"] == 6
