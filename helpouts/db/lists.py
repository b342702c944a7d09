"""Lists of values in a statement: as one parameter, or as some more parameters than there are values."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, BindParameter, ColumnElement, Dialect, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import Boolean, Text, TypeEngine


class _List(TypeDecorator[Collection[Any]]):
    """An array on PostgreSQL, a JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.item))

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return json.dumps(values) if dialect.name == "sqlite" else values


class one_of(ColumnElement[bool]):  # reads as SQLAlchemy's own functions do
    """That the column has one of the values that the statement is given as ``name``."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: Any, name: str) -> None:
        self.column = column
        self.values: BindParameter[Any] = bindparam(name, type_=_List(column.type))

    def self_group(self, against: Any = None) -> one_of:
        """As it is: SQLAlchemy would ask SQLite whether it ``= 1``, which no index answers."""
        return self


@compiles(one_of, "sqlite")  # type: ignore[no-untyped-call]  # SQLAlchemy's decorator
def _sqlite(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # both are compiled parts of a statement


@compiles(one_of, "postgresql")  # type: ignore[no-untyped-call]  # as above
def _postgresql(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} = ANY ({values})"


def among(column: Any, name: str, count: int) -> ColumnElement[bool]:
    """That the column has one of ``count`` values, which the statement is given as :func:`spread` says.

    Unlike :class:`one_of` it tells SQLite how many there are, which plans badly for a list that it cannot see.
    """
    found: ColumnElement[bool] = column.in_([bindparam(f"{name}_{n}", type_=column.type) for n in range(count)])
    return found


def room_for(values: Sequence[Any]) -> int:
    """The least power of two in which they have room, so that there are few statements for :func:`among`."""
    return 1 << max(0, len(values) - 1).bit_length()


def spread(name: str, values: Sequence[Any], count: int) -> dict[str, Any]:
    """The parameters of :func:`among`; the last value is repeated as often as it takes.  There must be a value."""
    return {f"{name}_{n}": values[min(n, len(values) - 1)] for n in range(count)}
