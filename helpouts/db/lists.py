"""A list as one parameter, so that a statement is the same for any number of values."""

from __future__ import annotations

import json
from collections.abc import Collection
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


@compiles(one_of, "sqlite")  # type: ignore[no-untyped-call]  # SQLAlchemy's decorator
def _sqlite(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # both are compiled parts of a statement


@compiles(one_of, "postgresql")  # type: ignore[no-untyped-call]  # as above
def _postgresql(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} = ANY ({values})"
