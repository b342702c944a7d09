"""Messages from browser to browser, passwords for TURN servers, and what the doctor says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import helpouts_video_p2p as plugin
import pytest
from helpouts_video_p2p import driver as driving
from helpouts_video_p2p.health import check
from helpouts_video_p2p.ice import faults, password, servers

from helpouts.sessions import MediaRoom, TransportContext, TransportError

DEFAULTS = {setting.key: setting.default for setting in plugin.helpouts_settings()}
ROOM = MediaRoom("room")
OFFER = {"from": "a", "to": "b", "description": {"type": "offer", "sdp": "v=0"}}


async def started(**settings: Any) -> tuple[driving.PeerDriver, list[tuple[str, str, Any]]]:
    sent: list[tuple[str, str, Any]] = []

    async def send(room: str, participant: str, message: Any) -> None:
        sent.append((room, participant, message))

    driver = await driving.start(TransportContext(lambda: DEFAULTS | settings, send, "https://live.example", "node"))
    for who in ("ann", "bob"):
        await driver.admit(ROOM, who, who.title())
    return driver, sent


@pytest.mark.parametrize(
    "message",
    [
        {"from": "a", "hello": True},
        OFFER,
        {"from": "a", "to": "b", "candidate": {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "mid": "0"}},
        {"from": "a", "to": "b", "candidate": None},
        {"from": "a", "to": "b", "sending": ["audio", "screen"]},
        {"from": "a", "to": "b", "restart": True},
    ],
)  # fmt: skip
async def test_what_browsers_say_to_each_other_reaches_the_other_side_only(message: Any) -> None:
    driver, sent = await started()
    await driver.on_signal(ROOM, "ann", message)
    assert sent == [("room", "bob", message)]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"from": 7},
        {"from": "a", "javascript": "alert(1)"},
        {"from": "a", "description": {"type": "rollback", "sdp": ""}},
        {"from": "a", "description": {"type": "offer", "sdp": "x" * 60_000}},
        {"from": "a", "candidate": {"candidate": ["nested"]}},
        {"from": "a", "candidate": "text"},
        {"from": "a", "sending": ["audio", "everything"]},
        {"from": "a", "sending": [{}]},
        {"from": "x" * 41, "hello": True},
    ],
)
async def test_anything_else_is_dropped(message: Any) -> None:
    driver, sent = await started()
    await driver.on_signal(ROOM, "ann", message)
    assert sent == []
    assert driver.statistics()["dropped"] == 1


async def test_a_flood_is_cut_off_and_the_other_side_may_still_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving.time, "monotonic", lambda: 1.0)
    driver, sent = await started()
    for _time in range(driving.BURST + 50):
        await driver.on_signal(ROOM, "ann", OFFER)
    assert len(sent) == driving.BURST
    await driver.on_signal(ROOM, "bob", OFFER)
    assert sent[-1][1] == "ann"
    monkeypatch.setattr(driving.time, "monotonic", lambda: 2.0)
    await driver.on_signal(ROOM, "ann", OFFER)
    assert sent[-1][1] == "bob"


async def test_who_has_left_neither_speaks_nor_hears() -> None:
    driver, sent = await started()
    await driver.dismiss(ROOM, "bob")
    await driver.on_signal(ROOM, "bob", OFFER)
    await driver.on_signal(ROOM, "ann", OFFER)
    assert sent == []


def test_a_password_is_that_of_the_turn_rest_scheme() -> None:
    # echo -n 1750000000:ann | openssl dgst -sha1 -hmac north-by-northwest -binary | base64
    until = datetime.fromtimestamp(1_750_000_000, UTC)
    assert password("north-by-northwest", "ann", until) == ("1750000000:ann", "ZO4wi91KL0OSDSVSYA95BWHe+RY=")


async def test_every_grant_has_its_own_password_for_as_long_as_the_settings_say() -> None:
    settings = {"turn_urls": ["turn:turn.example:3478"], "turn_secret": "s", "stun_urls": ["stun:stun.example"]}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    stun, turn = servers(DEFAULTS | settings, "ann", now)
    assert stun == {"urls": ["stun:stun.example"]}
    assert turn["username"] == f"{int(now.timestamp()) + 12 * 3600}:ann"
    driver, _sent = await started(**settings)
    configs = [(await driver.admit(ROOM, "ann", "Ann")).config for _time in range(2)]
    assert configs[0]["iceServers"][1]["credential"] != configs[1]["iceServers"][1]["credential"]


async def test_hiding_addresses_is_told_to_the_browser() -> None:
    for relay_only, policy in ((True, "relay"), (False, "all")):
        driver, _sent = await started(relay_only=relay_only)
        assert (await driver.admit(ROOM, "ann", "Ann")).config["iceTransportPolicy"] == policy


@pytest.mark.parametrize("url", ["turn.example", "http://turn.example", "turn:turn.example:port", "stun:a b", ""])
async def test_an_address_that_browsers_do_not_understand_lets_nobody_in(url: str) -> None:
    assert faults(DEFAULTS | {"turn_urls": [url]}) == [url]
    with pytest.raises(TransportError, match="no address"):
        await started(turn_urls=[url])


@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        ({}, ["warning"]),
        ({"relay_only": True}, ["error"]),
        ({"turn_urls": ["turn:turn.example:3478"], "turn_secret": "s"}, []),
        ({"turn_urls": ["turns:[2001:db8::1]:443?transport=tcp"], "turn_secret": "s", "relay_only": True}, []),
        ({"turn_urls": ["turn:turn.example"]}, ["error"]),
        ({"turn_urls": ["turn.example"], "turn_secret": "s"}, ["error"]),
    ],
)
def test_the_doctor_says_what_keeps_people_apart(settings: Any, levels: list[str]) -> None:
    found = check(None, DEFAULTS | settings)  # type: ignore[arg-type]  # it asks no database
    assert [problem.severity for problem in found] == levels
