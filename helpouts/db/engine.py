"""Engines and sessions for SQLite and PostgreSQL.

SQLite takes ``BEGIN IMMEDIATE`` for every transaction that may write, so that writers queue instead of
failing half way, and runs in WAL mode with ``synchronous=FULL`` because money is written through it.
On PostgreSQL a transaction that only reads is declared so.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from helpouts.db import later

T = TypeVar("T")
#: PostgreSQL's serialization failure and deadlock (SQLSTATE 40001, 40P01): the transaction may be run again.
RETRYABLE = frozenset({"40001", "40P01"})
#: The log is moved into the database every 4000 pages, not 1000: a booking writes two dozen, and who moves it makes all
#: writers wait.  32 MB of pages are kept by each connection.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "wal_autocheckpoint=4000",
    "cache_size=-32000",
)
#: How long a writer of SQLite waits for its turn.
_PATIENCE_MS = 30_000
#: A connection to PostgreSQL that was used so lately, in seconds, is taken to be alive.
_RESTED = 1.0
_KEY = "helpouts.put_back"
#: Seconds between two looks whether it has come.
_LOOK_AGAIN = 0.0001


class Database:
    """One database, reached through a reading and a writing face of one engine.

    :param url: an SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://...``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)
        self.write_engine = self.engine.execution_options(helpouts_write=True)
        #: put into ``Session.info`` of every session made here (see :mod:`helpouts.runtime`).
        self.session_info: dict[str, Any] = {}

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.engine.dialect.name == "sqlite"

    def session(self, *, write: bool) -> Session:
        """A new session; the caller commits and closes it.  ``write=False`` still lets nobody be surprised:
        on SQLite it begins deferred, so a late write may be refused as busy."""
        bind = self.write_engine if write else self.engine
        return Session(bind=bind, info=dict(self.session_info), expire_on_commit=False)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and rolls back on any exception."""
        with self.session(write=True) as db, db.begin():
            yield db

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction for reading; whatever was changed in it is thrown away."""
        with self.session(write=False) as db:  # which rolls back as it closes
            yield db

    def run(self, work: Callable[[Session], T], *, attempts: int = 5) -> T:
        """Run ``work`` in a writing transaction, again when PostgreSQL asks for a retry."""
        for attempt in range(1, attempts + 1):
            try:
                with self.write() as db:
                    return work(db)
            except DBAPIError as error:
                if attempt == attempts or getattr(error.orig, "sqlstate", None) not in RETRYABLE:
                    raise
        raise AssertionError("unreachable")

    def dispose(self) -> None:
        """Close all pooled connections (before a fork, and at the end)."""
        self.engine.dispose()


def _make_engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_size=5, max_overflow=10)
        event.listen(engine, "checkin", _put_back)
        event.listen(engine, "checkout", partial(_take_out, engine))
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        later.listen(engine)
        return engine
    # Connections are kept: opening one and setting its pragmas costs thirty times an empty transaction.
    engine = create_engine(url, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    later.listen(engine)
    return engine


def _put_back(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_KEY] = time.monotonic()


def _take_out(engine: Engine, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that has rested whether the server still knows it; one that just worked need not be asked.

    :raises DisconnectionError: it does not; the pool takes another.
    """
    if time.monotonic() - record.info.get(_KEY, math.inf) < _RESTED:
        return
    try:
        alive = engine.dialect.do_ping(connection)
    except psycopg.Error:
        alive = False
    if not alive:
        raise DisconnectionError


class _Connection(psycopg.Connection[Any]):
    """A connection whose prepared statements outlive the transactions that only read.

    psycopg forgets them all at each ROLLBACK, and makes the server plan every statement anew.
    """

    def rollback(self) -> None:
        """End the transaction; where nothing can have been written a COMMIT is the same."""
        if self.read_only and self.info.transaction_status == TransactionStatus.INTRANS:
            self.commit()
        else:
            super().rollback()


def _connect_postgresql(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> _Connection:
    made = _Connection.connect(*arguments, **options)
    # Compiling what takes the server tens of milliseconds to run takes it longer than that.  Said here and not while
    # connecting, since poolers between us refuse options.
    made.autocommit = True
    made.execute("SET jit = off")
    made.autocommit = False
    return made


def _begin_postgresql(connection: Connection) -> None:
    driver, read_only = connection.connection.driver_connection, not _writes(connection)
    if driver is not None and bool(driver.read_only) != read_only:
        driver.read_only = read_only


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (*_PRAGMAS, f"busy_timeout={_PATIENCE_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if _writes(connection):
        _take_turn(driver)
    else:
        driver.execute("BEGIN")


def _take_turn(driver: sqlite3.Connection) -> None:
    """Begin to write as soon as the writer before is done.

    SQLite's own patience looks again after 1, 2, 5, 10 … 100 ms: with a few writers of a millisecond each, nobody
    writes half of the time, and who has waited longest waits longest again.

    :raises sqlite3.OperationalError: when nobody else has finished for as long as the patience lasts.
    """
    end = time.monotonic() + _PATIENCE_MS / 1000
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            time.sleep(_LOOK_AGAIN)
    finally:
        driver.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("helpouts_write", False))
