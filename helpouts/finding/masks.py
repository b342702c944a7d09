"""Free time as bits: in which quarters of an hour (UTC) a session can begin.

A byte holds six quarters, an hour and a half, in its low bits; bit 6 is always set, which makes it an ASCII character
that both databases can look into.  A day is sixteen bytes.  A row is a ring of :data:`RING` days: a day has its place
by its number modulo the ring, so that nothing moves when a day is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

QUARTER = 15
RING = 32
#: Days that are worked out ahead, today included; the rest of the ring is to spare.
DAYS = 30
DAY = 1440
DAY_BYTES = 16
EMPTY = 64
NONE = bytes([EMPTY]) * (RING * DAY_BYTES)


def quarter_at(minute: int) -> int:
    """The quarter (since 1970) that begins at this epoch minute, or next after it."""
    return -(-minute // QUARTER)


def place(quarter: int) -> tuple[int, int]:
    """(byte from 0, bit mask) of a quarter in the ring."""
    day, rest = divmod(quarter, 96)
    byte, bit = divmod(rest, 6)
    return day % RING * DAY_BYTES + byte, 1 << bit


def pack(starts: Iterable[int]) -> bytes:
    """The ring of these starts (epoch minutes), which must lie within :data:`RING` days."""
    ring = bytearray(NONE)
    for start in starts:
        byte, bit = place(start // QUARTER)
        ring[byte] |= bit
    return bytes(ring)


def holds(ring: bytes, quarter: int) -> bool:
    """Whether a session can begin in the quarter."""
    byte, bit = place(quarter)
    return bool(ring[byte] & bit)


class has_bits(FunctionElement[bool]):  # it stands in SQL like a function
    """Whether a byte of the ring (column, byte from 0, bit mask) has any of the bits."""

    type = Boolean()
    inherit_cache = True


@compiles(has_bits, "sqlite")
def _sqlite(element: has_bits, compiler: SQLCompiler, **kw: Any) -> str:
    column, byte, bits = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(unicode(CAST(substr({column}, {byte} + 1, 1) AS TEXT)) & {bits}) <> 0"


@compiles(has_bits, "postgresql")
def _postgresql(element: has_bits, compiler: SQLCompiler, **kw: Any) -> str:
    column, byte, bits = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(get_byte({column}, {byte}) & {bits}) <> 0"
