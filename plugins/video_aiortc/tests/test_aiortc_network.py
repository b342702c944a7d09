"""Calls in networks that block, drop and change addresses: Chromium in a network of its own, cut off with nftables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import helpouts_video_aiortc
import pytest
from helpouts_video_aiortc import driver

from helpouts.testing.calls import calling, moves, until
from helpouts.testing.network import Network, network

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


async def test_where_no_udp_passes_the_call_runs_over_tcp(net: Network) -> None:
    net.cut("meta l4proto udp")
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        for page in (ann, bob):
            await moves(page)
            await moves(page, "totalAudioEnergy", 1e-6)
        numbers = calls.driver.statistics()
        assert numbers["tcp_packets_in"] > 100
        assert numbers["tcp_packets_out"] > 100
        await bob.reload()
        await bob.evaluate("enter('bob')")
        await moves(ann)
        await moves(bob)
        assert await ann.evaluate("states") == ["connecting", "connected"]


async def healed(page: Any) -> None:
    await moves(page)
    await page.wait_for_function("states.at(-1) === 'connected'")
    assert "failed" not in await page.evaluate("states"), "nobody had to click"


@pytest.mark.slow
async def test_eight_seconds_without_any_network_heal_by_themselves(net: Network) -> None:
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        await moves(ann)
        net.cut()
        await asyncio.sleep(8)
        net.join()
        await healed(ann)
        await healed(bob)
        assert calls.driver.statistics()["legs"] == 2


async def test_where_udp_is_lost_in_a_call_it_goes_on_over_tcp(net: Network) -> None:
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        await moves(ann)
        assert calls.driver.statistics().get("tcp_packets_out", 0) < 20
        net.cut("meta l4proto udp")

        async def over_tcp() -> bool:
            return bool(calls.driver.statistics().get("tcp_packets_out", 0) > 100)

        await until(over_tcp)
        await healed(ann)
        await healed(bob)


async def test_a_new_address_moves_the_leg_and_nobody_notices(net: Network) -> None:
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        await moves(ann)
        legs = {leg.participant: leg for _room, leg in calls.driver._legs.values()}
        before = legs["ann"]._address[0]
        net.move()
        await healed(ann)
        await healed(bob)
        assert legs["ann"]._address[0] != before
        assert calls.driver.statistics()["legs"] == 2


async def test_no_address_of_the_machine_is_bound_or_told(net: Network) -> None:
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann = await calls.page("ann", away=True)
        await ann.wait_for_function("states.at(-1) === 'connected'")
        assert f".{net.inside} " not in await ann.evaluate("peers.at(-1).localDescription.sdp")


async def test_a_new_address_is_no_end_over_tcp(net: Network) -> None:
    net.cut("meta l4proto udp")
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        await moves(ann)
        net.move()
        await healed(ann)
        await healed(bob)
        assert calls.driver.statistics()["legs"] == 2


async def test_a_router_that_gives_the_flow_another_address_interrupts_nothing_for_long(net: Network) -> None:
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        await moves(ann)
        legs = {leg.participant: leg for _room, leg in calls.driver._legs.values()}
        net.rebind()

        async def moved() -> bool:
            return bool(legs["ann"]._address[0].endswith(".77"))

        await until(moved)
        await healed(ann)
        await healed(bob)
        assert await bob.evaluate("states") == ["connecting", "connected"]


async def test_who_slept_longer_than_the_relay_waits_comes_back_with_a_new_grant(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "SILENCE_SECONDS", 5.0)
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        ann, bob = await calls.page("ann", away=True), await calls.page("bob")
        await moves(ann)
        net.cut()

        async def forgotten() -> bool:
            return bool(calls.driver.statistics()["legs"] == 1)

        await until(forgotten)
        net.join()
        await ann.wait_for_function("states.at(-1) === 'failed'")
        await ann.evaluate("again('ann')")
        await moves(ann)
        await moves(bob)
        assert "failed" not in await bob.evaluate("states")


async def test_the_check_says_before_the_call_what_the_network_lets_through(net: Network) -> None:
    async with calling(helpouts_video_aiortc, behind=net, public_ip=net.address) as calls:
        page = await calls.page("ann", away=True, enter=False)
        assert (await page.evaluate("check()"))["path"] == "udp"
        net.cut("meta l4proto udp")
        assert (await page.evaluate("check()"))["path"] == "tcp"
        net.cut("meta l4proto udp", f"tcp dport {calls.driver.port}", f"tcp sport {calls.driver.port}")
        assert await page.evaluate("check()") == {"path": None, "rttMs": None, "lossPercent": 100, "kbps": 0}
        net.slow(400)
        slow = await page.evaluate("check()")
        assert slow["path"] == "udp"
        assert 50 < slow["kbps"] < 500
