"""How connections are lent out: writers of SQLite take turns, and one that PostgreSQL has closed is replaced."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import OperationalError

from helpouts.db import engine
from helpouts.db.inserts import Inserted
from helpouts.db.prepared import Prepared
from helpouts.plugins.models import SiteSetting

MOMENT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
FIND = Prepared(select(SiteSetting.key).where(SiteSetting.key == bindparam("key")))
INSERT = Inserted(SiteSetting.__table__, ("key", "value", "changed_at"))
ADD = """
import sys
from sqlalchemy import text
from helpouts.db import Database
database = Database(sys.argv[1])
for _ in range(50):
    with database.write() as db:
        db.execute(text("UPDATE site_setting SET value = value + 1 WHERE key = 'count'"))
"""


def count(runtime):
    with runtime.database.read() as db:
        return db.scalar(text("SELECT value FROM site_setting WHERE key = 'count'"))


@pytest.fixture
def counted(runtime):
    with runtime.database.write() as db:
        db.add(SiteSetting(key="count", value=0))
    return runtime


@ON_SQLITE
def test_writers_of_several_processes_take_turns_and_lose_nothing(counted):
    started = [subprocess.Popen([sys.executable, "-c", ADD, counted.database.url]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    assert int(count(counted)) == 150


@ON_SQLITE
def test_a_writer_waits_until_the_one_before_is_done(counted):
    with counted.database.write() as db:
        db.execute(text("UPDATE site_setting SET value = 1"))
        done = []

        def add():
            with counted.database.write() as other:
                other.execute(text("UPDATE site_setting SET value = value + 10"))
            done.append(True)

        waiting = threading.Thread(target=add)
        waiting.start()
        time.sleep(0.1)
        assert not done
    waiting.join(timeout=30)
    assert int(count(counted)) == 11


@ON_SQLITE
def test_a_writer_whose_turn_never_comes_gets_an_error_and_its_connection_stays_good(counted, monkeypatch):
    monkeypatch.setattr(engine, "_PATIENCE_MS", 50)
    blocker = sqlite3.connect(counted.database.url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises((OperationalError, sqlite3.OperationalError), match="locked"), counted.database.write() as db:
        db.execute(text("UPDATE site_setting SET value = 1"))
    blocker.execute("ROLLBACK")
    blocker.close()
    with counted.database.write() as db:
        db.execute(text("UPDATE site_setting SET value = 2"))
    assert int(count(counted)) == 2


@ON_POSTGRESQL
def test_a_connection_that_rested_and_was_closed_by_the_server_is_replaced(runtime, monkeypatch):
    monkeypatch.setattr(engine, "_RESTED", 0.0)
    before = closed_by_the_server(runtime)
    with runtime.database.read() as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) != before


@ON_POSTGRESQL
def test_a_connection_that_just_worked_is_not_asked_and_one_error_later_another_is_there(runtime):
    before = closed_by_the_server(runtime)
    with pytest.raises(OperationalError), runtime.database.read() as db:
        db.scalar(text("SELECT pg_backend_pid()"))
    with runtime.database.read() as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) != before


def closed_by_the_server(runtime):
    """The id of the server process behind the connection that the pool lends next; it has been ended."""
    with runtime.database.read() as db:
        pid = db.scalar(text("SELECT pg_backend_pid()"))
    options = runtime.database.engine.dialect.create_connect_args(runtime.database.engine.url)[1]
    with psycopg.connect(**options, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    return pid


def test_prepared_statements_belong_to_the_savepoint_that_is_open(runtime):
    with runtime.database.write() as db:
        INSERT.run(db, {"key": "kept", "value": 1, "changed_at": MOMENT})
        nested = db.begin_nested()
        INSERT.run(db, {"key": "lost", "value": 1, "changed_at": MOMENT})
        nested.rollback()
    with runtime.database.read() as db:
        assert (FIND.scalar(db, {"key": "kept"}), FIND.scalar(db, {"key": "lost"})) == ("kept", None)
