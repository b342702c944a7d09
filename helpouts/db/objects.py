"""Objects of a session without the session's own ways: read, made and written by prepared statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, ColumnElement, Table, inspect, select
from sqlalchemy.orm import Session, configure_mappers
from sqlalchemy.orm.attributes import set_committed_value

from helpouts.db.inserts import Inserted
from helpouts.db.prepared import Prepared
from helpouts.db.private import join

M = TypeVar("M")


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
    join(db, thing)
    return thing


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
    join(db, thing)
    return thing


class Writer(NamedTuple):
    """How new objects of a model are written; ``defaults`` has all of its columns but the key."""

    table: Table
    key: str
    defaults: Mapping[str, Callable[[], Any]]
    statement: Inserted
    with_key: Inserted

    def row(self, thing: object) -> dict[str, Any]:
        """The object's columns but for its key; those that were not set get their defaults."""
        has = thing.__dict__  # not by setattr: there is no history to keep of what is being written
        for name, default in self.defaults.items():
            if name not in has:
                has[name] = default()
        return {name: has[name] for name in self.defaults}


def writer_of(model: type[Any], *, or_nothing: bool = False, keyed: bool = True) -> Writer:
    """The model's writer; ``or_nothing`` as for :func:`write_new`, ``keyed`` when the new keys shall come back."""
    found = _WRITERS.get((model, or_nothing, keyed))
    if found is None:
        mapper: Any = inspect(model)
        table, key = mapper.local_table, mapper.primary_key[0].key
        defaults = {column.key: _default(column) for column in table.c if not column.primary_key}
        statement = Inserted(table, list(defaults), or_nothing=or_nothing, returning=key if keyed else None)
        with_key = Inserted(table, [key, *defaults])
        found = _WRITERS[model, or_nothing, keyed] = Writer(table, key, defaults, statement, with_key)
    return found


_WRITERS: dict[tuple[type[Any], bool, bool], Writer] = {}


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is not None and default.is_callable:
        return partial(default.arg, None)
    value = default.arg if default is not None and default.is_scalar else None
    return lambda: value
