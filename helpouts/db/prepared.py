"""Statements of the busiest paths, compiled once and given straight to the driver.

SQLAlchemy looks every statement up in its cache by its structure and wraps what comes back, which takes three times
as long as running a small one.  A :class:`Prepared` statement is compiled once for each dialect; its values and rows
go through the types of its columns as always, in the session's transaction, and its errors are SQLAlchemy's.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

from sqlalchemy import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import Executable

from helpouts.db.driver import execute, written
from helpouts.db.private import result_columns

_Convert = Callable[[Any], Any]


class DriverText(NamedTuple):
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
        self._texts: dict[str, DriverText] = {}

    def all(self, db: Session, values: Mapping[str, Any]) -> list[Any]:
        """The rows that it finds, as named tuples.

        Changes of objects are written first, as before any query.
        """
        connection = written(db)
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

    def _compile(self, dialect: Dialect) -> DriverText:
        given = self._statement
        statement = given[dialect.name] if isinstance(given, Mapping) else given
        return self._texts.setdefault(dialect.name, compiled(statement, dialect))


def _converted(row: Sequence[Any], text: DriverText) -> Any:
    values = list(row)
    for place, convert in text.results:
        values[place] = convert(values[place])
    return text.row(values)


def compiled(statement: Executable, dialect: Dialect) -> DriverText:
    """The statement for this database, with what the types of its parameters and columns convert."""
    made = statement.compile(dialect=_numbering(dialect))  # type: ignore[attr-defined]  # Core's all can be compiled
    assert isinstance(made, SQLCompiler)
    assert made.positiontup is not None
    binds = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in made.binds.items()}
    columns = result_columns(made)
    results = [type_.dialect_impl(dialect).result_processor(dialect, None) for _name, type_ in columns]
    row = namedtuple("Row", [name for name, _type in columns], rename=True)  # type: ignore[misc]  # made at run time
    return DriverText(
        made.string,
        tuple((name, binds[name]) for name in made.positiontup),
        {name: value for name, value in made.params.items() if value is not None},
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
