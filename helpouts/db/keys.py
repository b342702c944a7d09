"""Keys of new rows, fetched together with something else, so that the rows can be written together and late.

A database gives a row its key when the row is written, and whoever needs the key waits for it.  Who knows what is going
to be written asks for the keys before (:class:`next_key`, in a statement that is made anyway) and offers them; whoever
writes such a row :func:`take`\\ s one and has the row written :mod:`later <helpouts.db.later>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

_KEY = "helpouts.keys"


class next_key(FunctionElement[int]):  # written like the SQL function that it is
    """The key that the next new row of a table gets; within a writing transaction nobody else gets it.

    PostgreSQL's sequence gives each number once; on SQLite nobody else writes until the transaction is over.
    """

    type = BigInteger()
    inherit_cache = False

    def __init__(self, table: Any) -> None:
        super().__init__()
        self.table: str = table.name


@compiles(next_key, "sqlite")  # type: ignore[no-untyped-call]  # SQLAlchemy's decorator
def _sqlite(element: next_key, _compiler: Any, **_options: Any) -> str:
    return f"(SELECT coalesce(max(id), 0) + 1 FROM {element.table})"  # noqa: S608  # a table's name


@compiles(next_key, "postgresql")  # type: ignore[no-untyped-call]  # as above
def _postgresql(element: next_key, _compiler: Any, **_options: Any) -> str:
    return f"(SELECT nextval('{element.table}_id_seq'))"


def offer(db: Session, keys: Mapping[str, int]) -> None:
    """Let the next new row of each table (by name) have its key; :func:`withdraw` what nobody has taken."""
    db.info[_KEY] = dict(keys)


def withdraw(db: Session) -> None:
    """Forget the keys that nobody has taken: from now on the database gives them again."""
    db.info.pop(_KEY, None)


def take(db: Session, table: Any) -> int | None:
    """The key that was offered for a new row of this table, once; None when the database shall give one."""
    keys: dict[str, int] | None = db.info.get(_KEY)
    return keys.pop(table.name, None) if keys else None
