"""Join, answer, restart and leave over HTTP, and what the driver does behind them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from helpouts_video_aiortc.driver import GRANT_SECONDS, SILENCE_SECONDS, UNANSWERED_SECONDS, RelayDriver, running

from helpouts.sessions import MediaRoom, TransportContext, TransportFull

SDP = {"Content-Type": "application/sdp"}
ROOM = MediaRoom("room")


@pytest.fixture
async def relay(site: Any) -> AsyncIterator[Any]:
    async with site(max_calls=2) as relay:
        yield relay


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def join(relay: Any, http: aiohttp.ClientSession, who: str = "ann", room: str = "room") -> tuple[str, str, str]:
    """Location, ETag and offer."""
    grant = await relay.grant(who, room)
    async with http.post(grant["url"], headers=bearer(grant["token"])) as response:
        assert response.status == 201
        return response.headers["Location"], response.headers["ETag"], await response.text()


def answered(offer: str) -> str:
    return offer.replace("actpass", "active")


def ufrag(offer: str) -> str:
    found = re.search(r"a=ice-ufrag:(\S+)", offer)
    assert found is not None
    return found[1]


async def test_joining_gives_a_place_a_tag_and_the_offer(relay: Any, http: aiohttp.ClientSession) -> None:
    grant = await relay.grant("ann")
    async with http.post(grant["url"], headers=bearer(grant["token"])) as response:
        assert response.status == 201
        assert response.content_type == "application/sdp"
        assert re.fullmatch(re.escape(grant["url"]) + r"/[\w-]{32}", response.headers["Location"])
        offer = await response.text()
        assert response.headers["ETag"] == f'"{ufrag(offer)}"'
    assert f" 127.0.0.1 {relay.driver.port} typ host" in offer


async def test_the_public_address_is_offered_alone_as_soon_as_it_is_set(
    relay: Any, http: aiohttp.ClientSession
) -> None:
    relay.settings["public_ip"] = "198.51.100.7, 203.0.113.5"
    _location, _etag, offer = await join(relay, http)
    assert set(re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+)", offer)) == {"198.51.100.7", "203.0.113.5"}


@pytest.mark.parametrize(
    "headers", [{}, bearer(""), bearer("guess"), bearer("gu\xe9ss"), {"Authorization": "Basic eA=="}]
)
async def test_without_a_good_token_nobody_joins(
    relay: Any, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with http.post(f"{relay.base}/x/video_aiortc/legs", headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.content_type == "application/problem+json"
        assert (await response.json())["status"] == 401
    assert relay.driver.statistics()["legs"] == 0


async def test_a_token_is_good_once_and_only_until_the_next(relay: Any, http: aiohttp.ClientSession) -> None:
    replaced, grant = await relay.grant("ann"), await relay.grant("ann")
    statuses = []
    for token in (replaced["token"], grant["token"], grant["token"]):
        async with http.post(grant["url"], headers=bearer(token)) as response:
            statuses.append(response.status)
    assert statuses == [401, 201, 401]


async def test_tokens_are_kept_as_hashes_only(relay: Any) -> None:
    grant = await relay.grant("ann")
    assert grant["token"] not in repr(vars(relay.driver))


async def test_an_answer_to_the_latest_offer_is_taken(relay: Any, http: aiohttp.ClientSession) -> None:
    location, etag, offer = await join(relay, http)
    for tag, body, status in (
        ('"old"', answered(offer), 412),
        (etag, "v=0", 400),
        (etag, answered(offer), 204),
        (f'"other", {etag}', answered(offer), 204),
        ("*", answered(offer), 204),
    ):
        async with http.patch(location, data=body, headers=SDP | {"If-Match": tag}) as response:
            assert response.status == status, tag


async def test_bodies_of_the_wrong_kind_or_size_are_refused(relay: Any, http: aiohttp.ClientSession) -> None:
    location, _etag, offer = await join(relay, http)
    async with http.patch(location, json={"sdp": offer}) as response:
        assert response.status == 415
    async with http.patch(location, data="v=0\r\n" * 20_000, headers=SDP) as response:
        assert response.status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _part in range(50):
            yield b"v=0\r\n" * 1000

    async with http.patch(location, data=endless(), headers=SDP) as response:
        assert response.status == 413


async def test_a_restart_gives_new_credentials_and_a_new_tag(relay: Any, http: aiohttp.ClientSession) -> None:
    location, etag, offer = await join(relay, http)
    async with http.post(f"{location}/restart", headers={"If-Match": etag}) as response:
        assert response.status == 200
        assert response.content_type == "application/sdp"
        again, new_etag = await response.text(), response.headers["ETag"]
    assert new_etag != etag
    assert ufrag(again) != ufrag(offer)
    lines, new_lines = offer.splitlines(), again.splitlines()
    changed = {line.split(":")[0] for line in set(lines) ^ set(new_lines)}
    assert all(name.startswith(("o=-", "a=ice-ufrag", "a=ice-pwd")) for name in changed)
    async with http.patch(location, data=answered(offer), headers=SDP | {"If-Match": etag}) as response:
        assert response.status == 412
    async with http.post(f"{location}/restart", headers={"If-Match": etag}) as response:
        assert response.status == 412


async def test_the_old_credentials_work_until_the_new_ones_are_used(relay: Any, http: aiohttp.ClientSession) -> None:
    location, _etag, _offer = await join(relay, http)
    for _again in range(3):
        async with http.post(f"{location}/restart") as response:
            assert response.status == 200
    assert relay.driver._port.held()[0] == 2, "the ones in use and the latest"


async def test_leaving_is_final_and_can_be_repeated(relay: Any, http: aiohttp.ClientSession) -> None:
    location, _etag, offer = await join(relay, http)
    for _time in range(2):
        async with http.delete(location) as response:
            assert response.status == 200
    async with http.patch(location, data=answered(offer), headers=SDP) as response:
        assert response.status == 404
    async with http.post(f"{location}/restart") as response:
        assert response.status == 404
    assert relay.driver._port.held() == (0, 0)


async def test_when_all_lines_are_busy_the_token_stays_good(relay: Any, http: aiohttp.ClientSession) -> None:
    waiting = await relay.grant("cid", "third")
    first, _etag, _offer = await join(relay, http, room="one")
    await join(relay, http, room="two")
    with pytest.raises(TransportFull):
        await relay.grant("dora", "fourth")
    async with http.post(waiting["url"], headers=bearer(waiting["token"])) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
    await join(relay, http, "bob", "two")
    async with http.delete(first):
        pass
    async with http.post(waiting["url"], headers=bearer(waiting["token"])) as response:
        assert response.status == 201


async def test_a_room_seats_two_and_a_reload_takes_no_third_seat(relay: Any, http: aiohttp.ClientSession) -> None:
    first, _etag, _offer = await join(relay, http, "ann")
    await join(relay, http, "bob")
    with pytest.raises(TransportFull):
        await relay.grant("cid")
    await join(relay, http, "ann")
    async with http.post(f"{first}/restart") as response:
        assert response.status == 404, "the earlier leg of the same person is over"
    assert relay.driver.statistics()["legs"] == 2
    await relay.driver.dismiss(ROOM, "bob")
    await join(relay, http, "cid")


async def test_closing_the_room_frees_legs_and_grants(relay: Any, http: aiohttp.ClientSession) -> None:
    await join(relay, http, "ann")
    grant = await relay.grant("bob")
    await relay.driver.close_room(ROOM)
    async with http.post(grant["url"], headers=bearer(grant["token"])) as response:
        assert response.status == 401
    numbers = relay.driver.statistics()
    assert (numbers["rooms"], numbers["legs"], numbers["grants"]) == (0, 0, 0)
    assert relay.driver._port.held() == (0, 0)


async def test_a_live_process_without_the_relay_says_so(relay: Any, http: aiohttp.ClientSession) -> None:
    await relay.driver.stop()
    assert running() is None
    async with http.post(f"{relay.base}/x/video_aiortc/legs", headers=bearer("x")) as response:
        assert response.status == 503
        assert response.headers["Retry-After"]


async def test_each_side_learns_what_the_other_shows(relay: Any, http: aiohttp.ClientSession) -> None:
    await join(relay, http, "ann")
    await join(relay, http, "bob")
    await relay.driver.on_signal(ROOM, "ann", {"sending": ["video", "audio", "malware", 7]})
    assert relay.sent == [("room", "bob", {"sending": ["audio", "video"]})]
    await relay.driver.on_signal(ROOM, "bob", {"hello": True})
    assert relay.sent[1:] == [("room", "bob", {"sending": ["audio", "video"]})]
    await relay.driver.on_signal(ROOM, "stranger", {"sending": ["video"], "hello": True})
    assert len(relay.sent) == 2


# -- time -------------------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_what_falls_silent_is_ended(http: aiohttp.ClientSession) -> None:
    async def send(room: str, participant: str, message: Any) -> None: ...

    clock = Clock()
    driver = RelayDriver(TransportContext(lambda: {"bind": "127.0.0.1"}, send, "https://live.example", "n"), clock)
    try:
        await driver.admit(ROOM, "late", "Late")
        grant = await driver.admit(MediaRoom("other"), "ann", "Ann")
        leg = await driver.redeem(grant.config["token"])
        clock.now += UNANSWERED_SECONDS - 1
        await driver.sweep()
        assert driver.leg(leg.id) is leg
        clock.now += 2
        await driver.sweep()
        assert driver.leg(leg.id) is None
        assert leg.state == "closed"
        clock.now += GRANT_SECONDS
        await driver.sweep()
        assert driver.statistics()["grants"] == 0
        assert UNANSWERED_SECONDS < 40 < SILENCE_SECONDS, "an outage of 40 s is survived by a call, not by a leftover"
    finally:
        await driver.stop()


async def test_an_expired_token_is_refused_before_it_is_swept() -> None:
    from helpouts_video_aiortc.driver import UnknownGrant

    async def send(room: str, participant: str, message: Any) -> None: ...

    clock = Clock()
    driver = RelayDriver(TransportContext(lambda: {"bind": "127.0.0.1"}, send, "https://live.example", "n"), clock)
    try:
        grant = await driver.admit(ROOM, "ann", "Ann")
        clock.now += GRANT_SECONDS
        with pytest.raises(UnknownGrant):
            await driver.redeem(grant.config["token"])
    finally:
        await driver.stop()


async def test_many_joins_leave_nothing_behind(relay: Any, http: aiohttp.ClientSession) -> None:
    before = asyncio.all_tasks()
    for _visit in range(20):
        location, etag, offer = await join(relay, http)
        async with http.patch(location, data=answered(offer), headers=SDP | {"If-Match": etag}) as response:
            assert response.status == 204
    async with http.delete(location):
        pass
    assert relay.driver.statistics()["legs"] == 0
    assert relay.driver._port.held() == (0, 0)
    left = {task for task in asyncio.all_tasks() - before if "handshake" in repr(task)}
    assert not left
