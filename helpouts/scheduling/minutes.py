"""Epoch minutes made by the database: hundreds of instants that are never objects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import SQLColumnExpression
from sqlalchemy.sql.functions import FunctionElement


class minute_of(FunctionElement[int]):  # written like the SQL function that it is
    """The epoch minute in which an instant lies, as :func:`helpouts.scheduling.zones.to_minute` rounds."""

    type = BigInteger()
    inherit_cache = True

    def __init__(self, instant: SQLColumnExpression[Any]) -> None:
        super().__init__(instant)


class minute_up_of(minute_of):  # as above
    """The first epoch minute not before an instant, as :func:`helpouts.scheduling.zones.to_minute_up` rounds."""

    inherit_cache = True


@compiles(minute_of)
def _down(element: minute_of, compiler: SQLCompiler, **options: Any) -> str:
    instant = compiler.process(element.clauses, **options)
    if compiler.dialect.name == "sqlite":
        return _minute(instant)
    return f"CAST(floor(extract(epoch FROM {instant}) / 60) AS bigint)"


@compiles(minute_up_of)
def _up(element: minute_up_of, compiler: SQLCompiler, **options: Any) -> str:
    instant = compiler.process(element.clauses, **options)
    if compiler.dialect.name == "sqlite":
        return f"({_minute(instant)} + (substr({instant}, 18) > '00.000000'))"
    return f"CAST(ceil(extract(epoch FROM {instant}) / 60) AS bigint)"


def _minute(instant: str) -> str:
    """SQLite has text, always UTC and with microseconds (:mod:`helpouts.db.types`), and rounds to milliseconds."""
    return f"CAST(strftime('%s', substr({instant}, 1, 16)) AS INTEGER) / 60"
