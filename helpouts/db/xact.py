"""The id of the transaction that writes a row, as a column's default."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class current_xact(FunctionElement[int]):
    """PostgreSQL's 64-bit transaction id, which never comes again; 0 on SQLite, whose writers queue anyway."""

    type = BigInteger()
    inherit_cache = True


@compiles(current_xact, "postgresql")
def _postgresql(_element: current_xact, _compiler: Any, **_options: Any) -> str:
    return "(pg_current_xact_id()::text::bigint)"


@compiles(current_xact)
def _others(_element: current_xact, _compiler: Any, **_options: Any) -> str:
    return "0"
