"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, kept and returned in UTC.

    PostgreSQL stores ``timestamptz``; SQLite stores text without a zone, always UTC and always with
    microseconds, so that comparing the text compares the instants.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database, for SQLAlchemy's own use; a naive datetime is refused."""
        moment = _to_utc(value)
        return moment.replace(tzinfo=None) if moment is not None and dialect.name == "sqlite" else moment

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """The same in one step; a row has up to six instants, and TypeDecorator would take three for each."""
        return _to_text if dialect.name == "sqlite" else _to_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """From the database, aware, in UTC."""
        return _of_text if dialect.name == "sqlite" else _to_utc


def _to_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored: give it a time zone")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    moment = value if value is None or value.tzinfo is UTC else _to_utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")[:26]  # without the zone


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


#: JSON documents; JSONB where there is one.
Json: Any = JSON().with_variant(JSONB(), "postgresql")

#: 64-bit integers that SQLite can still use as an auto-incrementing primary key.
BigInt: Any = BigInteger().with_variant(Integer(), "sqlite")
