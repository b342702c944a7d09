"""When the process wakes up: at each arrival, or at a steady pace while there is much to do."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest
from helpouts_video_aiortc import turns
from helpouts_video_aiortc.turns import LOOK, OFTEN, Turns


class Traffic:
    """A socket that is read by turns, and a clock that goes on with each packet."""

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.here.setblocking(False)
        self.now, self.step = 0.0, 0.9 / OFTEN
        self.got = 0
        self.turns = Turns(self.here.fileno(), self.read, lambda: self.now)

    def read(self) -> int:
        before = self.got
        while True:
            try:
                self.here.recv(9)
            except BlockingIOError:
                return self.got - before
            self.got += 1
            self.now += self.step

    async def send(self, packets: int) -> None:
        """One by one, each read before the next."""
        async with asyncio.timeout(20):
            for _packet in range(packets):
                wanted = self.got + 1
                self.there.send(b"x")
                while self.got < wanted:
                    await asyncio.sleep(0)


@pytest.fixture
async def traffic() -> AsyncIterator[Traffic]:
    traffic = Traffic()
    yield traffic
    traffic.turns.close()
    traffic.here.close()
    traffic.there.close()


async def test_many_packets_are_read_at_a_steady_pace_and_few_as_they_come(traffic: Traffic) -> None:
    await traffic.send(LOOK - 1)
    assert not traffic.turns.steady
    await traffic.send(1)
    assert traffic.turns.steady
    await traffic.send(3)
    async with asyncio.timeout(20):
        while traffic.turns.steady:
            await asyncio.sleep(0)
    traffic.step = 1.1 / OFTEN
    await traffic.send(2 * LOOK)
    assert not traffic.turns.steady


async def test_where_there_is_no_timer_each_arrival_is_a_turn(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns.sys, "platform", "darwin")
    await traffic.send(2 * LOOK)
    assert not traffic.turns.steady


async def test_nothing_is_left_open(traffic: Traffic) -> None:
    await traffic.send(LOOK)
    descriptor = traffic.turns._timer
    assert descriptor is not None
    traffic.turns.close()
    traffic.turns.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)
    traffic.there.send(b"x")
    await asyncio.sleep(0)
    assert traffic.got == LOOK
