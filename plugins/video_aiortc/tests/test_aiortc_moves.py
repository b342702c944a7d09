"""A flow that comes from another address: the relay asks there, and only a browser's own answer moves the call."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from aioice import stun
from helpouts_video_aiortc.memory import Slot, ffi
from helpouts_video_aiortc.moves import AGAIN, OPEN, PATIENCE, Moves
from helpouts_video_aiortc.port import UdpPort
from helpouts_video_aiortc.wire import Route

SOURCE, PASSWORD = 0x1234, "the browser's own password"
MEDIA = struct.pack("!BBHII", 0x80, 96, 1, 2, SOURCE) + b"protected"
STRANGE = struct.pack("!BBHII", 0x80, 96, 1, 2, 0x9999) + b"protected"


class Leg:
    """Somebody who has proved to be somewhere and sends one source."""

    def __init__(self) -> None:
        self.flow = ffi.new("struct flow *")
        self.addresses: dict[tuple[str, int], None] = {}
        self.sources = {SOURCE: 96}
        self.heard = 0.0
        self.credentials: tuple[str, str] | None = ("browser:relay", PASSWORD)
        self.at: list[tuple[str, int]] = []

    def checked(self, ufrag: str, address: tuple[str, int], *, nominated: bool) -> None: ...

    def moved(self, address: tuple[str, int]) -> None:
        self.at.append(address)

    def show(self, slot: Slot) -> None:
        raise AssertionError("nothing is recorded here")

    def media(self, slot: Slot) -> Route | None:
        return None


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A port, a leg that is at ``before``, and two more sockets."""

    def __init__(self) -> None:
        self.clock, self.leg = Clock(), Leg()
        self.port = UdpPort("127.0.0.1", 0, self.clock)
        self.port.register("relay", "secret", self.leg)
        self.before, self.after, self.other = (self._socket() for _ in range(3))
        self.sent = 0

    def _socket(self) -> socket.socket:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.setblocking(False)
        client.connect(("127.0.0.1", self.port.number))
        return client

    async def send(self, client: socket.socket, datagram: bytes) -> None:
        client.send(datagram)
        self.sent += 1
        async with asyncio.timeout(5):
            while self.port.counters["packets_in"] < self.sent:
                await asyncio.sleep(0)

    async def prove(self) -> None:
        attributes: dict[str, object] = {"USERNAME": "relay:browser", "PRIORITY": 1, "ICE-CONTROLLING": 5}
        check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes | {"USE-CANDIDATE": None})
        check.add_message_integrity(b"secret")
        await self.send(self.before, bytes(check))
        await asyncio.get_running_loop().sock_recv(self.before, 2048)

    async def question(self, client: socket.socket) -> stun.Message:
        async with asyncio.timeout(5):
            return stun.parse_message(await asyncio.get_running_loop().sock_recv(client, 2048))


def silent(client: socket.socket) -> bool:
    with suppress(BlockingIOError):
        return not client.recv(2048)
    return True


def answer(question: stun.Message, password: str = PASSWORD) -> bytes:
    kind = stun.Class.RESPONSE
    message = stun.Message(stun.Method.BINDING, kind, question.transaction_id, {"XOR-MAPPED-ADDRESS": ("10.0.0.1", 9)})
    message.add_message_integrity(password.encode())
    return bytes(message)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    await place.prove()
    yield place
    for client in (place.before, place.after, place.other):
        client.close()
    place.port.close()


async def test_who_answers_from_there_is_there(place: Place) -> None:
    await place.send(place.after, MEDIA)
    question = await place.question(place.after)
    assert question.attributes["USERNAME"] == "browser:relay"
    assert "ICE-CONTROLLED" in question.attributes
    assert question.check_message_integrity(PASSWORD.encode())
    assert "FINGERPRINT" in question.attributes, "browsers listen to no check without"
    assert not place.leg.at, "the media alone prove nothing"
    await place.send(place.after, answer(question))
    assert place.leg.at == [place.after.getsockname()]
    assert place.port.knows(place.after.getsockname())
    await place.send(place.after, answer(question))
    assert len(place.leg.at) == 1, "an answer counts once"


@pytest.mark.parametrize("kind", ["forged", "elsewhere", "late", "of nothing", "broken"])
async def test_any_other_answer_moves_nothing(place: Place, kind: str) -> None:
    await place.send(place.after, MEDIA)
    question = await place.question(place.after)
    if kind == "late":
        place.clock.now += PATIENCE + 0.1
    if kind == "of nothing":
        question.transaction_id = bytes(12)
    datagram = answer(question, "guessed" if kind == "forged" else PASSWORD)
    client = place.other if kind == "elsewhere" else place.after
    await place.send(client, datagram[:-9] if kind == "broken" else datagram)
    assert not place.leg.at
    assert place.port.counters["dropped_stun"] == 1
    assert not place.port.knows(client.getsockname())


def unknown(place: Place) -> bytes:
    return STRANGE


def unanswered(place: Place) -> bytes:
    place.leg.credentials = None
    return MEDIA


def short(place: Place) -> bytes:
    return MEDIA[:11]


@pytest.mark.parametrize("case", [unknown, unanswered, short])
async def test_nobody_is_asked_about_media_of_nobody_known(place: Place, case: Callable[[Place], bytes]) -> None:
    await place.send(place.after, case(place))
    await asyncio.sleep(0.01)
    assert silent(place.after)


async def test_one_address_cannot_have_the_relay_search_for_ever(place: Place) -> None:
    for _again in range(60):
        await place.send(place.after, STRANGE)
    await place.send(place.after, MEDIA)
    await asyncio.sleep(0.01)
    assert silent(place.after), "its share of this second is used up"
    place.clock.now += 1
    await place.send(place.after, MEDIA)
    assert (await place.question(place.after)).attributes["USERNAME"] == "browser:relay"


def test_a_leg_is_not_asked_for_with_every_packet_and_forgotten_with_its_questions() -> None:
    clock, leg, asked = Clock(), Leg(), []
    moves = Moves[Leg](lambda datagram, address: asked.append(datagram), clock)
    for _packet in range(50):
        moves.ask(leg, ("192.0.2.1", 5))
    assert len(asked) == 1
    clock.now += AGAIN * 1.01
    moves.ask(leg, ("192.0.2.1", 5))
    assert len(asked) == 2
    moves.forget(leg)
    assert moves.proved(answer(stun.parse_message(asked[1])), ("192.0.2.1", 5)) is None
    assert (moves._open, moves._asked) == ({}, {})


def test_open_questions_are_bounded() -> None:
    moves = Moves[Leg](lambda datagram, address: None, Clock())
    for _leg in range(OPEN + 20):
        moves.ask(Leg(), ("192.0.2.1", 5))
    assert len(moves._open) == OPEN
