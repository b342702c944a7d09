"""What a browser may expect of the live process: the way in, chat, meter, and the ways out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import WSServerHandshakeError
from sqlalchemy import select

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.live import entrance, following, media
from helpouts.plugins.service import set_enabled
from helpouts.sessions import TransportError, TransportFull, service
from helpouts.sessions.models import LiveNode, Presence, RoomMessage, Session
from helpouts.testing.dummy_transport import helpouts_video_transports
from helpouts.testing.video import VideoTransportContract

from .conftest import until


class TestDummy(VideoTransportContract):
    package = "helpouts.testing"

    def transport(self):
        return next(iter(helpouts_video_transports()))


# -- the way in ------------------------------------------------------------------------------------------------


async def test_a_ticket_opens_the_room_and_both_hear_of_each_other(live, pair):
    async with live() as place:
        customer = await place.enter(pair.session, pair.customer)
        welcome = await customer.hear("welcome")
        assert welcome["peer"] == {"present": False, "away": False, "state": {}}
        assert welcome["transport"]["name"] == "dummy"
        assert welcome["transport"]["module"] == "/x/video_dummy/static/dummy.js"
        assert welcome["transport"]["config"]["token"]
        expert = await place.enter(pair.session, pair.expert)
        assert (await expert.hear("welcome"))["peer"]["present"] is True
        await customer.hear("peer", present=True)
        await expert.vanish()
        await customer.hear("peer", present=False)


@pytest.mark.parametrize("how", ["unknown", "used", "expired", "other node", "not text"])
async def test_a_bad_ticket_lets_nobody_in(live, pair, token, how):
    async with live() as place:
        ticket = place.ticket(pair.session, pair.customer)
        if how == "unknown":
            ticket = token
        elif how == "used":
            await (await place.enter(pair.session, pair.customer)).vanish()
            used = await place.connect(ticket=ticket)
            await used.live().hear("welcome")
            await used.vanish()
        elif how == "expired":
            clock.advance(timedelta(seconds=61))
        elif how == "other node":
            place.node.name = "n2"
        elif how == "not text":
            ticket = "\0\ud800"
        browser = (await place.connect(ticket=ticket)).live(pinging=False)
        assert (await browser.hear("error"))["code"] == "not_allowed"
        assert await browser.closed() == 1008


@pytest.mark.parametrize("hello", ["no JSON", "[1]", '"ticket"', "{}", '{"ticket": "x", "after": []}', "[" * 60_000])
async def test_who_does_not_say_hello_is_shown_out(live, hello):
    async with live() as place:
        browser = (await place.connect()).live(pinging=False)
        await browser.socket.send_str(hello)
        assert await browser.closed() == 1008


async def test_who_says_nothing_is_shown_out(live, monkeypatch):
    monkeypatch.setattr(entrance, "HELLO_SECONDS", 0.2)
    async with live() as place:
        assert await (await place.connect()).live(pinging=False).closed() == 1008


async def test_a_foreign_page_cannot_open_a_socket(live):
    async with live() as place:
        with pytest.raises(WSServerHandshakeError) as refused:
            await place.client.ws_connect("/ws", headers={"Origin": "https://evil.example"})
        assert refused.value.status == 403


async def test_two_who_enter_at_once_begin_the_session(live, pair):
    async with live() as place:
        tickets = [place.ticket(pair.session, who) for who in (pair.expert, pair.customer)]
        both = [(await place.connect(ticket=ticket)).live() for ticket in tickets]
        for browser in both:
            await browser.hear("meter", running=True)
        assert [call[0] for call in place.driver.calls].count("open_room") == 1
    with place.site.database.read() as db:
        assert db.get_one(Session, pair.session.id).booking.state == "in_session"


# -- chat and state --------------------------------------------------------------------------------------------


async def test_a_line_reaches_both_and_saying_it_again_is_harmless(live, pair):
    async with live() as place:
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        for _time in range(2):
            await customer.say(type="chat", client_id="a", body=" It blinks. ")
        await customer.say(type="chat", client_id="b", body="Red.")
        for browser in (expert, customer):
            await browser.hear("chat", seq=2, body="Red.")
            assert {(line["seq"], line["body"]) for line in browser.all("chat")} == {(1, "It blinks."), (2, "Red.")}
        await expert.vanish()
        again = await place.enter(pair.session, pair.expert, after=1)
        assert [line["body"] for line in (await again.hear("welcome"))["chat"]] == ["Red."]


async def test_lines_arrive_in_the_order_of_their_numbers(live, pair):
    async with live() as place:
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        for number in range(20):
            await asyncio.gather(
                *(b.say(type="chat", client_id=f"{number}", body=f"line {number}") for b in (expert, customer))
            )
        for browser in (expert, customer):
            await browser.hear("chat", seq=40)
            assert [line["seq"] for line in browser.all("chat")] == list(range(1, 41))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "chat", "client_id": "a", "body": "  "},
        {"type": "chat", "client_id": "a", "body": "x" * 4001},
        {"type": "chat", "client_id": "", "body": "nameless"},
    ],
)
async def test_a_line_that_cannot_be_kept_is_refused_with_a_text(live, pair, message):
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        await browser.say(**message)
        assert (await browser.hear("error"))["message"]
    with place.site.database.read() as db:
        assert db.scalars(select(RoomMessage)).all() == []


async def test_strange_messages_cost_nobody_the_connection(live, pair):
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        for raw in ("no JSON", "[" * 60_000, "7", "{}", '{"type": "signal", "data": 1}', '{"type": {}}'):
            await browser.socket.send_str(raw)
        await browser.say(type="chat", client_id="\0\ud800x", body="nul\0 and \ud800 are gone")
        assert (await browser.hear("chat"))["body"] == "nul and  are gone"
        assert browser.code is None


async def test_a_huge_message_closes_the_socket_and_ends_the_presence(live, pair):
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        await browser.socket.send_str("x" * 70_000)
        assert await browser.closed() == 1009
        await until(lambda: place.presences(pair.session)[0].left_at)


async def test_camera_and_signals_go_to_the_other_side_only(live, pair):
    async with live() as place:
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        await customer.say(type="state", mic=True, camera=0, screen=False, other=1)
        await expert.hear("state", mic=True, camera=False, screen=False)
        await customer.say(type="signal", data={"offer": 1})
        await expert.hear("signal", data={"offer": 1})
        assert not customer.all("state")
        assert not customer.all("signal")


# -- the meter -------------------------------------------------------------------------------------------------


async def test_the_meter_runs_while_both_are_there(live, pair):
    async with live() as place:
        start = clock.now()
        clock.set(start)
        expert = await place.enter(pair.session, pair.expert)
        assert not any(meter["running"] for meter in expert.all("meter"))
        clock.advance(timedelta(seconds=2))
        customer = await place.enter(pair.session, pair.customer)
        await expert.hear("meter", running=True, seconds=0)
        for _step in range(5):
            clock.advance(timedelta(seconds=2))
            await _heard_of(place, pair)
        await customer.vanish()
        await expert.hear("meter", running=False, seconds=10)
        clock.advance(timedelta(seconds=3))
        await place.enter(pair.session, pair.customer)
        await expert.hear("meter", running=True, seconds=10)


async def _heard_of(place, pair):
    now = clock.now()
    await until(lambda: all(row.last_seen_at == now for row in place.presences(pair.session) if not row.left_at))


async def test_the_meter_begins_with_the_booked_time_by_itself(live, make_pair):
    pair = make_pair(begins_in=600)
    async with live() as place:
        clock.set(pair.booking.starts_at - timedelta(seconds=2))
        await place.node_is_heard_of()
        browsers = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        await browsers[1].hear("meter", running=False)  # the newcomer is told last
        assert not any(meter["running"] for browser in browsers for meter in browser.all("meter"))
        clock.set(pair.booking.starts_at)
        for browser in browsers:
            await browser.hear("meter", running=True, seconds=0)


async def test_silence_ends_a_presence_at_the_moment_last_heard(live, pair):
    async with live() as place:
        clock.set(clock.now())
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        clock.advance(timedelta(seconds=2))
        await _heard_of(place, pair)
        last = clock.now()
        customer.silent()
        await asyncio.sleep(0.1)  # the last ping is through
        for _step in range(3):
            now = clock.advance(timedelta(seconds=2))
            await until(lambda now=now: place.presences(pair.session, pair.expert)[0].last_seen_at == now)
        await expert.hear("peer", present=False)
        assert place.presences(pair.session, pair.customer)[0].left_at == last
        assert (await expert.hear("meter", running=False))["seconds"] == 2


async def test_nobody_is_thrown_out_and_nobody_pays_when_the_clock_jumps(live, pair):
    async with live() as place:
        clock.set(clock.now())
        browsers = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        await browsers[0].hear("meter", running=True)
        for jump in (2, 600, 3):
            clock.advance(timedelta(seconds=jump))
            await _heard_of(place, pair)
        with place.site.database.read() as db:
            assert service.connected_seconds(db, db.get_one(Session, pair.session.id)) == 5
        for browser in browsers:
            assert [len(browser.all(kind)) for kind in ("welcome", "error")] == [1, 0]
            assert browser.all("meter")[-1]["running"]
        await browsers[0].say(type="leave")
        await browsers[1].hear("meter", running=False, seconds=5)


# -- one person, two windows -----------------------------------------------------------------------------------


async def test_a_second_window_replaces_the_first(live, pair):
    async with live() as place:
        expert = await place.enter(pair.session, pair.expert)
        first = await place.enter(pair.session, pair.customer)
        second = await place.enter(pair.session, pair.customer)
        assert await first.closed() == 4001
        await first.vanish()
        await second.say(type="chat", client_id="a", body="from the new window")
        await expert.hear("chat", body="from the new window")
        earlier, later = place.presences(pair.session, pair.customer)
        assert earlier.left_at is not None
        assert later.left_at is None
        assert (await expert.hear("peer"))["present"] is True
        dismissed = [call for call in place.driver.calls if call[0] == "dismiss"]
        assert dismissed == [], "the end of the old window took the media from the new one"


async def test_windows_that_replace_each_other_all_the_time_leave_one(live, pair):
    async with live() as place:
        for _round in range(5):
            tickets = [place.ticket(pair.session, pair.customer) for _window in range(4)]
            windows = [(await place.connect(ticket=ticket)).live() for ticket in tickets]
            await until(lambda ws=windows: all(w.heard for w in ws) and [w.code for w in ws].count(4001) == 3)
        await until(lambda: sum(row.left_at is None for row in place.presences(pair.session)) == 1)
        assert place.driver.rooms[pair.session.room_id] == {str(pair.customer.id)}


# -- the end ---------------------------------------------------------------------------------------------------


async def test_only_the_expert_ends_and_both_are_sent_home(live, pair):
    async with live() as place:
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        await customer.say(type="end")
        assert (await customer.hear("error"))["code"] == "not_allowed"
        for _time in range(2):
            await expert.say(type="end")
        for browser in (expert, customer):
            await browser.hear("ended")
            assert await browser.closed() == 4002
        await until(lambda: place.node.rooms.idle)
        assert place.driver.rooms == {}
        assert all(row.left_at for row in place.presences(pair.session))
    with place.site.database.read() as db:
        session = db.get_one(Session, pair.session.id)
        assert (session.state, session.end_reason, session.booking.state) == ("ended", "expert", "completed")


@pytest.mark.parametrize("event", ["heard", "lost"])
async def test_an_end_that_another_process_wrote_reaches_the_room(live, pair, monkeypatch, event):
    async with live() as place:
        browsers = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        if event == "lost":  # while the process slept for an hour
            monkeypatch.setattr(service, "tell", lambda *_: None)
        with place.site.database.write() as db:
            service.end(db, db.get_one(Session, pair.session.id), "operator", SYSTEM)
        if event == "lost":
            await following.doubt(place.node)
        for browser in browsers:
            assert await browser.closed() == 4002


async def test_who_enters_while_the_session_ends_does_not_stay(live, pair):
    async with live() as place:
        expert = await place.enter(pair.session, pair.expert)
        ticket = place.ticket(pair.session, pair.customer)
        await asyncio.gather(expert.say(type="end"), place.connect(ticket=ticket))
        late = place.browsers[-1].live()
        assert await late.closed() in (1008, 4002)
        await until(lambda: place.node.rooms.idle)
        assert all(row.left_at for row in place.presences(pair.session))


# -- transports that fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["start", "open_room", "admit"])
@pytest.mark.parametrize("error", [TransportFull("full", 7), TransportError("broken"), RuntimeError("a bug")], ids=repr)
async def test_without_media_the_room_works_for_chat_and_the_media_come_later(live, pair, failures, call, error):
    failures[call] = error
    async with live() as place:
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        welcome = await expert.hear("welcome")
        assert welcome["transport"] is None
        assert welcome["retry_after"] == (7 if isinstance(error, TransportFull) else 5)
        await customer.say(type="chat", client_id="a", body="Do you see me?")
        await expert.hear("chat", body="Do you see me?")
        await expert.hear("meter", running=True)
        failures.clear()
        await expert.say(type="grant")
        assert (await expert.hear("grant"))["transport"]["config"]["token"]


async def test_a_transport_that_fails_at_the_end_harms_nobody(live, pair, failures):
    async with live() as place:
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        for call in ("on_signal", "dismiss", "close_room"):
            failures[call] = RuntimeError("a bug")
        await customer.say(type="signal", data={})
        customer.silent()
        await customer.vanish()
        await expert.hear("peer", present=False)
        await place.enter(pair.session, pair.customer)
        await expert.say(type="end")
        assert await expert.closed() == 4002
        await until(lambda: place.node.rooms.idle)


# -- the process -----------------------------------------------------------------------------------------------


async def test_routes_of_a_plugin_go_with_it_and_their_answers_can_be_read_by_the_site(live, site):
    origin = {"Origin": str(site.config.public_url).rstrip("/")}
    async with live() as place:
        answer = await place.client.post("/x/video_dummy/echo", data="hello", headers=origin)
        assert (answer.status, await answer.text()) == (201, "hello")
        assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert {"Location", "ETag"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        asked = await place.client.options("/x/video_dummy/echo", headers=origin)
        assert asked.status == 204
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
        with site.database.write() as db:
            set_enabled(db, "video_dummy", False, SYSTEM)
        gone = await place.client.post("/x/video_dummy/echo", data="hello", headers=origin)
        assert gone.status == 404
        assert gone.headers["Access-Control-Allow-Origin"] == origin["Origin"]


async def test_a_node_says_that_it_is_there_and_when_it_goes(live, site, pair):
    def rows():
        with site.database.read() as db:
            return {row.name: row.rooms for row in db.scalars(select(LiveNode))}

    async with live() as place:
        await place.enter(pair.session, pair.customer)
        await until(lambda: rows() == {"n1": 1})
    assert rows() == {}
    assert place.presences(pair.session)[0].left_at is not None


async def test_a_successor_closes_what_a_killed_process_left_open(live, site, pair):
    seen = clock.now() - timedelta(seconds=30)
    with site.database.write() as db:
        for node in ("n1", "n2"):
            db.add(
                Presence(
                    session_id=pair.session.id, user_id=pair.expert.id, node=node, joined_at=seen, last_seen_at=seen
                )
            )
    async with live() as place:
        mine, other = place.presences(pair.session)
        assert mine.left_at == seen
        assert other.left_at is None


async def test_a_room_that_moved_sends_its_browsers_to_the_other_node(live, pair):
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        with place.site.database.write() as db:
            db.get_one(Session, pair.session.id).node = "n2"
            service.tell(db, pair.session, {"type": "moved"})
        assert await browser.closed() == 1012
        await until(lambda: place.node.rooms.idle)


async def test_stopping_tells_the_browsers_to_come_back(live, pair):
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        await place.node.say_goodbye()
        assert await browser.closed() == 1012


async def test_rooms_leave_nothing_behind(live, pair, monkeypatch):
    monkeypatch.setattr(media, "LINGER", timedelta(0))
    async with live() as place:
        await (await place.enter(pair.session, pair.customer, pinging=False)).vanish()
        await until(lambda: place.node.rooms.idle)
        before = len(asyncio.all_tasks())
        for _round in range(50):
            browser = await place.enter(pair.session, pair.customer, pinging=False)
            await browser.say(type="leave")
            await browser.closed()
        await until(lambda: place.node.rooms.idle and len(asyncio.all_tasks()) <= before)
        assert place.driver.rooms == {}
        assert place.node.rooms._locks == {}
