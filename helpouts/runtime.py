"""What every process is made of: configuration, database and plugins, put together once.

A session carries its runtime in ``Session.info``, so services need only the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from helpouts.db import Database

if TYPE_CHECKING:
    from helpouts.config import Config
    from helpouts.registry import Registry

_KEY = "helpouts.runtime"


@dataclass(frozen=True)
class Runtime:
    """The three things that a process needs."""

    config: Config
    database: Database
    registry: Registry

    def __post_init__(self) -> None:
        self.database.session_info[_KEY] = self


def make_runtime(config: Config, *, database: Database | None = None, registry: Registry | None = None) -> Runtime:
    """Connect the database, load the installed plugins and put the runtime together."""
    from helpouts.registry import load_registry

    return Runtime(config, database or Database(config.database_url), registry or load_registry(config))


def runtime_of(db: Session) -> Runtime:
    """The runtime that made this session.

    :raises LookupError: for a session that was not made by :class:`helpouts.db.Database` of a runtime.
    """
    try:
        runtime: Runtime = db.info[_KEY]
    except KeyError:
        raise LookupError("this session belongs to no runtime: make it with runtime.database") from None
    return runtime
