"""What a leg does with packets, over real sockets, DTLS and SRTP; the browsers are a few lines here."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Iterator

import pytest
from aioice import stun
from helpouts_video_aiortc import private
from helpouts_video_aiortc.fastpath import FastPath
from helpouts_video_aiortc.leg import Leg
from helpouts_video_aiortc.media import SOURCES_PER_LEG
from helpouts_video_aiortc.port import UdpPort
from helpouts_video_aiortc.sdp import Answer
from helpouts_video_aiortc.srtp import copying
from helpouts_video_aiortc.wire import Plain

CERTIFICATE = private.Certificate().current()
FINGERPRINTS = {"sha-256": private.sha256_fingerprint(CERTIFICATE)}


def rtp(payload: int, ssrc: int, sequence: int, timestamp: int = 0, body: bytes = b"\x10\x00picture") -> bytes:
    return struct.pack("!BBHII", 0x80, payload, sequence & 0xFFFF, timestamp, ssrc) + body


class Browser:
    """A socket that checks, shakes hands, and then speaks SRTP."""

    def __init__(self, name: str, port: UdpPort) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port.number))
        self.link = private.DtlsLink(CERTIFICATE, self.socket.send, lambda: None)
        self.leg = Leg(name, port, CERTIFICATE, asyncio.get_running_loop().time, lambda leg: None)
        self.got: list[bytes] = []
        asyncio.get_running_loop().add_reader(self.socket, self._readable)

    def _readable(self) -> None:
        datagram = self.socket.recv(2048)
        if 19 < datagram[0] < 64:
            self.link.feed(datagram)
        elif datagram[0] > 127 and self.link.receiving is not None:
            opens = self.link.receiving.unprotect_rtcp if 192 <= datagram[1] <= 223 else self.link.receiving.unprotect
            self.got.append(opens(datagram))

    async def connect(self) -> None:
        attributes = {"USERNAME": f"{self.leg.etag.strip(chr(34))}:b", "ICE-CONTROLLING": 5, "USE-CANDIDATE": None}
        check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        check.add_message_integrity(self.leg._ice.password.encode())
        self.socket.send(bytes(check))
        self.leg.answer(Answer(FINGERPRINTS, True, frozenset({96, 97, 98, 99, 111})))
        await self.link.handshake(server=False, fingerprints=FINGERPRINTS)
        async with asyncio.timeout(5):
            while not self.leg.connected:
                await asyncio.sleep(0)

    def send(self, packet: bytes) -> None:
        assert self.link.sending is not None
        self.socket.send(self.link.sending.protect(packet))

    def send_rtcp(self, compound: bytes) -> None:
        assert self.link.sending is not None
        self.socket.send(self.link.sending.protect_rtcp(compound))

    async def receive(self, packets: int) -> list[bytes]:
        async with asyncio.timeout(5):
            while len(self.got) < packets:
                await asyncio.sleep(0)
        return self.got

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        await self.leg.close()
        await self.link.close()
        self.socket.close()


@pytest.fixture(params=[(Plain, copying), (FastPath, private.direct_cipher)], ids=["plain", "fast"])
async def port(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[UdpPort]:
    wire, cipher = request.param
    monkeypatch.setattr(private, "cipher", cipher)
    port = UdpPort("127.0.0.1", 0, asyncio.get_running_loop().time, wire)
    yield port
    port.close()


@pytest.fixture
async def pair(port: UdpPort) -> AsyncIterator[tuple[Browser, Browser]]:
    ann, bob = Browser("ann", port), Browser("bob", port)
    await asyncio.gather(ann.connect(), bob.connect())
    ann.leg.join(bob.leg)
    bob.leg.join(ann.leg)
    yield ann, bob
    await ann.close()
    await bob.close()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.ERROR, logger="helpouts_video_aiortc.media"):
        yield caplog


REPORT = struct.pack("!BBHII", 0x80, 201, 1, 7, 0)[:8]


async def test_a_tap_sees_what_the_browser_sent_and_when(pair: tuple[Browser, Browser]) -> None:
    ann, bob = pair
    seen: list[tuple[bytes, float]] = []
    ann.leg.tap = lambda packet, when: seen.append((packet, when))
    before = asyncio.get_running_loop().time()
    packets = [rtp(96, 7, 65_535), rtp(96, 7, 0), rtp(111, 8, 5)]
    for packet in packets:
        ann.send(packet)
    ann.send_rtcp(REPORT)
    bob.send(rtp(96, 9, 1))
    await bob.receive(4)
    assert [packet for packet, _when in seen] == [*packets, REPORT]
    assert all(before <= when <= asyncio.get_running_loop().time() for _packet, when in seen)


async def test_a_tap_hears_also_when_nobody_else_does(pair: tuple[Browser, Browser]) -> None:
    ann, bob = pair
    seen: list[bytes] = []
    ann.leg.tap = lambda packet, _when: seen.append(packet)
    ann.leg.join(None)
    ann.send(rtp(96, 7, 1))
    async with asyncio.timeout(5):
        while not seen:
            await asyncio.sleep(0)
    assert seen == [rtp(96, 7, 1)]
    assert not bob.got


async def test_a_tap_that_fails_is_logged_once_counted_and_stops_nothing(
    port: UdpPort, pair: tuple[Browser, Browser], logged: pytest.LogCaptureFixture
) -> None:
    ann, bob = pair

    def fail(_packet: bytes, _when: float) -> None:
        raise RuntimeError("the disk is full")

    ann.leg.tap = fail
    for number in range(10):
        ann.send(rtp(96, 7, number))
    assert [packet[12:] for packet in await bob.receive(10)] == [rtp(96, 7, 0)[12:]] * 10
    assert port.counters["dropped_tap"] == 10
    assert len(logged.records) == 1
    assert "the disk is full" in str(logged.records[0].exc_text)


# -- forwarding -------------------------------------------------------------------------------------------------


def fields(packet: bytes) -> tuple[int, int, int, int]:
    """Payload type, sequence number, timestamp, SSRC."""
    payload, sequence, timestamp, ssrc = struct.unpack_from("!xBHII", packet)
    return payload & 0x7F, sequence, timestamp, ssrc


async def test_what_one_sends_reaches_the_other_in_their_own_numbers(pair: tuple[Browser, Browser]) -> None:
    ann, bob = pair
    for number in range(200):
        ann.send(rtp(96, 7, 65_500 + number, 3000 * number, b"\x10\x00" + bytes([number])))
        ann.send(rtp(111, 8, number, 960 * number))
        bob.send(rtp(96, 9, number))
        if number % 20 == 19:  # as much as the sockets of the test have room for
            await bob.receive(2 * number + 2)
            await ann.receive(number + 1)
    to_bob, to_ann = await bob.receive(400), await ann.receive(200)
    pictures = [packet for packet in to_bob if packet[1] == 96]
    assert [packet[14] for packet in pictures] == list(range(200))
    first = fields(pictures[0])
    assert [fields(packet) for packet in pictures] == [
        (96, (first[1] + number) & 0xFFFF, 3000 * number, bob.leg.outgoing.ssrc(96)) for number in range(200)
    ]
    assert {fields(packet)[3] for packet in to_bob if packet[1] == 111} == {bob.leg.outgoing.ssrc(111)}
    assert {fields(packet)[3] for packet in to_ann} == {ann.leg.outgoing.ssrc(96)}


async def test_a_stream_is_lent_where_there_is_a_fast_path_to_take_it(
    port: UdpPort, pair: tuple[Browser, Browser]
) -> None:
    ann, bob = pair
    ann.send(rtp(96, 7, 1))
    await bob.receive(1)
    lent = port.takes_flows
    assert (bool(ann.leg.flow.open), bob.leg.outgoing.stream(96).numbers.payload == 96) == (lent, lent)


async def test_what_cannot_be_opened_is_counted_and_harms_nobody(port: UdpPort, pair: tuple[Browser, Browser]) -> None:
    ann, bob = pair
    for head, length in ((b"\x80", 1), (b"\x80\x60", 32), (b"\x80\xc8", 32), (b"\x80\xc8", 5), (b"\x80\x60", 2048)):
        broken = head + bytes(length - len(head))
        ann.socket.send(broken)
    ann.send(rtp(96, 7, 1))
    assert len(await bob.receive(1)) == 1
    assert port.counters["dropped_srtp"] == 5


async def test_more_sources_than_a_browser_needs_are_not_listened_to(
    port: UdpPort, pair: tuple[Browser, Browser]
) -> None:
    ann, bob = pair
    for source in range(1, SOURCES_PER_LEG + 4):
        ann.send(rtp(111, source, 1))
    await bob.receive(SOURCES_PER_LEG)
    async with asyncio.timeout(5):
        while port.counters["dropped_sources"] < 3:
            await asyncio.sleep(0)
    assert len(ann.leg.sources) == SOURCES_PER_LEG


async def test_the_latest_source_of_a_payload_type_comes_last(pair: tuple[Browser, Browser]) -> None:
    ann, bob = pair
    for payload, source in ((96, 7), (98, 8), (98, 7), (96, 9)):
        ann.send(rtp(payload, source, 1 + payload))
    await bob.receive(4)
    assert list(ann.leg.sources.items()) == [(8, 98), (7, 98), (9, 96)]
