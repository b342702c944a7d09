"""Servers that are wrong, shut, full of secrets or gone; against real ones where there must be one."""

from __future__ import annotations

import asyncio
from typing import Any

import helpouts_video_janus as plugin
import pytest
from helpouts_video_janus.driver import JanusDriver
from helpouts_video_janus.health import check

from helpouts.sessions import MediaRoom, TransportContext, TransportError, TransportFull

DEFAULTS = {setting.key: setting.default for setting in plugin.helpouts_settings()}
NOWHERE = "ws://127.0.0.1:9"


def driver_for(sent: list[Any] | None = None, **settings: Any) -> JanusDriver:
    async def send(_room: str, participant: str, message: Any) -> None:
        if sent is not None:
            sent.append((participant, message))

    return JanusDriver(TransportContext(lambda: DEFAULTS | settings, send, "https://live.example", "node"))


def own(*servers: Any, **more: Any) -> dict[str, Any]:
    first = servers[0]
    return {"servers": [s.url for s in servers], "api_secret": first.api_secret, "admin_key": first.admin_key} | more


@pytest.mark.parametrize("servers", [[], ["janus.example:8188"], ["http://janus.example:8188"], ["ws://"]])
async def test_without_the_address_of_a_server_no_room_opens(servers: list[str]) -> None:
    with pytest.raises(TransportError, match="names no Janus server"):
        await driver_for(servers=servers).open_room("room")


async def test_when_nobody_answers_the_browser_is_told_to_come_back() -> None:
    driver = driver_for(servers=[NOWHERE])
    with pytest.raises(TransportFull) as full:
        await driver.open_room("room")
    assert full.value.retry_after > 0
    await driver.stop()


async def test_a_server_that_does_not_answer_is_passed_over(janus: Any) -> None:
    driver = driver_for(**own(janus, servers=[NOWHERE, janus.url]))
    await driver.open_room("room")
    assert driver.statistics()["servers"] == 1
    await driver.stop()


@pytest.mark.parametrize("wrong", [{"api_secret": "guessed"}, {"admin_key": "guessed"}])
async def test_a_wrong_secret_opens_nothing(janus: Any, wrong: dict[str, str]) -> None:
    driver = driver_for(**own(janus, **wrong))
    with pytest.raises(TransportError):
        await driver.open_room("room")
    assert driver.statistics()["rooms"] == 0
    await driver.stop()


async def test_new_calls_go_where_there_are_fewest(two: list[Any]) -> None:
    driver = driver_for(**own(*two))
    for room in "abcd":
        await driver.open_room(room)
    used = [place.server.url for place in driver._places.values()]
    assert sorted(used) == sorted([server.url for server in two] * 2)
    await driver.stop()


async def test_a_room_whose_server_died_opens_at_another_and_both_are_told(two: list[Any]) -> None:
    sent: list[Any] = []
    driver = driver_for(sent, **own(*two))
    room = MediaRoom("room", await driver.open_room("room"))
    for who in ("ann", "bob"):
        await driver.admit(room, who, who)
    two[0].kill()
    async with asyncio.timeout(10):
        while len(sent) < 2:
            await asyncio.sleep(0.02)
    assert sorted(sent) == [("ann", {"gone": True}), ("bob", {"gone": True})]
    await driver.admit(room, "ann", "Ann")
    assert driver._places["room"].server.url == two[1].url
    assert driver.statistics()["moved"] == 1
    await driver.stop()


async def test_what_the_server_does_not_understand_makes_the_browser_begin_anew(janus: Any) -> None:
    sent: list[Any] = []
    driver = driver_for(sent, **own(janus))
    room = MediaRoom("room", await driver.open_room("room"))
    await driver.admit(room, "ann", "Ann")
    await driver.on_signal(room, "ann", {"publish": "this is no session description"})
    assert sent == [("ann", {"gone": True})]
    await driver.stop()


async def test_a_closed_room_is_gone_from_the_server(janus: Any) -> None:
    driver = driver_for(**own(janus))
    room = MediaRoom("room", await driver.open_room("room"))
    number, server = driver._places["room"]._number, driver._places["room"].server
    handle = await server.attach()
    exists = {"request": "exists", "room": number}
    assert (await handle.ask(exists))[0]["exists"] is True
    await driver.close_room(room)
    assert (await handle.ask(exists))[0]["exists"] is False
    await driver.stop()


@pytest.mark.parametrize(
    ("settings", "severities"),
    [
        ({}, ["info"]),
        ({"servers": ["ws://janus.example:8188"], "api_secret": "s"}, []),
        ({"servers": ["ws://janus.example:8188"]}, ["warning"]),
        ({"servers": ["janus.example"], "api_secret": "s"}, ["error"]),
    ],
)
def test_the_doctor_says_what_is_missing(settings: Any, severities: list[str]) -> None:
    found = check(None, DEFAULTS | settings)  # type: ignore[arg-type]  # it asks no database
    assert [problem.severity for problem in found] == severities
