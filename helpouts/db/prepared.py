"""Statements of the busiest paths, compiled once and given straight to the driver.

SQLAlchemy looks every statement up in its cache by its structure and wraps what comes back, which takes three times
as long as running a small one.  A :class:`Prepared` statement is compiled once for each dialect; its values and rows
go through the types of its columns as always, in the session's transaction, and its errors are SQLAlchemy's.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg
from sqlalchemy import Column, ColumnElement, Connection, Dialect, Table, bindparam, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, configure_mappers, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import Executable

M = TypeVar("M")
_KEY = "helpouts.connection"
_CURSOR = "helpouts.cursor"
#: Rows in one INSERT; more are written by several.
MOST_ROWS = 16
_Convert = Callable[[Any], Any]


class _Text(NamedTuple):
    """A statement as a driver takes it: its parameters in order and what converts them; what makes a row of a tuple."""

    text: str
    binds: tuple[tuple[str, _Convert | None], ...]
    literals: Mapping[str, Any]
    row: Callable[[Iterable[Any]], Any]
    results: tuple[tuple[int, _Convert], ...]


class Prepared:
    """A statement with named parameters, none of them expanding.

    :param statement: one for all databases, or one by the name of each dialect.
    """

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._texts: dict[str, _Text] = {}

    def all(self, db: Session, values: Mapping[str, Any]) -> list[Any]:
        """The rows that it finds, as named tuples.

        Changes of objects are written first, as before any query.
        """
        connection = _written(db)
        text = self._texts.get(connection.dialect.name) or self._compile(connection.dialect)
        if text.literals:
            values = {**text.literals, **values}
        given = [values[name] if convert is None else convert(values[name]) for name, convert in text.binds]
        found = execute(connection, text.text, given).fetchall()
        if text.results:
            return [_converted(row, text) for row in found]
        return list(map(text.row, found))

    def first(self, db: Session, values: Mapping[str, Any]) -> Any:
        """The first row, or None."""
        found = self.all(db, values)
        return found[0] if found else None

    def scalar(self, db: Session, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        found = self.all(db, values)
        return found[0][0] if found else None

    def _compile(self, dialect: Dialect) -> _Text:
        given = self._statement
        statement = given[dialect.name] if isinstance(given, Mapping) else given
        return self._texts.setdefault(dialect.name, _compiled(statement, dialect))


class Inserted:
    """An INSERT of rows into a table; columns that a row leaves out have the scalar default of the model.

    :param or_nothing: leave out a row that a constraint stands against (triggers of SQLite raise all the same);
        the names of columns narrow that to one unique constraint.
    :param returning: the column whose values come back.
    """

    def __init__(
        self,
        table: Any,
        keys: Sequence[str],
        *,
        or_nothing: bool | Sequence[str] = False,
        returning: str | None = None,
    ) -> None:
        self._table: Table = table
        self._defaults = {
            column.key: column.default.arg  # type: ignore[union-attr]  # a scalar default has one
            for column in self._table.c
            if column.key not in keys and column.default is not None and column.default.is_scalar
        }
        self._keys = [
            column.key for column in self._table.c if column.key in {*keys, *self._defaults}
        ]  # INSERT's order
        self._or_nothing, self._returning = or_nothing, returning
        self._texts: dict[tuple[str, int], _Text] = {}

    def run(self, db: Session, *rows: Mapping[str, Any]) -> list[Any]:
        """Write the rows, all in one statement; what ``returning`` names, of those that were written."""
        return self.write(_written(db), rows)

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The same on a connection, without a look at the session's objects."""
        made: list[Any] = []
        for first in range(0, len(rows), MOST_ROWS):
            part = rows[first : first + MOST_ROWS]
            cursor = execute(connection, *self.prepared(connection.dialect, part))
            if self._returning:
                made += [found[0] for found in cursor.fetchall()]
        return made

    def prepared(self, dialect: Dialect, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
        """The statement for these rows, of which there are at most :data:`MOST_ROWS`, and its parameters in order."""
        text = self._texts.get((dialect.name, len(rows))) or self._compile(dialect, len(rows))
        if self._defaults:
            rows = [{**self._defaults, **row} for row in rows]
        values = [row[key] for row in rows for key in self._keys]
        return text.text, [
            value if convert is None else convert(value)
            for value, (_name, convert) in zip(values, text.binds, strict=True)
        ]

    def _compile(self, dialect: Dialect, count: int) -> _Text:
        statement: Any = (sqlite if dialect.name == "sqlite" else postgresql).insert(self._table)
        columns = self._table.c
        statement = statement.values(
            [{key: bindparam(f"{key}_{n}", type_=columns[key].type) for key in self._keys} for n in range(count)]
        )
        if self._or_nothing:
            named = None if self._or_nothing is True else list(self._or_nothing)
            statement = statement.on_conflict_do_nothing(index_elements=named)
        if self._returning:
            statement = statement.returning(columns[self._returning])
        text = _compiled(statement, dialect)
        assert [name for name, _ in text.binds] == [f"{key}_{n}" for n in range(count) for key in self._keys]
        return self._texts.setdefault((dialect.name, count), text)


def write_new(db: Session, thing: M, *, or_nothing: bool = False) -> M | None:
    """Write a new object at once with one INSERT and make it one of the session's, as if it had been read.

    For models with one generated key.  Defaults of the columns count; relationships are loaded when they are used.

    :param or_nothing: give None, instead of the database's error, where a constraint stands against it (triggers
        of SQLite raise all the same).
    """
    writer = writer_of(type(thing), or_nothing=or_nothing)
    made = writer.statement.run(db, writer.row(thing))
    if not made:
        return None
    return attach_new(db, thing, writer.key, made[0])


def attach_new(db: Session, thing: M, name: str, key: int) -> M:
    """Make an object one of the session's as soon as the key of its row, the attribute ``name``, is known."""
    thing.__dict__[name] = key
    _join(db, thing)
    return thing


def _join(db: Session, thing: object) -> None:
    """Make an object with its key one of the session's that was read.

    Session.add would go through its relationships, which takes as long as all the rest, and there is nothing in them.
    """
    make_transient_to_detached(thing)
    db._save_or_update_impl(instance_state(thing))


class Objects(Generic[M]):
    """A SELECT of whole objects of a model; what it finds is the session's, as if the session had read it.

    :param lock: take them for this transaction, and overwrite what the session knew of them.
    """

    def __init__(self, model: type[M], *where: ColumnElement[bool], lock: bool = False) -> None:
        self._model, self._lock = model, lock
        columns: Any = inspect(model).local_table.c
        statement = select(*columns).where(*where)
        self._keys = [column.key for column in columns]
        self._prepared = Prepared(statement.with_for_update() if lock else statement)

    def first(self, db: Session, values: Mapping[str, Any]) -> M | None:
        """The first object, or None."""
        row = self._prepared.first(db, values)
        if row is None:
            return None
        columns = dict(zip(self._keys, row, strict=True))
        found = attach(db, self._model, columns)
        if self._lock:
            for key, value in columns.items():
                set_committed_value(found, key, value)
        return found


def new(model: type[M], values: Mapping[str, Any]) -> M:
    """A new object of a model from its columns' values, as its constructor makes it but without a history to keep."""
    thing: M = _manager(model).new_instance()  # type: ignore[arg-type]  # a class can be hashed
    thing.__dict__.update(values)
    return thing


@cache
def _manager(model: type[Any]) -> Any:
    configure_mappers()  # this may be the first object of the process
    return inspect(model).class_manager


def attach(db: Session, model: type[M], values: Mapping[str, Any]) -> M:
    """The object of these columns, its key among them, as if the session had just read it; others load when used."""
    mapper = inspect(model)
    key = mapper.identity_key_from_primary_key(tuple(values[column.key] for column in mapper.primary_key))
    known: M | None = db.identity_map.get(key)
    if known is not None:
        return known
    thing = new(model, values)
    _join(db, thing)
    return thing


class Writer(NamedTuple):
    """How new objects of a model are written."""

    table: Table
    key: str
    columns: tuple[Column[Any], ...]
    statement: Inserted
    with_key: Inserted

    def row(self, thing: object) -> dict[str, Any]:
        """The object's columns but for its key; those that were not set get their defaults."""
        has = thing.__dict__  # not by setattr: there is no history to keep of what is being written
        for column in self.columns:
            if column.key not in has:
                has[column.key] = _default(column)
        return {column.key: has[column.key] for column in self.columns}


def writer_of(model: type[Any], *, or_nothing: bool = False, keyed: bool = True) -> Writer:
    """The model's writer; ``or_nothing`` as for :func:`write_new`, ``keyed`` when the new keys shall come back."""
    found = _WRITERS.get((model, or_nothing, keyed))
    if found is None:
        mapper: Any = inspect(model)
        columns = tuple(column for column in mapper.local_table.c if not column.primary_key)
        key, keys = mapper.primary_key[0].key, [column.key for column in columns]
        statement = Inserted(mapper.local_table, keys, or_nothing=or_nothing, returning=key if keyed else None)
        with_key = Inserted(mapper.local_table, [key, *keys])
        found = _WRITERS[model, or_nothing, keyed] = Writer(mapper.local_table, key, columns, statement, with_key)
    return found


_WRITERS: dict[tuple[type[Any], bool, bool], Writer] = {}


def _default(column: Column[Any]) -> Any:
    if column.default is None:
        return None
    if column.default.is_callable:
        return column.default.arg(None)  # type: ignore[attr-defined]  # a callable default has one
    return column.default.arg if column.default.is_scalar else None  # type: ignore[attr-defined]  # as above


def _written(db: Session) -> Connection:
    if db.autoflush:
        db.flush()
    return connection_of(db)


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


def _converted(row: Sequence[Any], text: _Text) -> Any:
    values = list(row)
    for place, convert in text.results:
        values[place] = convert(values[place])
    return text.row(values)


def _compiled(statement: Executable, dialect: Dialect) -> _Text:
    compiled = statement.compile(dialect=_numbering(dialect))  # type: ignore[attr-defined]  # Core's all can be compiled
    assert isinstance(compiled, SQLCompiler)
    assert compiled.positiontup is not None
    binds = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
    columns = compiled._result_columns  # what a result's own columns are made from; nothing public has it
    results = [column[3].dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    row = namedtuple("Row", [str(column[0]) for column in columns], rename=True)  # type: ignore[misc]  # made at run time
    return _Text(
        compiled.string,
        tuple((name, binds[name]) for name in compiled.positiontup),
        {name: value for name, value in compiled.params.items() if value is not None},
        row._make,
        tuple((place, convert) for place, convert in enumerate(results) if convert is not None),
    )


def _numbering(dialect: Dialect) -> Dialect:
    """One that writes PostgreSQL's own $1, $2 … where SQLAlchemy's would write names for psycopg to replace."""
    if dialect.name == "sqlite":
        return dialect
    made = copy(dialect)
    made.paramstyle, made.positional = "numeric_dollar", True
    made.identifier_preparer = made.preparer(made)  # which writes no %% any more
    return made
