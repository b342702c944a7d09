"""Rows of another table as one JSON list in a column: what belongs to a row comes along with it, in one round trip."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import SQLColumnExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON

from helpouts.db.types import Json


class json_rows(FunctionElement[list[list[Any]]]):  # written like the SQL function that it is
    """An aggregate: [[value of each column], ...], [] without rows; dates are ISO 8601, JSON columns stay JSON."""

    type = Json
    inherit_cache = True

    def __init__(self, *columns: SQLColumnExpression[Any]) -> None:
        super().__init__(*columns)


@compiles(json_rows)
def _compile(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    parts = []
    for column in element.clauses:
        part = compiler.process(column, **options)
        # To SQLite a stored document is text until it is told otherwise.
        is_json = compiler.dialect.name == "sqlite" and isinstance(column.type, JSON)
        parts.append(f"json({part})" if is_json else part)
    if compiler.dialect.name == "sqlite":
        return f"json_group_array(json_array({', '.join(parts)}))"
    return f"coalesce(jsonb_agg(jsonb_build_array({', '.join(parts)})), '[]'::jsonb)"
