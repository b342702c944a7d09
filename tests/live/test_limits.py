"""What one browser may do to a live process: speak at a human pace, in any words, and never harm it."""

from __future__ import annotations

import json
import random

import pytest
from sqlalchemy import select

from helpouts.live import limits, sweep
from helpouts.sessions import quality
from helpouts.sessions.models import PresenceQuality

from .conftest import until


async def test_who_speaks_too_fast_is_told_and_who_goes_on_is_shown_out(live, pair, monkeypatch):
    monkeypatch.setattr(limits, "BURST", 20)
    monkeypatch.setattr(limits, "RATE", 1)
    monkeypatch.setattr(limits, "MOST_REFUSED", 150)
    async with live() as place:
        expert = await place.enter(pair.session, pair.expert)
        loud = await place.enter(pair.session, pair.customer, pinging=False)
        for _message in range(60):
            await loud.say(type="ping")
        assert (await loud.hear("error"))["code"] == "too_fast"
        assert len(loud.all("pong")) <= 22
        assert len(loud.all("error")) == 1
        for _message in range(150):
            await loud.say(type="ping")
        assert await loud.closed() == 1008
        await expert.hear("peer", present=False)
        assert expert.code is None


async def test_the_door_takes_no_more_than_so_many_who_say_nothing(live, pair, monkeypatch):
    monkeypatch.setattr(limits, "MOST_KNOCKING", 2)
    async with live() as place:
        ticket = place.ticket(pair.session, pair.customer)
        silent = [(await place.connect()).live(pinging=False) for _socket in range(2)]
        await until(lambda: place.node.door.waiting == 2)
        assert await (await place.connect()).live(pinging=False).closed() == 1013
        await silent[0].vanish()
        await until(lambda: place.node.door.waiting == 1)
        await (await place.connect(ticket=ticket)).live().hear("welcome")


def nonsense(dice: random.Random) -> str:
    """A message that no page would send."""
    kinds = ["ping", "chat", "state", "signal", "grant", "quality", "hello", "nobody", "", None, 7, [], {}]
    values = [
        None,
        True,
        -1,
        1e308,
        2**70,
        "",
        "x" * 5000,
        "\0",
        "\ud800",
        [],
        [[]],
        {},
        {"a": {"b": []}},
        float("nan"),
    ]
    keys = ["client_id", "body", "mic", "data", "rtt", "loss", "verdict", "path", "t", "after", "id", "media"]
    message = {"type": dice.choice(kinds), **{key: dice.choice(values) for key in dice.sample(keys, 4)}}
    text = json.dumps(message)
    match dice.randrange(6):
        case 0:
            return text[: dice.randrange(len(text))]
        case 1:
            return "[" * 20_000
        case 2:
            return "1" * 20_000
        case 3:
            return dice.choice(['"', "null", "[]", "{}", "\x07", '{"type":"ping","type":"chat"}'])
    return text


@pytest.mark.parametrize("seed", range(3))
async def test_nonsense_costs_nobody_but_its_author_anything(live, pair, monkeypatch, caplog, seed):
    monkeypatch.setattr(limits, "BURST", 10_000)
    dice = random.Random(seed)
    async with live() as place:
        expert = await place.enter(pair.session, pair.expert)
        mad = await place.enter(pair.session, pair.customer)
        for _message in range(150):
            await mad.socket.send_str(nonsense(dice))
        await mad.say(type="ping", t="after all of it")
        await mad.hear("pong", t="after all of it")
        await mad.say(type="chat", client_id="sane", body="I am well.")
        await expert.hear("chat", body="I am well.")
        assert expert.code is None
        assert mad.code is None


async def test_what_browsers_measure_is_written_down_at_a_slow_pace(live, pair, monkeypatch):
    monkeypatch.setattr(sweep, "QUALITY", 0.1)
    said = {
        "verdict": "fair",
        "rtt": 120.4,
        "loss": 2.5,
        "send_kbps": 900,
        "receive_kbps": 1100,
        "path": "relay",
    }
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        await browser.say(type="quality", **said)

        def row():
            with place.site.database.read() as db:
                found = db.scalars(select(PresenceQuality)).all()
                return [(r.grade, r.rtt_ms, r.loss_permille, r.send_kbps, r.receive_kbps, r.path) for r in found]

        await until(lambda: row() == [("fair", 120, 25, 900, 1100, "relay")])
        await browser.say(type="quality", verdict="good", rtt=None, path="host", protocol="tcp")
        await until(lambda: row() == [("good", None, 0, 0, 0, "tcp")])


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, 10**40, -5, True, "12", [], {}])
def test_figures_that_are_none_are_made_harmless(value):
    read = quality.reading({"rtt": value, "loss": value, "send_kbps": value, "path": value, "verdict": value})
    assert 0 <= (read.rtt_ms or 0) <= quality.MOST
    assert 0 <= read.loss_permille <= 1000
    assert 0 <= read.send_kbps <= quality.MOST
    assert (read.grade, read.path) == ("", "")
