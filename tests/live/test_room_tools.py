"""The tools of the room over its socket: notes, more minutes, files, drawing."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta

import pytest
from PIL import Image

from helpouts.clock import clock
from helpouts.sessions import files, notes
from helpouts.storage import service as storage

from .conftest import until

STROKE = {"id": "stroke-01", "tool": "pen", "color": "#ff3b30", "width": 5, "points": [0.1, 0.1, 0.5, 0.5], "text": ""}


async def both(place, pair):
    return await place.enter(pair.session, pair.expert), await place.enter(pair.session, pair.customer)


async def test_a_change_of_the_notes_reaches_both_in_one_order(live, pair, site):
    async with live() as place:
        expert, customer = await both(place, pair)
        assert (await expert.hear("welcome"))["notes"] == {"revision": 0, "text": ""}
        await expert.say(type="notes", client_id="a", base=0, change=["router"])
        await customer.hear("notes", revision=1, user=pair.expert.id, client_id="a", change=["router"])
        await customer.say(type="notes", client_id="b", base=0, change=["my "])
        told = await expert.hear("notes", revision=2)
        assert told["change"] == [6, "my "]
        await expert.say(type="notes", client_id="a", base=0, change=["router"])
        await until(lambda: len(expert.all("notes")) == 3)
        assert len(customer.all("notes")) == 2
        with site.database.read() as db:
            assert notes.current(db, pair.session.id) == (2, "routermy ")


async def test_who_was_away_catches_up_with_the_notes(live, pair):
    async with live() as place:
        expert, customer = await both(place, pair)
        await customer.vanish()
        await expert.say(type="notes", client_id="a", base=0, change=["one"])
        await expert.hear("notes", revision=1)
        back = await place.enter(pair.session, pair.customer)
        assert (await back.hear("welcome"))["notes"] == {"revision": 1, "text": "one"}
        await back.say(type="notes_since", revision=0)
        missed = await back.hear("notes_since")
        assert [change["client_id"] for change in missed["changes"]] == ["a"]
        assert missed["more"] is False


@pytest.mark.parametrize("change", [None, ["\0"], [5, "x"], [True], "text"])
async def test_a_bad_change_is_refused_with_the_text_as_it_is(live, pair, change):
    async with live() as place:
        expert = await place.enter(pair.session, pair.expert)
        await expert.say(type="notes", client_id="a", base=0, change=["one"])
        await expert.say(type="notes", client_id="b", base=1, change=change)
        refused = await expert.hear("notes_refused", client_id="b")
        assert (refused["revision"], refused["text"]) == (1, "one")
        assert "Reload the page" in refused["message"]


async def test_more_minutes_are_offered_agreed_to_and_counted(live, pair):
    async with live() as place:
        expert, customer = await both(place, pair)
        first = (await customer.hear("welcome"))["extension"]
        assert first["newest"] is None
        assert [choice["minutes"] for choice in first["choices"]] == [5, 10, 15, 30]
        assert (first["choices"][2]["price"], first["obstacle"]) == ("€12.50", "")
        await expert.say(type="extend", minutes=15)
        offered = await customer.hear("extension")
        assert (offered["newest"]["state"], offered["newest"]["mine"]) == ("proposed", False)
        assert (await expert.hear("extension"))["newest"]["mine"] is True
        room = next(iter(place.node.rooms.by_id.values()))
        before = room.ends_at
        await customer.say(type="extend_answer", id=offered["newest"]["id"], agree=True)
        done = await until(lambda: next((m for m in expert.all("extension") if m["newest"]["state"] == "done"), None))
        assert done["amount_minor"] == 3750
        assert done["left"] - offered["left"] == pytest.approx(15 * 60, abs=20)
        assert room.ends_at - before == timedelta(minutes=15)


async def test_the_meter_runs_on_when_a_session_is_extended_after_its_end(live, pair):
    async with live() as place:
        expert, customer = await both(place, pair)
        await expert.say(type="extend", minutes=10)
        offered = await customer.hear("extension")
        clock.advance(timedelta(minutes=30))
        await expert.hear("meter", running=False)
        await customer.say(type="extend_answer", id=offered["newest"]["id"], agree=True)
        await until(lambda: expert.all("meter")[-1]["running"])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "extend", "minutes": 7}, "Choose one of the lengths"),
        ({"type": "extend", "minutes": "5"}, "Choose one of the lengths"),
        ({"type": "extend_answer", "id": 1, "agree": True}, "nothing to answer"),
        ({"type": "draw", "shot": "none", "stroke": STROKE}, "no such file"),
        ({"type": "draw", "shot": "none", "stroke": {**STROKE, "points": ["a", 1]}}, "cannot be drawn"),
        ({"type": "draw", "shot": "none", "stroke": {**STROKE, "color": "red"}}, "cannot be drawn"),
        ({"type": "drawing", "shot": "none", "stroke": 1}, "cannot be drawn"),
    ],
)
async def test_what_does_not_fit_gets_a_clear_error(live, pair, message, words):
    async with live() as place:
        expert, customer = await both(place, pair)
        await expert.say(**message)
        assert words in (await expert.hear("error"))["message"]
        assert not customer.all("error")


def send_file(site, pair, name="plan.txt", content=b"turn it off and on", client_id="file-1"):
    return files.keep(site, pair.session.id, pair.customer.id, client_id, name, io.BytesIO(content))


async def test_a_file_from_the_web_process_comes_as_a_line_of_the_chat(live, pair, site):
    async with live() as place:
        expert, customer = await both(place, pair)
        row = await asyncio.to_thread(send_file, site, pair)
        line = await expert.hear("chat", client_id="file-1")
        assert line["file"] == {
            "id": row.public_id,
            "kind": "file",
            "name": "plan.txt",
            "size": 18,
            "picture": False,
            "removed": False,
        }
        await expert.say(type="chat", client_id="c", body="thanks")
        await customer.hear("chat", client_id="c")
        assert [m["seq"] for m in customer.all("chat")] == [1, 2]
        again = await place.enter(pair.session, pair.expert)
        assert [m["seq"] for m in (await again.hear("welcome"))["chat"]] == [1, 2]


async def test_no_line_is_missed_when_lines_come_from_two_processes(live, pair, site):
    """What a browser has last tells what it misses: so each gets the lines in the order of their numbers."""
    async with live() as place:
        expert, customer = await both(place, pair)

        async def talk():
            for n in range(8):
                await expert.say(type="chat", client_id=f"c{n}", body=str(n))
                await asyncio.sleep(0.01)

        def send():
            for n in range(8):
                send_file(site, pair, client_id=f"f{n}")

        await asyncio.gather(talk(), asyncio.to_thread(send))
        await until(lambda: len({m["seq"] for m in customer.all("chat")}) == 16)
        await until(lambda: len({m["seq"] for m in expert.all("chat")}) == 16)
        for browser in (expert, customer):
            assert [m["seq"] for m in browser.all("chat")] == list(range(1, 17))


def picture(color="teal"):
    out = io.BytesIO()
    Image.new("RGB", (320, 240), color).save(out, "PNG")
    return out


async def test_both_draw_on_a_snapshot_and_take_back_their_own(live, pair, site):
    async with live() as place:
        expert, customer = await both(place, pair)
        row = await asyncio.to_thread(files.keep_snapshot, site, pair.session.id, pair.expert.id, "shot-1", picture())
        assert (await customer.hear("chat", client_id="shot-1"))["file"]["kind"] == "snapshot"
        shot = row.public_id
        await expert.say(type="drawing", shot=shot, stroke=STROKE)
        await customer.hear("drawing", shot=shot)
        await expert.say(type="draw", shot=shot, stroke=STROKE)
        await customer.say(type="draw", shot=shot, stroke={**STROKE, "id": "stroke-02"})
        await until(lambda: len(customer.all("draw")) == 2)
        await customer.say(type="draw", shot=shot, remove="stroke-01")
        await expert.hear("draw", remove="stroke-01")
        await customer.say(type="strokes", shot=shot)
        assert [s["id"] for s in (await customer.hear("strokes"))["strokes"]] == ["stroke-01", "stroke-02"]
        await asyncio.to_thread(files.replace_snapshot, site, pair.session.id, shot, "stroke-01", picture("red"))
        await customer.hear("saved", shot=shot, last="stroke-01")
        with site.database.read() as db:
            kept = files.find(db, pair.session.id, shot)
            assert [s["id"] for s in kept.strokes] == ["stroke-02"]
            blob, small = kept.blob, kept.preview
        assert b"".join(storage.load(site, blob)).startswith(b"\x89PNG")
        assert set(storage.references(site, f"rooms/{pair.session.id}/")) == {blob, small}
        await expert.say(type="draw", shot=shot, clear=True)
        await customer.hear("draw", clear=True)
