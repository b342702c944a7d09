"""Statements in the driver's own words, in the session's transaction, with SQLAlchemy's errors and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_KEY = "helpouts.connection"
_CURSOR = "helpouts.cursor"


def connection_of(db: Session) -> Connection:
    """The session's connection; asking SQLAlchemy for it costs as much as a small statement, so it is asked once."""
    transaction = db.get_transaction()
    known: tuple[object, Connection] | None = db.info.get(_KEY)
    if transaction is not None and known is not None and known[0] is transaction:
        usable = transaction.is_active and not db.in_nested_transaction()
        if usable:
            return known[1]
    connection = db.connection()
    db.info[_KEY] = (db.get_transaction(), connection)
    return connection


def written(db: Session) -> Connection:
    """The same, when changes of objects are written, as before any query."""
    if db.autoflush:
        db.flush()
    return connection_of(db)


def execute(connection: Connection, text: str, given: Sequence[Any]) -> Any:
    """Run a statement in the driver's own words; what it finds must be fetched before the next one."""
    cursor = connection.info.get(_CURSOR) or _new_cursor(connection)
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, cursor, text, given, None, False)
    try:
        cursor.execute(text, given)
    except connection.dialect.loaded_dbapi.Error as error:
        raise translated(connection, text, given, error) from error
    return cursor


def _new_cursor(connection: Connection) -> Any:
    """One for all statements of a connection, on PostgreSQL one that leaves their text alone.

    psycopg's cursors learn how to pass values, each new one anew (20 of 45 µs); its usual ones also look through
    the text for parameters to number, the longer ones at each execution.
    """
    driver: Any = connection.connection.driver_connection
    made = driver.cursor() if connection.dialect.name == "sqlite" else psycopg.RawCursor(driver)
    connection.info[_CURSOR] = made
    return made


def translated(connection: Connection, text: str, values: Any, error: Exception) -> Exception:
    """SQLAlchemy's error for one of the driver's; a connection that is lost is said to be."""
    dialect: Any = connection.dialect  # which wants its own driver's type of error, as this one is
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        text,
        values,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=lost,
        dialect=dialect,
    )
