"""An operator in the room over its socket: told to both, let in with a ticket, hearing only what is meant for them."""

from __future__ import annotations

import asyncio

import pytest

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.errors import NotAllowed
from helpouts.sessions import chat, recording, reports, service, support
from helpouts.sessions.models import LiveNode, Session
from helpouts.sessions.support_models import SupportRequest
from helpouts.sessions.tickets import issue_ticket
from helpouts.testing.factories import make_user

from .conftest import until


@pytest.fixture
def operator(site):
    with site.database.write() as db:
        return make_user(db, "Olivia Ops", "support")


async def both(place, pair):
    return await place.enter(pair.session, pair.expert), await place.enter(pair.session, pair.customer)


async def asked_in(site, pair, operator, customer):
    """The customer asks over the socket, the operator takes it in the console's process."""
    await customer.say(type="support_ask", reason="we do not agree")
    await customer.hear("support", state="open", mine=True)

    def take(db):
        request = support.standing(db, pair.session.id)
        support.take(db, db.get_one(SupportRequest, request.id), Actor("operator", operator.id, operator.email))

    await asyncio.to_thread(site.database.run, take)


async def test_both_are_told_who_asked_who_comes_who_is_here_and_who_has_left(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        assert (await expert.hear("welcome"))["support"] == {"state": None, "here": False}
        await asked_in(site, pair, operator, customer)
        told = await expert.hear("support", state="open")
        assert (told["mine"], told["reason"]) == (False, "we do not agree")
        await expert.hear("chat", kind="asked", name=pair.customer.name, body="we do not agree")
        for browser in (expert, customer):
            await browser.hear("support", state="taken", operator="Olivia Ops", here=False)
        guest = await place.enter(pair.session, operator)
        for browser in (expert, customer):
            await browser.hear("support", state="taken", operator="Olivia Ops", here=True)
            await browser.hear("chat", kind="entered", name="Olivia Ops")
        await guest.say(type="support_leave")
        await guest.hear("support_over")
        assert await guest.closed() == 4002
        for browser in (expert, customer):
            await browser.hear("support", state=None, here=False)
            await browser.hear("chat", kind="left")
        await until(lambda: place.presences(pair.session, operator)[0].left_at)


async def test_the_operator_reads_from_the_request_on_and_writes_by_name(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await expert.say(type="chat", client_id="a", body="between us")
        await customer.hear("chat", body="between us")
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator, after=0)
        assert [line["kind"] for line in (await guest.hear("welcome"))["chat"]] == ["asked", "entered"]
        await expert.say(type="chat", client_id="b", body="he is right")
        await guest.hear("chat", body="he is right")
        await guest.say(type="chat", client_id="c", body="let us see")
        for browser in (expert, customer):
            await browser.hear("chat", body="let us see", kind="operator", name="Olivia Ops", user=operator.id)
        assert "between us" not in [line["body"] for line in guest.all("chat")]


async def test_the_operator_sees_how_the_two_stand(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        people = (await guest.hear("welcome"))["people"]
        assert {user: person["present"] for user, person in people.items()} == {
            str(pair.expert.id): True,
            str(pair.customer.id): True,
        }
        await guest.hear("people")
        await expert.say(type="state", mic=False, camera=True)
        await until(lambda: guest.all("people")[-1]["people"][str(pair.expert.id)]["state"].get("mic") is False)
        await customer.say(type="leave")
        await until(lambda: not guest.all("people")[-1]["people"][str(pair.customer.id)]["present"])


@pytest.mark.parametrize("kind", ["signal", "grant", "notes", "recording", "extend", "end", "state", "support_ask"])
async def test_what_is_for_the_two_is_not_for_the_operator(live, site, pair, operator, kind):
    async with live() as place:
        _expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        await guest.say(type=kind, reason="x", agree=True, adult=True, data={}, minutes=5)
        assert (await guest.hear("error"))["code"] == "not_allowed"
        assert (await guest.hear("welcome")).keys() == {"type", "you", "people", "chat"}
        assert operator.id not in {int(name) for name in place.driver.rooms[pair.session.room_id]}


async def test_the_meter_runs_for_the_two_alone(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        await place.enter(pair.session, operator)
        room = place.node.rooms.by_id[pair.session.room_id]
        assert room.complete
        await expert.say(type="leave")
        await customer.hear("meter", running=False)
        await customer.hear("peer", present=False)
        assert not room.complete


async def test_a_recording_needs_no_consent_of_the_operator_and_has_none_of_them(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        for browser in (expert, customer):
            await browser.say(type="recording", agree=True, adult=True)
        await customer.hear("recording", running=True)
        assert guest.all("recording") == []
        with site.database.read() as db:
            found = recording.standing(db, db.get_one(Session, pair.session.id))
        assert found.agreed == tuple(sorted((pair.expert.id, pair.customer.id)))


async def test_an_operator_who_was_not_asked_gets_no_ticket_and_a_used_one_opens_nothing(live, site, pair, operator):
    with site.database.write() as db:
        other = make_user(db, "Otto Ops", "support")
    async with live() as place:
        _expert, customer = await both(place, pair)
        with pytest.raises(NotAllowed):
            place.ticket(pair.session, operator)
        await asked_in(site, pair, operator, customer)
        with pytest.raises(NotAllowed):
            place.ticket(pair.session, other)
        ticket = place.ticket(pair.session, operator)
        first = (await place.connect(ticket=ticket, after=0)).live()
        await first.hear("welcome", you=operator.id)
        second = (await place.connect(ticket=ticket, after=0)).live()
        assert "not valid any more" in (await second.hear("error"))["message"]
        assert await second.closed() == 1008


async def test_a_ticket_is_worth_nothing_once_the_request_is_over(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        ticket = place.ticket(pair.session, operator)
        await expert.say(type="support_dismiss")
        await expert.hear("support", state=None)
        guest = (await place.connect(ticket=ticket, after=0)).live()
        assert "not asked into this room" in (await guest.hear("error"))["message"]
        assert await guest.closed() == 1008
        assert place.presences(pair.session, operator) == []


@pytest.mark.parametrize("who", ["expert", "customer"])
async def test_either_asks_the_operator_to_leave(live, site, pair, operator, who):
    async with live() as place:
        browsers = dict(zip(("expert", "customer"), await both(place, pair), strict=True))
        await asked_in(site, pair, operator, browsers["customer"])
        guest = await place.enter(pair.session, operator)
        await browsers[who].say(type="support_dismiss")
        await guest.hear("support_over")
        assert await guest.closed() == 4002
        for browser in browsers.values():
            await browser.hear("support", state=None)
        assert place.node.rooms.by_id[pair.session.room_id].guest is None


async def test_an_operator_whose_connection_drops_comes_back_in(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        await expert.hear("support", here=True)
        await guest.vanish()
        await expert.hear("support", state="taken", here=False, entered=True)
        await expert.say(type="chat", client_id="m", body="meanwhile")
        back = await place.enter(pair.session, operator, after=2)
        assert [line["body"] for line in (await back.hear("welcome"))["chat"]] == ["meanwhile"]
        await until(lambda: expert.all("support")[-1]["here"])
        assert len(expert.all("chat")) == 3  # the coming back is no news


async def test_the_operator_ends_the_session_with_a_reason_that_both_read(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        await guest.say(type="support_end", reason=" ")
        assert "Say why" in (await guest.hear("error"))["message"]
        await guest.say(type="support_end", reason="This is no place for it.")
        for browser in (expert, customer, guest):
            assert (await browser.hear("ended"))["note"] == "This is no place for it."
        with site.database.read() as db:
            session = db.get_one(Session, pair.session.id)
            assert (session.state, session.end_reason) == ("ended", "operator")
            assert support.standing(db, session.id) is None
        assert pair.session.room_id not in place.node.rooms.by_id


async def test_the_operator_alone_keeps_the_room_and_who_comes_back_gets_the_call(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        for browser in (expert, customer):
            await browser.say(type="leave")
            await browser.closed()
        again = await place.enter(pair.session, pair.customer)
        assert (await again.hear("welcome"))["transport"]["name"] == "dummy"
        await again.say(type="chat", client_id="z", body="still here?")
        await guest.hear("chat", body="still here?")


async def test_the_session_ends_elsewhere_and_the_operator_is_out_too(live, site, pair, operator):
    async with live() as place:
        _expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)
        actor = Actor("expert", pair.expert.id)
        session_id = pair.session.id
        await asyncio.to_thread(
            site.database.run, lambda db: service.end(db, db.get_one(Session, session_id), "expert", actor)
        )
        await guest.hear("ended")
        assert await guest.closed() == 4002


async def test_a_reported_session_is_read_whole(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await expert.say(type="chat", client_id="a", body="pay me outside")
        await customer.hear("chat", body="pay me outside")
        await asked_in(site, pair, operator, customer)
        with site.database.write() as db:
            session = db.get_one(Session, pair.session.id)
            reports.report(db, session, "fraud", "", Actor("customer", pair.customer.id))
        guest = await place.enter(pair.session, operator)
        assert (await guest.hear("welcome"))["chat"][0]["body"] == "pay me outside"
        with site.database.read() as db:
            assert chat.since(db, pair.session.id, 0)[0]["seq"] == 1


async def test_a_room_that_moved_to_another_process_takes_the_operator_along(live, site, pair, operator):
    async with live() as place:
        expert, customer = await both(place, pair)
        await asked_in(site, pair, operator, customer)
        guest = await place.enter(pair.session, operator)

        def move(db):
            session = db.get_one(Session, pair.session.id)
            db.add(LiveNode(name="n2", public_url="http://n2.example", heartbeat_at=clock.now()))
            session.node = "n2"
            service.tell(db, session, {"type": "moved"})

        await asyncio.to_thread(site.database.run, move)
        for browser in (guest, expert, customer):
            assert await browser.closed() == 1012
        with site.database.write() as db:
            issued = issue_ticket(db, db.get_one(Session, pair.session.id), db.get_one(User, operator.id))
        assert issued.url == "ws://n2.example/ws"
        refused = (await place.connect(ticket=issued.token, after=0)).live()
        assert "not valid any more" in (await refused.hear("error"))["message"]
