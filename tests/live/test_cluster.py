"""Two and three real live processes: a call outlives the one that has it, and is not ended by an upgrade."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import select

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.sessions import nodes, service
from helpouts.sessions.models import LiveNode, Presence, Session
from helpouts.testing.cluster import Cluster, Page
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

from .conftest import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(params=["sqlite", "postgresql"])
def cluster(request, tmp_path):
    """No process yet; ``start("n1", "n2")`` starts some."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create(f"cluster_{secrets.token_hex(4)}")
    made = Cluster(tmp_path, url)
    yield made
    made.stop()


def room(cluster: Cluster) -> Session:
    """A booking that has just begun."""
    with cluster.runtime.database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
        db.flush()
        return service.session_of(db, booking)


@asynccontextmanager
async def call(cluster: Cluster, session: Session):
    """(expert's page, customer's page), connected, the meter running."""
    async with aiohttp.ClientSession() as client:
        pages = [
            Page(cluster.runtime, client, session, who) for who in (session.booking.host, session.booking.customer)
        ]
        try:
            await until(lambda: all(page.newest("meter").get("running") for page in pages), 30)
            yield pages
        finally:
            await asyncio.gather(*(page.close() for page in pages))


def node_of(cluster: Cluster, session: Session) -> str:
    with cluster.runtime.database.read() as db:
        return db.get_one(Session, session.id).node


async def test_rooms_are_spread_over_the_processes(cluster):
    cluster.start("n1", "n2", "n3")
    sessions = [room(cluster) for _room in range(3)]
    pages = []
    async with aiohttp.ClientSession() as client:
        for session in sessions:
            pages.append(Page(cluster.runtime, client, session, session.booking.customer))
            await until(lambda: pages[-1].count("welcome"), 30)
            counted = clock.now() + timedelta(seconds=0.6)
            await until(lambda counted=counted: all(heard > counted for heard in beats(cluster)))
        assert {node_of(cluster, session) for session in sessions} == {"n1", "n2", "n3"}
        await asyncio.gather(*(page.close() for page in pages))


def beats(cluster: Cluster) -> list:
    """When the processes were heard last."""
    with cluster.runtime.database.read() as db:
        return list(db.scalars(select(LiveNode.heartbeat_at)))


async def test_a_killed_process_is_left_behind_in_the_middle_of_a_call(cluster):
    cluster.start("n1", "n2")
    session = room(cluster)
    async with call(cluster, session) as (expert, customer):
        await customer.say(type="chat", client_id="a", body="before")
        await until(lambda: expert.lines == customer.lines == ["before"])
        first = node_of(cluster, session)
        cluster.kill(first)
        killed_at = clock.now()
        await until(lambda: expert.count("welcome") == customer.count("welcome") == 2, 30)
        back_at = clock.now()
        await until(lambda: all(page.newest("meter").get("running") for page in (expert, customer)))
        assert node_of(cluster, session) != first
        assert expert.url == customer.url
        await expert.say(type="chat", client_id="b", body="after")
        await until(lambda: expert.lines == customer.lines == ["before", "after"])
    with cluster.runtime.database.read() as db:
        rows = db.scalars(select(Presence).where(Presence.session_id == session.id).order_by(Presence.id)).all()
        before, after = rows[:2], rows[2:]
        assert all(killed_at - timedelta(seconds=2.5) <= row.left_at <= killed_at for row in before)
        assert all(killed_at < row.joined_at <= back_at for row in after)


async def test_an_upgrade_ends_no_call(cluster):
    cluster.start("n1", "n2")
    session = room(cluster)
    async with call(cluster, session) as (expert, customer):
        name = node_of(cluster, session)
        with cluster.runtime.database.write() as db:
            nodes.set_draining(db, name, True, SYSTEM)
        later = room(cluster)
        async with call(cluster, later):
            assert node_of(cluster, later) != name
        pongs = customer.count("pong")
        await until(lambda: customer.count("pong") > pongs)  # who was not heard since the other came gets a new grant
        customer.cut()
        await until(lambda: customer.count("welcome") == 2)
        assert customer.newest("welcome")["media"] == "kept"
        assert node_of(cluster, session) == name
        await expert.say(type="end")
        await until(lambda: expert.count("ended") and customer.count("ended"))
        assert await asyncio.to_thread(cluster.processes[name].wait, 20) == 0
        with cluster.runtime.database.read() as db:
            assert name not in db.scalars(select(LiveNode.name)).all()


async def test_sigterm_waits_for_the_calls_where_it_is_told_to(tmp_path):
    cluster = Cluster(tmp_path, drain_on_stop="1")
    try:
        cluster.start("n1")
        session = room(cluster)
        async with call(cluster, session) as (expert, _customer):
            cluster.processes["n1"].terminate()

            def draining():
                with cluster.runtime.database.read() as db:
                    return db.scalars(select(LiveNode.draining)).all() == [True]

            await until(draining)
            await expert.say(type="chat", client_id="a", body="Go on.")
            await until(lambda: expert.lines == ["Go on."])
            await expert.say(type="end")
            assert await asyncio.to_thread(cluster.processes["n1"].wait, 20) == 0
    finally:
        cluster.stop()
