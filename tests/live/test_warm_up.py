"""A live process is ready for rooms before the first one comes."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_the_chosen_transports_are_started_ahead(live):
    async with live() as place:
        assert place.node.drivers == {}
        await place.node.warm_up()
        assert list(place.node.drivers) == ["dummy"]


async def test_one_that_does_not_start_is_tried_again_by_the_room_that_needs_it(live, failures, pair):
    failures["start"] = OSError("no port")
    async with live() as place:
        await place.node.warm_up()
        assert place.node.drivers == {}
        del failures["start"]
        browser = await place.enter(pair.session, pair.customer)
        welcome = await browser.hear("welcome")
        assert welcome["transport"]["name"] == "dummy"
