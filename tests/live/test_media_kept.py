"""A WebSocket that breaks does not end the media: who comes back within a minute has kept them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpouts.clock import clock
from helpouts.live import media

from .conftest import until


def calls(place, *names):
    """What the transport was asked to do, of these kinds."""
    return [call[0] for call in place.driver.calls if call[0] in names]


async def both(place, pair):
    """(customer, expert) in the room, and the id of the customer's grant."""
    expert = await place.enter(pair.session, pair.expert)
    customer = await place.enter(pair.session, pair.customer)
    return customer, expert, (await customer.hear("welcome"))["transport"]["id"]


async def test_who_comes_back_keeps_the_media_and_the_other_side_was_told_to_wait(live, pair):
    async with live() as place:
        customer, expert, held = await both(place, pair)
        await customer.vanish()
        await expert.hear("peer", present=False, away=True)
        back = await place.enter(pair.session, pair.customer, media=held)
        welcome = await back.hear("welcome")
        assert welcome["media"] == "kept"
        assert "transport" not in welcome
        await expert.hear("peer", present=True, away=False)
        await expert.hear("meter", running=True)
        assert calls(place, "admit", "dismiss") == ["admit", "admit"]


async def test_a_browser_that_noticed_first_keeps_the_media_too(live, pair):
    """Its old socket still stands for the server when the new one says hello."""
    async with live() as place:
        _customer, _expert, held = await both(place, pair)
        back = await place.enter(pair.session, pair.customer, media=held)
        assert (await back.hear("welcome"))["media"] == "kept"
        assert calls(place, "admit", "dismiss") == ["admit", "admit"]


async def test_what_the_transport_says_meanwhile_arrives_in_its_order(live, pair):
    async with live() as place:
        customer, expert, held = await both(place, pair)
        await customer.vanish()
        await expert.hear("peer", away=True)
        for number in range(3):
            await place.driver.context.send(pair.session.room_id, str(pair.customer.id), {"number": number})
        back = await place.enter(pair.session, pair.customer, media=held)
        await until(lambda: len(back.all("signal")) == 3)
        assert [message["data"]["number"] for message in back.all("signal")] == [0, 1, 2]
        assert [message["type"] for message in back.heard[:2]] == ["welcome", "signal"]


@pytest.mark.parametrize("why", ["said goodbye", "too late", "another id", "missed too much", "the other came anew"])
async def test_media_that_cannot_be_kept_are_granted_anew(live, pair, why):
    async with live() as place:
        customer, expert, held = await both(place, pair)
        if why == "said goodbye":
            await customer.say(type="leave")
            await expert.hear("peer", present=False, away=False)
        else:
            await customer.vanish()
            await expert.hear("peer", away=True)
        if why == "missed too much":
            for _message in range(media.MOST_WAITING):
                await place.node.send_signal(pair.session.room_id, str(pair.customer.id), {})
        if why == "the other came anew":
            await place.enter(pair.session, pair.expert)
        if why == "too late":
            clock.advance(media.LINGER + timedelta(seconds=1))
            await place.node_is_heard_of()
        back = await place.enter(pair.session, pair.customer, media=held + "x" * (why == "another id"))
        welcome = await back.hear("welcome")
        assert welcome["transport"]["id"] != held
        assert "media" not in welcome


async def test_who_does_not_come_back_in_time_is_dismissed_and_the_other_side_told(live, pair, monkeypatch):
    monkeypatch.setattr(media, "LINGER", timedelta(seconds=2))
    async with live() as place:
        customer, expert, _held = await both(place, pair)
        await customer.vanish()
        await expert.hear("peer", away=True)
        assert calls(place, "dismiss") == []
        await until(lambda: not expert.all("peer")[-1]["away"])
        assert expert.all("peer")[-1]["present"] is False
        assert calls(place, "dismiss") == ["dismiss"]


async def test_an_empty_room_is_kept_for_those_who_linger_and_no_longer(live, pair):
    async with live() as place:
        customer, expert, _held = await both(place, pair)
        for browser in (customer, expert):
            await browser.vanish()
        await until(lambda: all(row.left_at for row in place.presences(pair.session)))
        assert not place.node.rooms.idle
        clock.advance(media.LINGER + timedelta(seconds=1))
        await until(lambda: place.node.rooms.idle)
        assert place.driver.rooms == {}
