"""The demo site, many times over: the same people, listings, hours, sessions and reviews under other names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, text

from helpouts.db.metadata import metadata
from helpouts.runtime import Runtime

#: Ids of one copy to the next; no table of the demo has as many rows.
APART = 1000
#: In the order in which they refer to each other.
TABLES = ("user", "user_role", "expert", "expert_member", "expert_category", "listing", "schedule", "weekly_hours")
LATER = ("booking", "review", "listing_search")
UNIQUE = {
    ("user", "email"),
    ("user", "fs_uniquifier"),
    ("expert", "slug"),
    ("listing", "slug"),
    ("booking", "public_id"),
    ("booking", "idempotency_key"),
}


def multiply(runtime: Runtime, times: int) -> None:
    """Make the site ``times`` as large."""
    with runtime.database.write_engine.begin() as connection:
        for name in (*TABLES, *LATER):
            connection.execute(text(_copies(metadata.tables[name], times)))
    if runtime.database.is_sqlite:
        with runtime.database.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
        return
    with runtime.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _vacuum(connection)


def _vacuum(connection: Connection) -> None:
    connection.exec_driver_sql("VACUUM ANALYZE")


def _copies(table: Table, times: int) -> str:
    shifted = {"id"} | {key.parent.name for key in table.foreign_keys if key.column.table.name != "role"}
    if table.name == "listing_search":
        shifted |= {"expert_id", "position"}

    def value(name: str) -> str:
        quoted = f't."{name}"'
        if name in shifted:
            return f"{quoted} + n.i * {APART}"
        return f"{quoted} || '-' || n.i" if (table.name, name) in UNIQUE else quoted

    names: list[Any] = list(table.columns.keys())
    return (
        f'INSERT INTO "{table.name}" ({", ".join(f"{chr(34)}{name}{chr(34)}" for name in names)}) '  # our own tables
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times - 1}) "
        f'SELECT {", ".join(map(value, names))} FROM n, "{table.name}" t WHERE {_first(table)} < {APART}'
    )


def _first(table: Table) -> str:
    return 't."listing_id"' if table.name == "listing_search" else f't."{next(iter(table.primary_key)).name}"'
