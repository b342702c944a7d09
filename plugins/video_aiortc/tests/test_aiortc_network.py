"""Calls in networks that block, drop and change addresses: Chromium in a network of its own, cut off with nftables."""

from __future__ import annotations

from collections.abc import Iterator

import helpouts_video_aiortc
import pytest

from helpouts.testing.calls import calling, moves
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
