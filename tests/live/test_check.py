"""The network check before joining: a ticket is used up for it, nobody enters, and nothing depends on the transport."""

from __future__ import annotations

import asyncio

import pytest

from helpouts.live.check import ECHO_BYTES
from helpouts.sessions import TransportFull
from helpouts.testing.dummy_transport import DummyDriver


async def _check(place, ticket):
    answer = await place.client.post("/check", headers={"Authorization": f"Bearer {ticket}"})
    return answer.status, await answer.json()


async def test_a_ticket_is_worth_one_check_and_lets_nobody_in(live, pair, monkeypatch):
    async def check(_self):
        return {"token": "for the check"}

    monkeypatch.setattr(DummyDriver, "check", check, raising=False)
    async with live() as place:
        ticket = await asyncio.to_thread(place.ticket, pair.session, pair.customer)
        status, found = await _check(place, ticket)
        assert status == 200
        assert found["transport"] == {
            "name": "dummy",
            "module": "/x/video_dummy/static/dummy.js",
            "config": {"token": "for the check"},
        }
        assert place.presences(pair.session) == []
        assert place.driver.rooms == {}
        status, refused = await _check(place, ticket)
        assert (status, refused["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("trouble", ["no check", "full", "bug"])
async def test_where_the_transport_cannot_check_the_page_is_told_to_measure_by_itself(live, pair, monkeypatch, trouble):
    async def check(_self):
        raise TransportFull("later") if trouble == "full" else ZeroDivisionError

    if trouble != "no check":
        monkeypatch.setattr(DummyDriver, "check", check, raising=False)
    async with live() as place:
        ticket = await asyncio.to_thread(place.ticket, pair.session, pair.customer)
        status, found = await _check(place, ticket)
        assert (status, found["transport"]["config"]) == (200, None)


async def test_the_echo_sends_back_what_it_gets_and_no_more_than_it_may(live):
    async with live() as place:
        sent = bytes(range(256)) * 300
        assert await (await place.client.post("/check/echo", data=sent)).read() == sent
        assert (await place.client.post("/check/echo", data=b"x" * (ECHO_BYTES + 1))).status == 413
