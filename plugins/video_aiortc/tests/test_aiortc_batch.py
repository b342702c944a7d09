"""Many datagrams with one call, or one by one: the same ones go out, and what the kernel refuses is counted."""

from __future__ import annotations

import errno
import logging
import random
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from helpouts_video_aiortc import batch
from helpouts_video_aiortc.batch import BATCH, BURST, Batched, Plain, Route, Slot, address, best_wire, route


@pytest.mark.parametrize(
    "where", [("0.0.0.0", 0), ("127.0.0.1", 9), ("192.0.2.254", 40000), ("255.255.255.255", 65535)]
)
def test_a_route_stands_for_one_address(where: tuple[str, int]) -> None:
    assert address(route(where)) == where


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        yield udp


@pytest.fixture
def client(udp: socket.socket) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.connect(udp.getsockname())
        client.settimeout(5)
        yield client


BOTH = pytest.mark.parametrize("make", [Plain, Batched])


def test_where_the_system_has_batches_they_are_used(udp: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(best_wire(udp, Counter()), Batched)
    monkeypatch.setattr(batch.sys, "platform", "darwin")
    assert isinstance(best_wire(udp, Counter()), Plain)


def reversed_or_dropped(slot: Slot, sender: Route) -> Route | None:
    """Every third is dropped; the others go back, changed and longer."""
    datagram = slot.bytes()
    if datagram[0] % 3 == 0:
        return None
    assert slot.put(datagram[::-1] + b"more")
    return sender


def traffic() -> list[bytes]:
    randomly = random.Random(7)
    return [randomly.randbytes(randomly.choice([1, 20, 200, 1200, 2044])) for _datagram in range(200)]


def exchange(make: batch.MakeWire, udp: socket.socket, client: socket.socket) -> tuple[list[bytes], Counter[str]]:
    counters: Counter[str] = Counter()
    wire, got = make(udp, counters), []
    datagrams = traffic()
    for at in range(0, len(datagrams), 40):
        part = datagrams[at : at + 40]
        for datagram in part:
            client.send(datagram)
        wire.pump({}, reversed_or_dropped)
        got += [client.recv(4096) for datagram in part if datagram[0] % 3]
    return got, counters


def test_both_ways_send_the_same_packets_and_count_the_same(udp: socket.socket, client: socket.socket) -> None:
    plain, batched = exchange(Plain, udp, client), exchange(Batched, udp, client)
    assert plain == batched
    assert plain[0] == [datagram[::-1] + b"more" for datagram in traffic() if datagram[0] % 3]
    assert plain[1]["packets_in"] == 200
    assert plain[1]["bytes_in"] == sum(map(len, traffic()))
    assert plain[1]["packets_out"] == len(plain[0])
    assert plain[1]["bytes_out"] == sum(map(len, plain[0]))


@BOTH
def test_datagrams_of_any_length_up_to_the_room_come_whole_also_after_short_ones_were_sent(
    make: batch.MakeWire, udp: socket.socket, client: socket.socket
) -> None:
    wire, seen = make(udp, Counter()), []

    def answer(slot: Slot, sender: Route) -> Route:
        seen.append(slot.bytes())
        slot.put(b"ok")
        return sender

    for _round in range(3):
        client.send(bytes(2048))
        client.send(b"")
        wire.pump({}, answer)
        assert [client.recv(99), client.recv(99)] == [b"ok", b"ok"]
    assert [len(datagram) for datagram in seen] == [2048, 0] * 3


@BOTH
def test_the_event_loop_gets_its_turn(make: batch.MakeWire, udp: socket.socket, client: socket.socket) -> None:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    seen: list[bytes] = []
    for _datagram in range(BURST + 30):
        client.send(b"x")
    wire = make(udp, Counter())
    for turn in (BURST, BURST + 30, BURST + 30):
        wire.pump({}, lambda slot, sender: seen.append(slot.bytes()))
        assert len(seen) == turn


@BOTH
def test_one_that_cannot_be_sent_does_not_keep_the_others(
    make: batch.MakeWire, udp: socket.socket, client: socket.socket
) -> None:
    counters: Counter[str] = Counter()
    nowhere = route(("127.0.0.1", 0))  # Linux refuses port 0
    wire = make(udp, counters)
    for number in range(6):
        client.send(bytes([number]))
    wire.pump({}, lambda slot, sender: nowhere if slot.bytes() in (b"\0", b"\3") else sender)
    assert [client.recv(9) for _datagram in range(4)] == [b"\1", b"\2", b"\4", b"\5"]
    assert counters == Counter(packets_in=6, bytes_in=6, packets_out=4, bytes_out=4, dropped_send=2)


@BOTH
def test_one_that_cannot_be_handled_does_not_keep_the_others(
    make: batch.MakeWire, udp: socket.socket, client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    counters: Counter[str] = Counter()
    wire = make(udp, counters)

    def careless(slot: Slot, sender: Route) -> Route:
        if slot.bytes() in (b"\2", b"\4"):
            raise RuntimeError("a bug")
        return sender

    for number in range(6):
        client.send(bytes([number]))
    with caplog.at_level(logging.ERROR):
        wire.pump({}, careless)
    assert [client.recv(9) for _datagram in range(4)] == [b"\0", b"\1", b"\3", b"\5"]
    assert counters["dropped_error"] == 2
    assert len(caplog.records) == 1


def test_a_full_buffer_drops_the_rest_of_the_batch_and_no_more(udp: socket.socket, client: socket.socket) -> None:
    """``sendmmsg`` may take fewer than it was given, and says why only when asked again."""
    counters: Counter[str] = Counter()
    wire: Any = Batched(udp, counters)
    real, calls = wire._send, []

    def full(descriptor: int, messages: object, count: int, flags: int) -> int:
        calls.append(count)
        if len(calls) == 2:
            batch._ffi.errno = errno.EAGAIN
            return -1
        return int(real(descriptor, messages, min(count, 2), flags))

    wire._send = full
    for number in range(5):
        client.send(bytes([number] * 10))
    wire.pump({}, lambda slot, sender: sender)
    assert [client.recv(99)[0], client.recv(99)[0]] == [0, 1]
    assert calls == [5, 3]
    assert counters == Counter(packets_in=5, bytes_in=50, packets_out=2, bytes_out=20, dropped_send=3)
    client.send(b"next")
    wire.pump({}, lambda slot, sender: sender)
    assert client.recv(99) == b"next"


def test_a_socket_that_is_gone_is_counted(udp: socket.socket) -> None:
    for make in (Plain, Batched):
        counters: Counter[str] = Counter()
        wire: Any = make(udp, counters)
        if make is Batched:
            wire._descriptor = -1
        else:
            wire._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire._socket.close()
        wire.pump({}, lambda slot, sender: sender)
        assert counters == Counter(dropped_receive=1)
    assert BATCH < BURST
