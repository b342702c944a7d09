"""Two Chromium pages call each other through a real Janus; it dies, and the call goes on at another."""

from __future__ import annotations

from typing import Any, ClassVar

import helpouts_video_janus
import pytest

from helpouts.testing.calls import ROOM, BrowserCallContract, calling, moves
from helpouts.testing.firefox import MixedCallContract

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]


def settings_for(*servers: Any) -> dict[str, Any]:
    return {
        "servers": [server.url for server in servers],
        "api_secret": servers[0].api_secret,
        "admin_key": servers[0].admin_key,
    }


class TestJanusCalls(BrowserCallContract):
    plugin: ClassVar = helpouts_video_janus

    @pytest.fixture(autouse=True)
    def on_a_server(self, janus: Any) -> None:
        self.settings = settings_for(janus)


class TestJanusCallsWithFirefox(MixedCallContract):
    plugin: ClassVar = helpouts_video_janus

    @pytest.fixture(autouse=True)
    def on_a_server(self, janus: Any) -> None:
        self.settings = settings_for(janus)


async def test_a_partner_who_leaves_and_comes_back_is_seen_again(janus: Any) -> None:
    async with calling(helpouts_video_janus, **settings_for(janus)) as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        await moves(ann)
        await bob.close()
        await calls.driver.dismiss(ROOM, "bob")
        await ann.wait_for_function("tracks.video === false")
        bob = await calls.page("bob")
        await moves(ann)
        await moves(bob)


async def test_when_a_server_dies_the_call_goes_on_at_another(two: Any) -> None:
    async with calling(helpouts_video_janus, **settings_for(*two)) as calls:
        ann, bob = await calls.page("ann"), await calls.page("bob")
        await moves(ann)
        two[0].kill()
        for who, page in (("ann", ann), ("bob", bob)):
            await page.wait_for_function("states.at(-1) === 'failed'")
            await page.evaluate("who => again(who)", who)
        await moves(ann)
        await moves(bob)
        assert calls.driver.statistics() | {"dropped": 0} == {
            "rooms": 1,
            "legs": 2,
            "servers": 1,
            "moved": 1,
            "dropped": 0,
        }
