"""TCP on the same port number: framing, who gets in, who is cut off, and slow or vanished peers."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from aioice import stun
from helpouts_video_aiortc import tcp
from helpouts_video_aiortc.memory import Slot, ffi
from helpouts_video_aiortc.opening import open_streams
from helpouts_video_aiortc.port import UdpPort
from helpouts_video_aiortc.tcp import Streams
from helpouts_video_aiortc.wire import Route

Scenario = Callable[["Place"], Awaitable[None]]


class Leg:
    """Writes down what is delivered."""

    def __init__(self) -> None:
        self.flow = ffi.new("struct flow *")
        self.addresses: dict[Any, None] = {}
        self.sources: dict[int, int] = {}
        self.heard = 0.0
        self.got: list[tuple[str, bytes]] = []

    def checked(self, ufrag: str, address: Any, *, nominated: bool) -> None: ...

    def dtls(self, datagram: bytes) -> None:
        self.got.append(("dtls", datagram))

    def show(self, slot: Slot) -> None:
        raise AssertionError("nothing is recorded here")

    def media(self, slot: Slot) -> Route | None:
        self.got.append(("media", slot.bytes()))
        return None


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def check(password: str = "secret") -> bytes:
    attributes = {"USERNAME": "relay:browser", "PRIORITY": 1, "ICE-CONTROLLING": 5, "USE-CANDIDATE": None}
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    message.add_message_integrity(password.encode())
    return bytes(message)


class Place:
    """A port with TCP, and a leg that everybody may prove to be."""

    def __init__(self, clock: Clock, port: UdpPort, streams: Streams) -> None:
        self.clock, self.port, self.streams = clock, port, streams
        self.leg = Leg()
        self.port.register("relay", "secret", self.leg)
        self.clients: list[Client] = []

    async def client(self, host: str = "127.0.0.1", buffer: int = 0) -> Client:
        client = Client(self, host, buffer)
        self.clients.append(client)
        before = self.port.counters.total() + len(self.streams)
        await asyncio.get_running_loop().sock_connect(client.socket, ("127.0.0.1", self.port.number))
        await until(lambda: self.port.counters.total() + len(self.streams) > before)
        return client

    async def proven(self, **more: Any) -> Client:
        client = await self.client(**more)
        await client.send(check())
        await client.receive()
        return client


class Client:
    """A browser's end of a connection."""

    def __init__(self, place: Place, host: str, buffer: int) -> None:
        self.place = place
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.bind((host, 0))
        self.got = b""

    async def send(self, *datagrams: bytes) -> None:
        await self.raw(b"".join(struct.pack("!H", len(datagram)) + datagram for datagram in datagrams))

    async def raw(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self) -> bytes:
        async with asyncio.timeout(5):
            while len(self.got) < 2 or len(self.got) < 2 + int.from_bytes(self.got[:2]):
                more = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
                assert more, "the relay has hung up"
                self.got += more
        end = 2 + int.from_bytes(self.got[:2])
        datagram, self.got = self.got[2:end], self.got[end:]
        return datagram

    async def ended(self) -> None:
        """Wait until the relay has ended the connection."""
        async with asyncio.timeout(5):
            try:
                while await asyncio.get_running_loop().sock_recv(self.socket, 65536):
                    pass
            except ConnectionError:
                pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def listening() -> AsyncIterator[Place]:
    clock = Clock()
    place = Place(clock, *await open_streams(UdpPort("127.0.0.1", 0, clock), "127.0.0.1", 0, clock))
    try:
        yield place
    finally:
        for client in place.clients:
            client.socket.close()
        await place.streams.close()
        place.port.close()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with listening() as place:
        yield place


async def test_a_check_opens_the_way_for_media_both_ways(place: Place) -> None:
    client = await place.client()
    await client.send(check())
    answer = stun.parse_message(await client.receive())
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == client.socket.getsockname()
    await client.send(b"\x80media", b"", b"\x16dtls")
    await until(lambda: len(place.leg.got) == 2)
    assert place.leg.got == [("media", b"\x80media"), ("dtls", b"\x16dtls")]
    (way,) = place.leg.addresses
    place.port.send(b"back", way)
    assert await client.receive() == b"back"


async def test_frames_may_come_in_any_pieces(place: Place) -> None:
    client = await place.proven()
    datagrams = [b"\x80" + bytes([number]) * (number * 50) for number in range(40)]
    stream = b"".join(struct.pack("!H", len(datagram)) + datagram for datagram in datagrams)
    for at in range(0, len(stream), 97):
        await client.raw(stream[at : at + 97])
        await asyncio.sleep(0)
    await client.raw(b"")
    await until(lambda: len(place.leg.got) == 40)
    assert [datagram for _kind, datagram in place.leg.got] == datagrams


async def test_the_same_numbers_over_udp_and_tcp_are_two_addresses(place: Place) -> None:
    client = await place.proven()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as browser:
        browser.bind(client.socket.getsockname())
        browser.sendto(check(), ("127.0.0.1", place.port.number))
        await until(lambda: place.port.held()[1] == 2)


async def test_a_frame_that_is_no_datagram_ends_the_connection(place: Place) -> None:
    client = await place.proven()
    await client.raw(struct.pack("!H", tcp.DATAGRAM + 1))
    await client.ended()
    assert place.port.counters["tcp_cut_frame"] == 1
    assert len(place.streams) == 0


async def test_the_longest_frame_passes(place: Place) -> None:
    client = await place.proven()
    await client.send(b"\x80" + bytes(tcp.DATAGRAM - 1))
    await until(lambda: len(place.leg.got) == 1)


async def test_who_proves_nothing_in_time_is_cut_off_however_slowly_it_talks(place: Place) -> None:
    silent, dripping, good = await place.client(), await place.client(), await place.proven()
    place.clock.now += tcp.UNPROVEN_SECONDS / 2
    await dripping.raw(b"\x00")
    place.streams.sweep()
    assert len(place.streams) == 3
    place.clock.now += tcp.UNPROVEN_SECONDS / 2
    place.streams.sweep()
    await silent.ended()
    await dripping.ended()
    await good.send(b"\x80still")
    await until(lambda: place.leg.got == [("media", b"\x80still")])
    assert place.port.counters["tcp_cut_unproven"] == 2


async def test_who_talks_without_proving_anything_is_cut_off(place: Place) -> None:
    client = await place.client()
    await client.send(*[check(password="guess")] * (tcp.UNPROVEN_FRAMES + 5))
    await client.ended()
    assert place.port.counters["tcp_cut_unproven"] == 1
    assert place.port.counters["tcp_packets_in"] == tcp.UNPROVEN_FRAMES, "the rest was not even looked at"


async def test_one_address_gets_so_many_connections(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "PER_HOST", 2)
    await place.client()
    await place.client()
    third = await place.client()
    await third.ended()
    assert place.port.counters["tcp_cut_per_host"] == 1
    await place.client(host="127.0.0.2")
    assert len(place.streams) == 3
    place.clients[0].socket.close()
    await until(lambda: len(place.streams) == 2)
    await place.client()
    assert len(place.streams) == 3, "a place is free again"


async def test_when_all_places_are_taken_the_oldest_that_proved_nothing_goes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "CONNECTIONS", 3)
    good, oldest = await place.proven(), await place.client()
    await place.client()
    newest = await place.client()
    await oldest.ended()
    await newest.send(check())
    await newest.receive()
    await good.send(b"\x80good")
    await until(lambda: bool(place.leg.got))
    assert place.port.counters["tcp_cut_connections"] == 1


async def test_connections_end_when_their_leg_is_over_or_silent(place: Place) -> None:
    first = await place.proven()
    place.clock.now += tcp.IDLE_SECONDS / 2
    second = await place.proven()
    place.clock.now += tcp.IDLE_SECONDS / 2
    place.streams.sweep()
    await first.ended()
    assert len(place.streams) == 1
    place.port.forget(place.leg)
    place.streams.sweep()
    await second.ended()
    assert len(place.streams) == 0


async def slow(place: Place) -> None:
    """A peer that does not read: what waits is bounded, the rest is dropped, later datagrams are whole."""
    client = await place.proven(buffer=4096)
    (way,) = place.leg.addresses
    datagram = bytes(1200)
    for _packet in range(4000):
        place.port.send(datagram, way)
        if _packet % 50 == 0:
            await asyncio.sleep(0)
    waiting = way.stream._transport.get_write_buffer_size()
    assert waiting <= tcp.WAITING_BYTES + len(datagram) + 2
    dropped = place.port.counters["dropped_tcp"]
    assert dropped > 3000
    for _packet in range(4000 - dropped):
        assert await client.receive() == datagram


async def vanished(place: Place) -> None:
    """A peer whose machine says that it knows nothing of the connection, in the middle of a send."""
    client = await place.proven(buffer=4096)
    (way,) = place.leg.addresses
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for _packet in range(100):
        place.port.send(bytes(1200), way)
    client.socket.close()
    for _packet in range(100):
        place.port.send(bytes(1200), way)
        await asyncio.sleep(0)
    await until(lambda: len(place.streams) == 0)
    before = place.port.counters["dropped_tcp"]
    place.port.send(b"late", way)
    assert place.port.counters["dropped_tcp"] == before + 1


@pytest.mark.parametrize("scenario", [slow, vanished])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_peer_that_is_slow_or_gone_costs_dropped_packets_only(scenario: Scenario, loop: Any) -> None:
    problems: list[object] = []

    async def play() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        async with listening() as place:
            await scenario(place)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(play())
    assert not problems


async def test_closing_releases_the_number_and_can_be_repeated(place: Place) -> None:
    client = await place.proven()
    for _time in range(2):
        await place.streams.close()
    await client.ended()
    again = Streams(place.port, place.clock)
    await again.listen("127.0.0.1", place.port.number)
    await again.close()
