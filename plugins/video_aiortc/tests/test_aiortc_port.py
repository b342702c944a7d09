"""The one UDP socket: who gets a datagram, and what is not listened to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import stun
from helpouts_video_aiortc.fastpath import FastPath
from helpouts_video_aiortc.memory import Slot, ffi
from helpouts_video_aiortc.port import ADDRESSES_PER_LEG, BUFFER, IN_USE_SECONDS, Budget, UdpPort, make_room
from helpouts_video_aiortc.probe import HEADER
from helpouts_video_aiortc.wire import Plain, Route


class Leg:
    """Writes down what the port delivers."""

    def __init__(self) -> None:
        self.flow = ffi.new("struct flow *")
        self.addresses: dict[tuple[str, int], None] = {}
        self.sources: dict[int, int] = {}
        self.heard = 0.0
        self.checks: list[tuple[str, bool]] = []
        self.got: list[tuple[str, bytes]] = []
        self.onward: Route | None = None

    def checked(self, ufrag: str, address: tuple[str, int], *, nominated: bool) -> None:
        self.checks.append((ufrag, nominated))

    def dtls(self, datagram: bytes) -> None:
        self.got.append(("dtls", datagram))

    def show(self, slot: Slot) -> None:
        raise AssertionError("nothing is recorded here")

    def media(self, slot: Slot) -> Route | None:
        self.got.append(("media", slot.bytes()))
        return self.onward


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[Plain, FastPath])
async def port(clock: Clock, request: pytest.FixtureRequest) -> AsyncIterator[UdpPort]:
    port = UdpPort("127.0.0.1", 0, clock, request.param)
    yield port
    port.close()


@pytest.fixture
async def browser(port: UdpPort) -> AsyncIterator[socket.socket]:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setblocking(False)
    client.connect(("127.0.0.1", port.number))
    yield client
    client.close()


def check(
    ufrag: str = "relay", password: str = "secret", nominate: bool = True, role: str = "ICE-CONTROLLING"
) -> bytes:
    attributes: dict[str, object] = {"USERNAME": f"{ufrag}:browser", "PRIORITY": 1, role: 5}
    if nominate:
        attributes["USE-CANDIDATE"] = None
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    message.add_message_integrity(password.encode())
    return bytes(message)


async def handled(port: UdpPort, packets: int) -> None:
    """Wait until so many datagrams have come in."""
    async with asyncio.timeout(5):
        while port.counters["packets_in"] < packets:
            await asyncio.sleep(0)


async def receive(client: socket.socket) -> stun.Message:
    async with asyncio.timeout(5):
        return stun.parse_message(await asyncio.get_running_loop().sock_recv(client, 2048))


async def test_a_signed_check_is_answered_and_opens_the_way_for_media(port: UdpPort, browser: socket.socket) -> None:
    leg = Leg()
    port.register("relay", "secret", leg)
    for datagram in (b"\x80early", check(), b"\x16dtls", b"\x80media", b"\x50turn", b""):
        browser.send(datagram)
    answer = await receive(browser)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == browser.getsockname()
    await handled(port, 6)
    assert leg.checks == [("relay", True)]
    assert leg.got == [("dtls", b"\x16dtls"), ("media", b"\x80media")]
    assert port.counters["dropped_stranger"] == 1
    assert port.counters["dropped_unknown"] == 2
    port.forget(leg)
    assert port.held() == (0, 0)
    browser.send(b"\x80late")
    await handled(port, 7)
    assert port.counters["dropped_stranger"] == 2


@pytest.mark.parametrize(
    "datagram",
    [check("nobody"), check(password="wrong"), b"\x00\x01junk", b"\x00" * 2000],
    ids=["unknown user", "wrong password", "junk", "zeros"],
)
async def test_a_check_that_proves_nothing_gets_silence(port: UdpPort, browser: socket.socket, datagram: bytes) -> None:
    leg = Leg()
    port.register("relay", "secret", leg)
    browser.send(datagram)
    await handled(port, 1)
    assert port.counters["dropped_stun"] == 1
    assert port.counters["packets_out"] == 0
    assert not leg.checks
    assert port.held() == (1, 0)


async def test_the_doctors_question_is_answered_within_the_budget(port: UdpPort, browser: socket.socket) -> None:
    question = HEADER + b"transaction1"
    browser.send(question)
    answer = await receive(browser)
    assert answer.transaction_id == b"transaction1"
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == browser.getsockname()
    for _again in range(80):
        browser.send(question)
    await handled(port, 81)
    assert port.counters["probes"] == 50
    assert port.held() == (0, 0)


async def test_a_browser_that_leaves_the_decision_to_us_is_told_to_take_it(
    port: UdpPort, browser: socket.socket
) -> None:
    leg = Leg()
    port.register("relay", "secret", leg)
    browser.send(check(role="ICE-CONTROLLED"))
    assert (await receive(browser)).attributes["ERROR-CODE"][0] == 487
    assert not leg.checks


async def test_guessing_is_cut_off_and_known_browsers_are_not(
    port: UdpPort, browser: socket.socket, clock: Clock
) -> None:
    leg = Leg()
    port.register("relay", "secret", leg)
    browser.send(check())
    await receive(browser)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guesser:
        for _guess in range(80):
            guesser.sendto(check(password="guess"), ("127.0.0.1", port.number))
        await handled(port, 81)
        assert port.counters["dropped_stun"] == 50
        assert port.counters["dropped_stun_budget"] == 30
        browser.send(check())
        await receive(browser)
        clock.now += 1
        guesser.sendto(check(), ("127.0.0.1", port.number))
        await handled(port, 83)
    assert len(leg.checks) == 3


def test_forged_addresses_do_not_grow_the_table() -> None:
    budget = Budget(per_second=2, addresses=3)
    for host in "abc":
        budget.charge(host)
    assert budget.spent("d", 0.5), "the table is full for this second"
    assert not budget.spent("d", 1.5)


async def test_an_address_in_use_is_not_given_to_another_leg(
    port: UdpPort, browser: socket.socket, clock: Clock
) -> None:
    first, second = Leg(), Leg()
    first.heard = clock.now
    port.register("first", "secret", first)
    port.register("second", "secret", second)
    browser.send(check("first"))
    await receive(browser)
    browser.send(check("second"))
    await handled(port, 2)
    assert not second.checks
    assert port.counters["dropped_in_use"] == 1
    clock.now += IN_USE_SECONDS
    browser.send(check("second"))
    await receive(browser)
    assert second.checks
    assert not first.addresses


async def test_a_traveller_keeps_the_latest_addresses(port: UdpPort) -> None:
    leg = Leg()
    port.register("relay", "secret", leg)
    for stop in range(ADDRESSES_PER_LEG + 3):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((f"127.0.0.{stop + 2}", 0))
            client.sendto(check(), ("127.0.0.1", port.number))
            await handled(port, stop + 1)
    assert port.held() == (1, ADDRESSES_PER_LEG)
    assert next(reversed(leg.addresses))[0] == f"127.0.0.{ADDRESSES_PER_LEG + 4}"


async def test_sending_into_the_void_is_counted_not_raised(port: UdpPort) -> None:
    port.send(bytes(70_000), ("127.0.0.1", 9))
    assert port.counters["dropped_send"] == 1
    port.close()
    port.close()
    port.send(b"x", ("127.0.0.1", 9))
    assert port.counters["dropped_send"] == 2


@pytest.mark.parametrize(("privileged", "options"), [(True, [33, 32]), (False, [socket.SO_RCVBUF, socket.SO_SNDBUF])])
def test_all_calls_get_a_large_buffer_as_far_as_we_may(
    monkeypatch: pytest.MonkeyPatch, privileged: bool, options: list[int]
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    given: list[tuple[int, int]] = []

    class Udp:
        def setsockopt(self, _level: int, option: int, value: int) -> None:
            if option in (32, 33) and not privileged:
                raise PermissionError
            given.append((option, value))

    make_room(Udp())  # type: ignore[arg-type]  # it needs no more of a socket
    assert given == [(option, BUFFER) for option in options]
