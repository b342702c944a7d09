"""Database access: the engine pair, sessions, column types and the declarative base."""

from helpouts.db.base import Base
from helpouts.db.engine import Database
from helpouts.db.types import BigInt, Json, UTCDateTime

__all__ = ["Base", "BigInt", "Database", "Json", "UTCDateTime"]
