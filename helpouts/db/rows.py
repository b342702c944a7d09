"""Rows as plain values, for documents that people get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any


def as_plain(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """These attributes (or keys, of a mapping) of a row, JSON-able: instants and days in ISO 8601."""
    values = {name: row[name] if isinstance(row, Mapping) else getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
