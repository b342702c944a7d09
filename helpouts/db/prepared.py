"""Statements of the busiest paths, compiled once: a tenth of a millisecond each, where a booking has two.

SQLAlchemy looks every statement up in its cache by its structure, which takes as long as running a small one.  A
:class:`Prepared` statement is compiled once for each dialect; its values go through the types of its columns as always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, CursorResult, Dialect, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import Executable

M = TypeVar("M")
#: Text, names of the parameters in order, what converts them, whether they go by place, scalar defaults of columns.
_Compiled = tuple[str, list[str], dict[str, Any], bool, dict[str, Any]]
_INSERTS: dict[tuple[type[Any], str], Prepared] = {}


class Prepared:
    """A statement with named parameters, none of them expanding; ``keys`` are the columns of an INSERT."""

    def __init__(self, statement: Executable, keys: Sequence[str] | None = None) -> None:
        self._statement, self._keys = statement, keys
        self._compiled: dict[str, _Compiled] = {}

    def run(self, db: Session, *rows: Mapping[str, Any]) -> CursorResult[Any]:
        """Execute it in the session's transaction, for each of ``rows``; result columns come as the driver gives them.

        Changes of objects are written first, as before any query.
        """
        if db.autoflush:
            db.flush()
        connection = db.connection()
        text, names, processors, positional, defaults = self._for(connection.dialect)
        made: list[Any] = []
        for given in rows:
            row = {**defaults, **given}
            for name, convert in processors.items():
                row[name] = convert(row[name])
            made.append(tuple(row[name] for name in names) if positional else row)
        return connection.exec_driver_sql(text, made[0] if len(made) == 1 else made)

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self._statement.compile(dialect=dialect, column_keys=self._keys)  # type: ignore[attr-defined]  # every Executable of Core is a ClauseElement
            assert isinstance(compiled, SQLCompiler)
            names = list(compiled.positiontup or compiled.binds)
            literals = {name: value for name, value in compiled.params.items() if value is not None}
            defaults = literals | {column.key: column.default.arg for column in compiled.insert_prefetch}  # type: ignore[union-attr]  # a prefetched column has a default
            processors = {
                name: convert for name, convert in compiled._bind_processors.items() if name in compiled.binds
            }
            found = (str(compiled), names, processors, compiled.positional, defaults)
            self._compiled[dialect.name] = found
        return found


def write_new(db: Session, thing: M, *, or_nothing: bool = False) -> M | None:
    """Write a new object at once with one INSERT and make it one of the session's, as if it had been read.

    For models with one generated key.  Defaults of the columns count; relationships are loaded when they are used.

    :param or_nothing: give None, instead of the database's error, where a constraint stands against it (triggers
        of SQLite raise all the same).
    """
    mapper = inspect(type(thing))
    columns = [column for column in mapper.local_table.c if not column.primary_key]
    values = {column.key: _value(thing, column) for column in columns}
    dialect = db.get_bind().dialect.name
    key = (type(thing), f"{dialect}:{or_nothing}")
    statement = _INSERTS.get(key)
    if statement is None:
        insert = (sqlite if dialect == "sqlite" else postgresql).insert(mapper.local_table)
        if or_nothing:
            insert = insert.on_conflict_do_nothing()
        made = insert.returning(*mapper.primary_key)
        statement = _INSERTS[key] = Prepared(made, [column.key for column in columns])
    row = statement.run(db, values).first()
    if row is None:
        return None
    thing.__dict__[mapper.primary_key[0].key] = row[0]
    make_transient_to_detached(thing)
    db.add(thing)
    return thing


def _value(thing: object, column: Column[Any]) -> Any:
    if column.key in thing.__dict__:
        return thing.__dict__[column.key]
    value = None
    if column.default is not None and column.default.is_callable:
        value = column.default.arg(None)  # type: ignore[attr-defined]  # a callable default has one
    elif column.default is not None and column.default.is_scalar:
        value = column.default.arg  # type: ignore[attr-defined]  # as above
    thing.__dict__[column.key] = value  # not by setattr: there is no history to keep of what is being written
    return value
