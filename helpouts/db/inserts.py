"""INSERTs that are prepared once (:mod:`helpouts.db.prepared`) for each number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from helpouts.db.driver import execute, written
from helpouts.db.prepared import DriverText, compiled

#: Rows in one INSERT; more are written by several.
MOST_ROWS = 16


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
        self._texts: dict[tuple[str, int], DriverText] = {}

    def run(self, db: Session, *rows: Mapping[str, Any]) -> list[Any]:
        """Write the rows, all in one statement; what ``returning`` names, of those that were written."""
        return self.write(written(db), rows)

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

    def _compile(self, dialect: Dialect, count: int) -> DriverText:
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
        text = compiled(statement, dialect)
        assert [name for name, _ in text.binds] == [f"{key}_{n}" for n in range(count) for key in self._keys]
        return self._texts.setdefault((dialect.name, count), text)
