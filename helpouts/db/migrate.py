"""Bringing the tables up to date: the core's, and each plugin's with a version table of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from helpouts.db.engine import Database
from helpouts.db.metadata import metadata as core_metadata
from helpouts.plugins.records import Migrations
from helpouts.registry import Registry

HERE = Path(__file__).parent / "migrations"


def branches(registry: Registry) -> Iterator[tuple[str, MetaData, str]]:
    """(name, metadata, folder of revisions) of the core and of every loaded plugin that has tables."""
    yield "", core_metadata, str(HERE / "versions")
    for plugin, record in registry.surface("helpouts_migrations", Migrations):
        yield plugin, record.metadata, record.path


def alembic_config(name: str, metadata: MetaData, versions: str, connection: Connection | None) -> AlembicConfig:
    """Alembic's configuration for one branch; the shared env.py reads the attributes."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", versions)
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, metadata=metadata, branch=name)
    return config


def version_table(name: str) -> str:
    """Where a branch keeps its revision."""
    return f"alembic_version_{name}" if name else "alembic_version"


def owns(name: str, table: str) -> bool:
    """Whether a table belongs to a branch: a plugin's are named ``{plugin}_*``."""
    return table.startswith(f"{name}_") if name else table in core_metadata.tables


def upgrade(database: Database, registry: Registry) -> list[str]:
    """Run all outstanding migrations; returns the names of the branches that moved.

    A plugin whose migration fails is marked as failed and the rest go on; a failing core migration is raised.
    """
    moved = []
    for name, metadata, versions in branches(registry):
        try:
            with database.write_engine.begin() as connection:
                before = current(connection, name)
                command.upgrade(alembic_config(name, metadata, versions, connection), "head")
                if current(connection, name) != before:
                    moved.append(name or "core")
        except Exception as error:
            if not name:
                raise
            registry.plugins[name].fail("migration failed", error)
    return moved


def current(connection: Connection, name: str) -> str | None:
    """The revision of a branch, or None before its first migration."""
    return MigrationContext.configure(connection, opts={"version_table": version_table(name)}).get_current_revision()


def pending(database: Database, registry: Registry) -> list[str]:
    """Branches whose migrations have not all been run."""
    behind = []
    with database.engine.connect() as connection:
        for name, metadata, versions in branches(registry):
            try:
                head = ScriptDirectory.from_config(alembic_config(name, metadata, versions, None)).get_current_head()
            except Exception as error:
                if not name:
                    raise
                registry.plugins[name].fail("its migrations cannot be read", error)
                continue
            if current(connection, name) != head:
                behind.append(name or "core")
        connection.rollback()
    return behind


def drift(database: Database, registry: Registry) -> list[str]:
    """Differences between the tables and the models, in words; empty when they agree."""
    found = []
    with database.engine.connect() as connection:
        for name, metadata, _ in branches(registry):
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": version_table(name),
                    "compare_type": False,
                    "include_object": _is_here(connection.dialect.name),
                    "include_name": lambda n, kind, _p, b=name: kind != "table" or owns(b, n or ""),
                },
            )
            found += [f"{name or 'core'}: {difference}" for difference in compare_metadata(context, metadata)]
        connection.rollback()
    return found


def _is_here(dialect: str) -> Callable[..., bool]:
    """Whether a thing of the models is made on this database: an index may name the only ``dialect`` that has it."""
    return lambda thing, *_rest: getattr(thing, "info", {}).get("dialect", dialect) == dialect
