"""Two Chromium pages call each other: directly, and through a real coturn when that is the only way."""

from __future__ import annotations

from typing import Any, ClassVar

import helpouts_video_p2p
import pytest

from helpouts.testing.calls import BrowserCallContract, calling, moves, statistics
from helpouts.testing.firefox import MixedCallContract

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]


class TestDirectCalls(BrowserCallContract):
    plugin: ClassVar = helpouts_video_p2p


class TestDirectCallsWithFirefox(MixedCallContract):
    plugin: ClassVar = helpouts_video_p2p


async def test_a_direct_call_takes_the_direct_path() -> None:
    async with calling(helpouts_video_p2p) as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        for page in (ann, bob):
            await moves(page)
            assert (await statistics(page))["path"] in ("host", "prflx")


async def test_a_call_that_must_hide_addresses_goes_through_the_turn_server(turn: Any) -> None:
    settings = {"turn_urls": [turn.url], "turn_secret": turn.secret, "relay_only": True}
    async with calling(helpouts_video_p2p, **settings) as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        for page in (ann, bob):
            await moves(page)
            await moves(page, "totalAudioEnergy", 1e-6)
            assert (await statistics(page))["path"] == "relay"
        checked = await ann.evaluate("check()")
        assert (checked["path"], checked["kbps"] > 100) == ("udp", True), checked
    assert "ALLOCATE processed, success" in turn.log


async def test_a_wrong_secret_lets_nobody_through_and_the_page_is_told(turn: Any) -> None:
    settings = {"turn_urls": [turn.url], "turn_secret": "guessed", "relay_only": True}
    async with calling(helpouts_video_p2p, **settings) as calls:
        ann, _bob = await calls.page("ann"), await calls.page("bob")
        await ann.wait_for_function("states.at(-1) === 'reconnecting'", timeout=60_000)
        assert (await statistics(ann))["framesDecoded"] == 0


async def test_a_partner_who_leaves_and_comes_back_is_seen_again() -> None:
    async with calling(helpouts_video_p2p) as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        await moves(ann)
        await bob.close()
        await ann.wait_for_function("tracks.video === false")
        bob = await calls.page("bob")
        await moves(ann)
        await moves(bob)
