"""Two Chromium pages with the real browser module call each other through the relay."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any, ClassVar

import helpouts_video_aiortc
import pytest
from helpouts_video_aiortc.slots import START_KBPS

from helpouts.testing.calls import ROOM, BrowserCallContract, calling, moves, until
from helpouts.testing.firefox import MixedCallContract

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]
SETTINGS = {"max_calls": 10}


class TestRelayCalls(BrowserCallContract):
    plugin: ClassVar = helpouts_video_aiortc
    settings: ClassVar = SETTINGS


class TestRelayCallsWithFirefox(MixedCallContract):
    plugin: ClassVar = helpouts_video_aiortc
    settings: ClassVar = SETTINGS


def relay_calls(**settings: Any) -> Any:
    """``async with relay_calls() as calls``."""
    return calling(helpouts_video_aiortc, **SETTINGS | settings)


async def test_the_relay_is_empty_when_both_have_closed() -> None:
    async with relay_calls() as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        await moves(ann)
        numbers = calls.driver.statistics()
        assert (numbers["rooms"], numbers["legs"], numbers["grants"]) == (1, 2, 0)
        for page in (ann, bob):
            await page.evaluate("connection.close()")

        async def empty() -> bool:
            numbers = calls.driver.statistics()
            return not (numbers["rooms"] or numbers["legs"])

        await until(empty)


async def test_an_ice_restart_keeps_the_leg_and_changes_its_version() -> None:
    async with relay_calls() as calls:
        ann, _bob = await calls.page("ann"), await calls.page("bob")
        await moves(ann)
        legs = {leg.participant: leg for _room, leg in calls.driver._legs.values()}
        before = legs["ann"].etag
        await ann.evaluate("connection.restart()")
        await moves(ann)
        assert legs["ann"].etag != before
        assert await ann.evaluate("states") == ["connecting", "connected", "reconnecting", "connected"]
        assert calls.driver.statistics()["legs"] == 2


async def test_a_connection_that_the_relay_has_dropped_is_reported_as_failed() -> None:
    async with relay_calls() as calls:
        ann = await calls.page("ann")
        await ann.wait_for_function("states.includes('connected')")
        await calls.driver.dismiss(ROOM, "ann")
        await ann.wait_for_function("states.at(-1) === 'failed'")


async def test_lost_packets_are_repeated_from_browser_to_browser() -> None:
    """The receiver asks by its own numbers, the sender repeats by its own: both must come out right."""
    async with relay_calls() as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        await moves(bob)
        port, chance = calls.driver._port, random.Random(7)
        send = port.send
        port.send = lambda datagram, address: None if chance.random() < 0.04 else send(datagram, address)
        await bob.wait_for_function("repaired().then((packets) => packets >= 5)")
        await ann.wait_for_function("repaired().then((packets) => packets >= 5)")
        await moves(bob)
        await moves(ann)


async def test_both_believe_the_reports_of_arrivals_and_send_better_pictures_than_at_first() -> None:
    async with relay_calls() as calls:
        for page in (await calls.page("ann"), await calls.page("bob")):
            await page.wait_for_function(
                "kbps => target().then((found) => found > kbps)", arg=1.5 * START_KBPS, polling=200, timeout=20_000
            )


@pytest.mark.slow
async def test_an_outage_of_all_datagrams_heals_by_itself() -> None:
    async with relay_calls(tcp=False) as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        await moves(ann)
        port = calls.driver._port
        turns, pump = port._turns, port._wire.pump

        def lose() -> int:
            with suppress(BlockingIOError):
                while True:
                    port._socket.recv(4096)
            return 0

        turns._work = lose
        await ann.wait_for_function("states.at(-1) === 'reconnecting'")
        await bob.wait_for_function("states.at(-1) === 'reconnecting'")
        turns._work = pump
        for page in (ann, bob):
            await page.wait_for_function("states.at(-1) === 'connected'")
            await moves(page)
        assert calls.driver.statistics()["legs"] == 2
