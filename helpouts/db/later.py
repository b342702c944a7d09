"""Rows that nobody waits for: notes of steps, promises of jobs, the room of a booking.

They stand or fall with their transaction like all others, but are written together and late: when the transaction is
committed, or before the next statement that might read them (all but the :class:`~helpouts.db.prepared.Prepared` ones).
Rows of one table become one INSERT; PostgreSQL gets all of them as one statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts.db import keys
from helpouts.db.driver import connection_of, execute
from helpouts.db.inserts import MOST_ROWS, Inserted
from helpouts.db.objects import attach_new, write_new, writer_of

M = TypeVar("M")

_KEY = "helpouts.later"
_Waiting = dict[Inserted, list[Mapping[str, Any]]]


def later(db: Session, statement: Inserted, *rows: Mapping[str, Any]) -> None:
    """Have the rows, if there are any, written before the transaction ends."""
    if not rows:
        return
    waiting: _Waiting = connection_of(db).info.setdefault(_KEY, {})
    waiting.setdefault(statement, []).extend(rows)


def write_later(db: Session, thing: object) -> None:
    """Have a new object written; unlike after :func:`helpouts.db.objects.write_new` its key stays unknown."""
    writer = writer_of(type(thing), keyed=False)
    later(db, writer.statement, writer.row(thing))


def write_new_later(db: Session, thing: M, *, or_nothing: bool = False) -> M | None:
    """As :func:`helpouts.db.objects.write_new`, but late when a key was offered for the object.

    What the database then has against it, it says at :func:`write_now`.
    """
    writer = writer_of(type(thing))
    key = keys.take(db, writer.table)
    if key is None:
        write_now(db)  # what waits with a key that SQLite would give again
        return write_new(db, thing, or_nothing=or_nothing)
    later(db, writer.with_key, {writer.key: key, **writer.row(thing)})
    return attach_new(db, thing, writer.key, key)


def write_now(db: Session) -> None:
    """Write what waits.

    :raises DBAPIError: the database refuses a row.
    """
    _write(connection_of(db))


def listen(engine: Engine) -> None:
    """Keep the promise on all connections of this engine."""
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "commit", _write_last)
    event.listen(engine, "savepoint", lambda connection, _name: _write(connection))
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "rollback_savepoint", lambda connection, _name, _context: _forget(connection))


def _before(connection: Connection, _cursor: object, _text: str, _values: object, context: object, _many: bool) -> None:
    if context is not None:  # a prepared statement has none
        _write(connection)


def _write(connection: Connection) -> None:
    waiting: _Waiting | None = connection.info.pop(_KEY, None)
    if not waiting:
        return
    parts = [
        statement.prepared(connection.dialect, rows[first : first + MOST_ROWS])
        for statement, rows in waiting.items()
        for first in range(0, len(rows), MOST_ROWS)
    ]
    if connection.dialect.name == "postgresql":
        text = _together(tuple(text for text, _values in parts))
        parts = [(text, [value for _text, values in parts for value in values])]
    for text, values in parts:
        execute(connection, text, values)


@lru_cache(maxsize=500)
def _together(texts: tuple[str, ...]) -> str:
    """These INSERTs as one statement of PostgreSQL, the parameters of each after those of the one before."""
    made: list[str] = []
    count = 0
    for text in texts:
        made.append(_renumbered(text, count))
        count += len(re.findall(r"\$\d+", text))
    *first, last = made
    parts = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _renumbered(text: str, before: int) -> str:
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + before}", text)


def _write_last(connection: Connection) -> None:
    try:
        _write(connection)
    except DBAPIError:
        if not connection.invalidated:
            connection.connection.rollback()  # to SQLAlchemy a transaction whose COMMIT fails is over
        raise


def _forget(connection: Connection) -> None:
    if not connection.invalidated:  # else it is gone with all that it knew
        connection.info.pop(_KEY, None)
