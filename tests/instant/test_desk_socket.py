"""The desk's WebSocket: the way in, rings on every device, goodbyes, restarts, and few writes for many people."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import event, select

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.instant import answering, asking, driving, presence, tickets
from helpouts.instant.models import InstantOffer, InstantRequest
from helpouts.live import following
from helpouts.live.server import NODE, make_app
from helpouts.runtime import Runtime, runtime_of
from helpouts.testing.factories import make_customer, make_expert, make_listing


class Place:
    """A running live process, and what people do meanwhile."""

    def __init__(self, runtime, client) -> None:
        self.runtime, self.client = runtime, client

    @property
    def node(self):
        """The state of the process."""
        return self.client.app[NODE]

    @property
    def desk(self):
        """The desk of the process."""
        return self.node.desk

    def ticket(self, user_id: int) -> str:
        """As the web process gives it."""
        with self.runtime.database.write() as db:
            return tickets.issue(db, user_id).token

    async def device(self, user_id: int):
        """A device that has come in; (socket, first state)."""
        socket = await self.client.ws_connect("/ws/desk")
        await socket.send_json({"type": "hello", "ticket": await asyncio.to_thread(self.ticket, user_id)})
        return socket, await socket.receive_json(timeout=10)

    def write(self, work):
        """A transaction of another process."""
        with self.runtime.database.write() as db:
            return work(db)

    def available(self, user_id: int, later=None) -> bool:
        """Whether the person is available, now or at a later moment."""
        with self.runtime.database.read() as db:
            moment = clock.now() + (later or clock.now() - clock.now())
            return user_id in set(db.scalars(presence.available_users(moment)))


@pytest.fixture
def live(runtime):
    """``async with live() as place``."""

    @asynccontextmanager
    async def run(name="n1"):
        config = runtime.config.replace(node=name)
        site = Runtime(config, runtime.database, runtime.registry)
        async with TestClient(TestServer(make_app(site))) as client:
            yield Place(site, client)

    return run


@pytest.fixture
def shop(runtime):
    """(listing id, expert's user id, customer id), the switch on and no device yet."""
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db))
        presence.turn(db, listing.expert.owner.id, True)
        return listing, listing.expert.owner.id, make_customer(db).id


def ask(shop):
    """A transaction that asks for help."""

    def work(db):
        listing, _host, customer_id = shop
        customer = db.get_one(User, customer_id)
        return asking.ask(
            db,
            customer,
            answers(runtime_of(db).registry.category("it")),
            listing=db.get_one(type(listing), listing.id),
            zone="UTC",
            idempotency_key=secrets.token_hex(4),
            actor=Actor("customer", customer_id, ""),
        ).id

    return work


async def rings(socket, count, seconds=10):
    """The next state with so many rings."""
    async with asyncio.timeout(seconds):
        while True:
            message = await socket.receive_json()
            if message["type"] == "state" and len(message["rings"]) == count:
                return message


def accept(db):
    """Whoever is rung accepts."""
    offer = db.scalars(select(InstantOffer).where(InstantOffer.state == "ringing")).unique().one()
    answering.accept(db, offer, Actor("expert", offer.user_id, ""))


def test_all_devices_ring_and_stop_when_one_has_answered(live, shop):
    async def main():
        async with live() as place:
            one, first = await place.device(shop[1])
            two, _ = await place.device(shop[1])
            assert (first["on"], first["rings"]) == (True, [])
            customer, _ = await place.device(shop[2])
            await asyncio.to_thread(place.write, ask(shop))
            for socket in (one, two):
                [ring] = (await rings(socket, 1))["rings"]
                assert (ring["customer"], ring["title"]) == ("Clara", "Set up your wireless router")
                assert 55_000 < ring["until"] - ring["now"] <= 60_000
            await asyncio.to_thread(place.write, accept)
            for socket in (one, two):
                await rings(socket, 0)
            marks = []
            async with asyncio.timeout(10):
                while not marks or not marks[-1].startswith("accepted"):
                    found = (await customer.receive_json())["request"]
                    marks.append(found["mark"] if found else "")

    asyncio.run(main())


def test_a_device_that_comes_back_after_the_end_of_the_process_rings_again(live, shop):
    async def main():
        async with live() as place:
            socket, _ = await place.device(shop[1])
            await asyncio.to_thread(place.write, ask(shop))
            await rings(socket, 1)
            await place.desk.say_goodbye()
            assert (await socket.receive()).data == 1012
        async with live() as place:
            assert place.available(shop[1])  # the end of the process has cut nobody's presence short
            _socket, state = await place.device(shop[1])
            assert len(state["rings"]) == 1

    asyncio.run(main())


def test_a_second_node_hears_of_the_same_ring(live, shop):
    async def main():
        async with live("n1") as here, live("n2") as there:
            one, _ = await here.device(shop[1])
            two, _ = await there.device(shop[1])
            await asyncio.to_thread(here.write, ask(shop))
            await rings(one, 1)
            await rings(two, 1)

    asyncio.run(main())


def test_a_ring_arrives_even_when_its_event_was_missed(live, shop, monkeypatch):
    """The process slept for so long that the events were tidied away."""

    async def main():
        async with live() as place:
            socket, _ = await place.device(shop[1])
            monkeypatch.setattr(driving, "tell", lambda *_: None)
            await asyncio.to_thread(place.write, ask(shop))
            await following.doubt(place.node)
            await rings(socket, 1)

    asyncio.run(main())


def test_the_live_process_asks_the_next_when_the_time_is_over(live, shop, runtime):
    with runtime.database.write() as db:
        from helpouts.audit.actor import SYSTEM
        from helpouts.site import put

        put(db, "ring_seconds", 3, SYSTEM)

    async def main():
        async with live() as place:
            socket, _ = await place.device(shop[1])
            request_id = await asyncio.to_thread(place.write, ask(shop))
            await rings(socket, 1)
            await rings(socket, 0)  # its time is over; the request is looked at within half a second

            def state() -> str:
                with runtime.database.read() as db:
                    return db.get_one(InstantRequest, request_id).state

            while state() == "ringing":
                await asyncio.sleep(0.05)
            assert state() == "unanswered"

    asyncio.run(main())


def test_a_ticket_is_good_once_and_for_its_own_person(live, shop):
    async def main():
        async with live() as place:
            token = await asyncio.to_thread(place.ticket, shop[1])
            for wanted in ("state", None):
                socket = await place.client.ws_connect("/ws/desk")
                await socket.send_json({"type": "hello", "ticket": token})
                message = await socket.receive(timeout=10)
                assert (message.json()["type"] if wanted else message.data) == (wanted or 1008)

    asyncio.run(main())


@pytest.mark.parametrize("said", ["", "[]", '{"ticket": 7}', '{"type": "hello", "ticket": "\\u0000"}', "x" * 900])
def test_whoever_says_nonsense_is_shown_out(live, said):
    async def main():
        async with live() as place:
            socket = await place.client.ws_connect("/ws/desk")
            await socket.send_str(said)
            assert (await socket.receive(timeout=10)).data == 1008

    asyncio.run(main())


def test_goodbye_ends_the_presence_soon_and_a_broken_line_only_by_silence(live, shop):
    async def main():
        async with live() as place:
            socket, _ = await place.device(shop[1])
            soon = presence.GOODBYE + presence.BEAT / 4
            assert place.available(shop[1], soon)
            await socket.send_json({"type": "bye"})
            async with asyncio.timeout(10):
                while place.available(shop[1], soon):
                    await asyncio.sleep(0.05)
            assert place.available(shop[1])

    asyncio.run(main())


def test_many_come_in_by_few_transactions(live, runtime):
    with runtime.database.write() as db:
        people = [make_expert(db, f"E{number} X", paid=False).owner.id for number in range(60)]

    async def main():
        async with live() as place:
            tokens = [place.ticket(user_id) for user_id in people]
            commits = []
            event.listen(runtime.database.engine, "commit", lambda _connection: commits.append(1))
            sockets = [await place.client.ws_connect("/ws/desk") for _ in tokens]
            before = len(commits)
            for socket, token in zip(sockets, tokens, strict=True):
                await socket.send_json({"type": "hello", "ticket": token})
            for socket in sockets:
                assert (await socket.receive_json(timeout=10))["type"] == "state"
            assert len(commits) - before <= 25  # far fewer than 60; the process's own beats are among them
            assert len(place.desk.devices) == 60

    asyncio.run(main())
