"""Events between processes: each is heard exactly once, in whatever order the transactions commit."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, select

from helpouts.clock import clock
from helpouts.sessions import feed
from helpouts.sessions.models import LiveEvent


class Listener:
    """Somebody who listens, and what has been heard."""

    def __init__(self, database) -> None:
        self.database = database
        with database.read() as db:
            self.position = feed.now_at(db)
        self.heard: list[str] = []

    def look(self) -> list[str]:
        """What is new."""
        with self.database.read() as db:
            events, self.position = feed.later(db, self.position)
        self.heard += [event.topic for event in events]
        return [event.topic for event in events]


def say(db, topic: str) -> None:
    db.add(LiveEvent(topic=topic, payload={}))
    db.flush()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_event_that_commits_after_a_later_one_is_heard(database):
    listener = Listener(database)
    with database.session(write=True) as slow, database.session(write=True) as given_up:
        say(slow, "slow")
        say(given_up, "given up")
        with database.write() as db:
            say(db, "fast")
        assert listener.look() == ["fast"]
        assert listener.look() == []
        given_up.rollback()
        slow.commit()
    assert listener.look() == ["slow"]
    assert listener.look() == []
    assert not listener.position.heard, "what is settled need not be remembered"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_begins_to_listen_hears_what_is_committed_afterwards_and_nothing_from_before(database):
    with database.session(write=True) as slow:
        say(slow, "slow")
        with database.write() as db:
            say(db, "before")
        listener = Listener(database)
        slow.commit()
    assert listener.look() == ["slow"]


def test_everything_that_many_writers_say_is_heard_once(database):
    listener = Listener(database)
    dice = random.Random(4)
    pauses = [dice.random() / 50 for _ in range(40)]

    def write(number: int) -> None:
        for step in range(5):
            with database.write() as db:
                say(db, f"{number}:{step}:a")
                time.sleep(pauses[number * 5 + step])
                say(db, f"{number}:{step}:b")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        listener.look()
    listener.look()
    wanted = [f"{number}:{step}:{part}" for number in range(8) for step in range(5) for part in "ab"]
    assert sorted(listener.heard) == wanted
    for topic in wanted[::2]:  # one transaction's events stay in their order
        assert listener.heard.index(topic) < listener.heard.index(topic[:-1] + "b")


def test_a_number_is_not_given_again_when_old_events_are_gone(database):
    with database.write() as db:
        for topic in ("one", "two", "three"):
            say(db, topic)
    listener = Listener(database)
    clock.advance(feed.EVENT_LIFE + timedelta(minutes=1))
    with database.write() as db:
        feed.tidy(db)
    with database.read() as db:
        assert db.scalar(select(func.count()).select_from(LiveEvent)) == 1
    with database.write() as db:
        say(db, "four")
    assert listener.look() == ["four"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_tells_those_who_listen_at_the_commit(database):
    options = database.engine.dialect.create_connect_args(database.engine.url)[1]
    with psycopg.connect(**options, autocommit=True) as listening:
        listening.execute(f"LISTEN {feed.CHANNEL}")
        with database.session(write=True) as db:
            say(db, "one")
            assert list(listening.notifies(timeout=0.1)) == []
            say(db, "two")
            db.commit()
        assert [told.channel for told in listening.notifies(timeout=10, stop_after=1)] == [feed.CHANNEL]
