"""Rows that nobody waits for: notes of steps, promises of jobs, the room of a booking.

They stand or fall with their transaction like all others, but are written together and late: when the transaction is
committed, or before the next statement that might read them (all but the :class:`~helpouts.db.prepared.Prepared` ones).
Rows of one table become one INSERT; PostgreSQL gets all of them in one round trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts.db.prepared import Inserted, connection_of, translated, writer_of

_KEY = "helpouts.later"
_Waiting = dict[Inserted, list[Mapping[str, Any]]]


def later(db: Session, statement: Inserted, *rows: Mapping[str, Any]) -> None:
    """Have the rows written before the transaction ends."""
    waiting: _Waiting = connection_of(db).info.setdefault(_KEY, {})
    waiting.setdefault(statement, []).extend(rows)


def write_later(db: Session, thing: object) -> None:
    """Have a new object written; unlike after :func:`helpouts.db.prepared.write_new` its key stays unknown."""
    writer = writer_of(type(thing), keyed=False)
    later(db, writer.statement, writer.row(thing))


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
    if waiting:
        driver: Any = connection.connection.driver_connection
        together = driver.pipeline() if connection.dialect.name == "postgresql" else nullcontext()
        try:
            with together:
                for statement, rows in waiting.items():
                    statement.write(connection, rows)
        except connection.dialect.loaded_dbapi.Error as error:
            raise translated(connection, "rows that were written together", None, error) from error


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
