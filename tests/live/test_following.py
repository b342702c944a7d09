"""The live process hears what other processes commit, in whatever order they do, with and without being told."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from helpouts.audit.actor import SYSTEM
from helpouts.live import following
from helpouts.sessions import service
from helpouts.sessions.models import LiveEvent, Session

from .conftest import until


def end(db, pair) -> None:
    service.end(db, db.get_one(Session, pair.session.id), "operator", SYSTEM)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_end_that_commits_after_a_later_event_reaches_the_room(live, pair):
    async with live() as place:
        browser = await place.enter(pair.session, pair.customer)
        with place.site.database.session(write=True) as slow:
            end(slow, pair)
            slow.flush()
            with place.site.database.write() as db:
                db.add(LiveEvent(topic=f"desk:{pair.expert.id}", payload={}))
            await until(lambda: place.node.position.heard)
            slow.commit()
        assert await browser.closed() == 4002


async def test_an_event_is_heard_without_waiting_for_the_next_look(live, pair, monkeypatch):
    """On PostgreSQL, which tells; SQLite is asked often instead."""
    monkeypatch.setattr(following, "NET", 3600)
    async with live() as place:
        if not place.site.database.is_sqlite:
            await until(lambda: place.node.told)
        browser = await place.enter(pair.session, pair.customer)
        await asyncio.to_thread(place.site.database.run, lambda db: end(db, pair))
        assert await browser.closed() == 4002


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_is_not_told_any_more_asks_and_is_told_again_later(live, pair, monkeypatch):
    monkeypatch.setattr(following, "NET", 3600)
    monkeypatch.setattr(following, "AGAIN", 1)
    async with live() as place:
        await until(lambda: place.node.told)
        browser = await place.enter(pair.session, pair.customer)
        options = place.site.database.engine.dialect.create_connect_args(place.site.database.engine.url)[1]
        with psycopg.connect(**options, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        await until(lambda: not place.node.told)
        await asyncio.to_thread(place.site.database.run, lambda db: end(db, pair))
        assert await browser.closed() == 4002
        await until(lambda: place.node.told)


async def test_an_event_that_cannot_be_worked_on_does_not_stop_the_others(live, make_pair, monkeypatch):
    first, second = make_pair(), make_pair()
    async with live() as place:
        one = await place.enter(first.session, first.customer)
        two = await place.enter(second.session, second.customer)
        with place.site.database.write() as db:
            service.tell(db, db.get_one(Session, first.session.id), {"type": ["ended"]})
            db.add(LiveEvent(topic="desk:nobody", payload={}))
            db.add(LiveEvent(topic="", payload={}))
            end(db, second)
        assert await two.closed() == 4002
        assert one.code is None
