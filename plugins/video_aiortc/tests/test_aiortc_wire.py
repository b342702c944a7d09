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
from helpouts_video_aiortc import fastpath
from helpouts_video_aiortc.fastpath import BATCH, FastPath, best_wire
from helpouts_video_aiortc.memory import Slot, ffi
from helpouts_video_aiortc.wire import BURST, Deliver, Ends, MakeWire, Plain, Route, Wire, address, route
from hypothesis import given
from hypothesis import strategies as st


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


BOTH = pytest.mark.parametrize("make", [Plain, FastPath])


def unseen(slot: Slot, sender: Route) -> None:
    raise AssertionError("nobody asked to be shown anything")


def wired(make: MakeWire, udp: socket.socket, counters: Counter[str], other: Deliver) -> Wire:
    return make(Ends(udp, counters, {}, other, unseen, lambda: 1.0))


def test_without_the_compiled_part_the_relay_says_so_and_works(
    udp: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ends, library = Ends(udp, Counter(), {}, lambda slot, sender: None, unseen, lambda: 1.0), fastpath.library
    looked: list[str] = []

    def here() -> Any:
        looked.append("here")
        return library()

    def missing() -> Any:
        looked.append("missing")
        raise OSError("the fast path was not compiled")

    monkeypatch.setattr(fastpath, "library", here)
    assert isinstance(best_wire(ends), FastPath)
    monkeypatch.setattr(fastpath, "library", missing)
    assert isinstance(best_wire(ends), Plain)
    assert looked == ["here", "missing"]
    assert "costs several times as much" in caplog.text


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


def exchange(make: MakeWire, udp: socket.socket, client: socket.socket) -> tuple[list[bytes], Counter[str]]:
    counters: Counter[str] = Counter()
    wire, got = wired(make, udp, counters, reversed_or_dropped), []
    datagrams = traffic()
    for at in range(0, len(datagrams), 40):
        part = datagrams[at : at + 40]
        for datagram in part:
            client.send(datagram)
        wire.pump()
        got += [client.recv(4096) for datagram in part if datagram[0] % 3]
    wire.tally()
    return got, counters


def test_both_ways_send_the_same_packets_and_count_the_same(udp: socket.socket, client: socket.socket) -> None:
    plain, fast = exchange(Plain, udp, client), exchange(FastPath, udp, client)
    assert plain == fast
    assert plain[0] == [datagram[::-1] + b"more" for datagram in traffic() if datagram[0] % 3]
    assert plain[1]["packets_in"] == 200
    assert plain[1]["bytes_in"] == sum(map(len, traffic()))
    assert plain[1]["packets_out"] == len(plain[0])
    assert plain[1]["bytes_out"] == sum(map(len, plain[0]))


@BOTH
def test_datagrams_of_any_length_up_to_the_room_come_whole_also_after_short_ones_were_sent(
    make: MakeWire, udp: socket.socket, client: socket.socket
) -> None:
    seen = []

    def answer(slot: Slot, sender: Route) -> Route:
        seen.append(slot.bytes())
        slot.put(b"ok")
        return sender

    wire = wired(make, udp, Counter(), answer)
    for _round in range(3):
        client.send(bytes(2048))
        client.send(b"")
        wire.pump()
        assert [client.recv(99), client.recv(99)] == [b"ok", b"ok"]
    assert [len(datagram) for datagram in seen] == [2048, 0] * 3


@BOTH
def test_the_event_loop_gets_its_turn(make: MakeWire, udp: socket.socket, client: socket.socket) -> None:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    seen: list[bytes] = []
    for _datagram in range(BURST + 30):
        client.send(b"x")
    wire = wired(make, udp, Counter(), lambda slot, sender: seen.append(slot.bytes()))
    for turn in (BURST, BURST + 30, BURST + 30):
        wire.pump()
        assert len(seen) == turn


@BOTH
def test_one_that_cannot_be_sent_does_not_keep_the_others(
    make: MakeWire, udp: socket.socket, client: socket.socket
) -> None:
    counters: Counter[str] = Counter()
    nowhere = route(("127.0.0.1", 0))  # Linux refuses port 0
    wire = wired(make, udp, counters, lambda slot, sender: nowhere if slot.bytes() in (b"\0", b"\3") else sender)
    for number in range(6):
        client.send(bytes([number]))
    wire.pump()
    wire.tally()
    assert [client.recv(9) for _datagram in range(4)] == [b"\1", b"\2", b"\4", b"\5"]
    assert counters == Counter(packets_in=6, bytes_in=6, packets_out=4, bytes_out=4, dropped_send=2)


@BOTH
def test_one_that_cannot_be_handled_does_not_keep_the_others(
    make: MakeWire, udp: socket.socket, client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    counters: Counter[str] = Counter()

    def careless(slot: Slot, sender: Route) -> Route:
        if slot.bytes() in (b"\2", b"\4"):
            raise RuntimeError("a bug")
        return sender

    for number in range(6):
        client.send(bytes([number]))
    with caplog.at_level(logging.ERROR):
        wired(make, udp, counters, careless).pump()
    assert [client.recv(9) for _datagram in range(4)] == [b"\0", b"\1", b"\3", b"\5"]
    assert counters["dropped_error"] == 2
    assert len(caplog.records) == 1


def test_a_full_buffer_drops_the_rest_of_the_batch_and_no_more(udp: socket.socket, client: socket.socket) -> None:
    """``sendmmsg`` may take fewer than it was given, and says why only when asked again."""
    counters: Counter[str] = Counter()
    wire = FastPath(Ends(udp, counters, {}, lambda slot, sender: sender, unseen, lambda: 1.0))
    real, calls = wire.memory.send, []

    @ffi.callback("int(int, void *, unsigned int, int)")  # type: ignore[untyped-decorator]  # cffi has no types
    def full(descriptor: int, messages: object, count: int, flags: int) -> int:
        calls.append(count)
        if len(calls) == 2:
            ffi.errno = errno.EAGAIN
            return -1
        return int(real(descriptor, messages, min(count, 2), flags))

    wire.memory.send = full
    for number in range(5):
        client.send(bytes([number] * 10))
    wire.pump()
    wire.tally()
    assert [client.recv(99)[0], client.recv(99)[0]] == [0, 1]
    assert calls == [5, 3]
    assert counters == Counter(packets_in=5, bytes_in=50, packets_out=2, bytes_out=20, dropped_send=3)
    client.send(b"next")
    wire.pump()
    assert client.recv(99) == b"next"


@BOTH
def test_a_socket_that_is_gone_is_counted(make: MakeWire) -> None:
    counters: Counter[str] = Counter()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire = wired(make, udp, counters, lambda slot, sender: sender)
    udp.close()
    assert not wire.pump()
    wire.tally()
    assert counters == Counter(dropped_receive=1)
    assert BATCH < BURST


ROUTES = st.integers(min_value=1, max_value=40).map(lambda number: number << 48 | 2)


@given(st.lists(st.tuples(ROUTES, st.booleans()), max_size=200))
def test_the_table_of_routes_is_a_dictionary(steps: list[tuple[int, bool]]) -> None:
    """Against Python's own; few routes, so that those behind one that is taken out are looked for."""
    flows = {route: ffi.new("struct flow *") for route in {route for route, _learn in steps}}
    expected: dict[int, object] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        wire = FastPath(Ends(udp, Counter(), {}, lambda slot, sender: None, unseen, lambda: 1.0))
        for route_, learn in steps:
            if learn:
                wire.learn(route_, flows[route_])
                expected[route_] = flows[route_]
            else:
                wire.forget(route_)
                expected.pop(route_, None)
            assert wire.memory.used == len(expected)
        entries = [wire.memory.table[at] for at in range(wire.memory.size)]
        assert {entry.route: entry.flow for entry in entries if entry.route} == expected
        for route_, flow in expected.items():
            wire.learn(route_, flow)
        assert wire.memory.used == len(expected), "each was found where it is looked for"
        wire.close()
        wire.close()
