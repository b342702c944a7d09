"""Fixtures for the tests of Helpouts and of its plugins (a pytest plugin, found through its entry point).

``database``  an empty database with all tables, SQLite and PostgreSQL in turn, for tests that commit
``runtime``   a :class:`Runtime` over it, with the plugins that :func:`plugin_modules` names
``db``        a writing session of it, rolled back at the end
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from helpouts.db import Database
    from helpouts.registry import Registry
    from helpouts.runtime import Runtime
    from helpouts.testing.postgres import PostgresServer

#: The plugins that tests see unless they say otherwise: (name, module).
PLUGINS = (
    ("category_education", "helpouts_category_education"),
    ("category_fashion", "helpouts_category_fashion"),
    ("category_home_garden", "helpouts_category_home_garden"),
    ("category_it", "helpouts_category_it"),
    ("notify_webpush", "helpouts_notify_webpush"),
    ("payments_wallet", "helpouts_payments_wallet"),
    ("storage_s3", "helpouts_storage_s3"),
    ("vetting_profile", "helpouts_vetting_profile"),
    ("video_aiortc", "helpouts_video_aiortc"),
    ("video_janus", "helpouts_video_janus"),
    ("video_p2p", "helpouts_video_p2p"),
)


def require(what: str, how: str) -> None:
    """Skip the test because ``what`` is missing; a failure when ``REQUIRE_ALL=1``."""
    message = f"{what} is missing: {how}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(autouse=True)
def running_clock() -> Iterator[None]:
    """Every test begins and ends with the clock running."""
    from helpouts.clock import clock

    clock.set(None)
    yield
    clock.set(None)


@pytest.fixture(autouse=True)
def plain_english() -> Iterator[None]:
    """Every test begins and ends with English and UTC, whatever a page of an earlier one has spoken."""
    from helpouts import i18n

    i18n.set_locale(i18n.DEFAULT_LOCALE, "UTC")
    yield
    i18n.set_locale(i18n.DEFAULT_LOCALE, "UTC")


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    """(name, module) of the plugins to register; override it in a conftest to test another set."""
    return PLUGINS


@dataclass(frozen=True)
class RegistryFactory:
    """Makes fresh registries with the same plugins; equal when the plugins are."""

    modules: tuple[tuple[str, str], ...]

    def __call__(self) -> Registry:
        """A registry of its own for a test."""
        from helpouts.registry import Registry

        registry = Registry()
        for name, module in self.modules:
            registry.add(name, partial(import_module, module), f"helpouts-{name.replace('_', '-')}", "0.1.0")
        return registry


@pytest.fixture
def registry_factory(plugin_modules: tuple[tuple[str, str], ...]) -> RegistryFactory:
    """Makes a fresh registry with the plugins of :func:`plugin_modules`.

    Not of session scope: a conftest may override what it depends on, and pytest would keep the first answer for all.
    """
    return RegistryFactory(plugin_modules)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own."""
    from helpouts.testing.postgres import PostgresMissing, PostgresServer

    try:
        server = PostgresServer()
    except PostgresMissing as missing:
        require("a PostgreSQL server", str(missing))
        raise
    yield server
    server.stop()


def _create_all(url: str, registry: Any) -> None:
    from helpouts.db import Database
    from helpouts.db.metadata import metadata
    from helpouts.plugins.records import Migrations

    database = Database(url)
    with database.write_engine.begin() as connection:
        metadata.create_all(connection)
        for _, record in registry.surface("helpouts_migrations", Migrations):
            record.metadata.create_all(connection)
    database.dispose()


@pytest.fixture(scope="session")
def templates() -> dict[Any, Any]:
    """Databases with all tables, made once for each set of plugins: tests get copies."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    registry_factory: Any,
    templates: dict[Any, Any],
) -> Iterator[str]:
    """The URL of a fresh database with all tables, on either system."""
    key = (request.param, registry_factory)
    if request.param == "sqlite":
        if key not in templates:
            templates[key] = tmp_path_factory.mktemp("template") / "template.sqlite3"
            _create_all(f"sqlite:///{templates[key]}", registry_factory())
        path = tmp_path / "test.sqlite3"
        shutil.copy(templates[key], path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    if key not in templates:
        templates[key] = f"template_{len(templates)}"
        _create_all(server.create(templates[key]), registry_factory())
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield server.create(name, templates[key])
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with all tables."""
    from helpouts.db import Database

    made = Database(database_url)
    yield made
    made.dispose()


@pytest.fixture
def runtime(database: Database, tmp_path: Path, registry_factory: Any) -> Runtime:
    """A runtime over the database, with test plugins, no mail server and a data folder of its own."""
    from helpouts.config import load_config
    from helpouts.runtime import Runtime

    config = load_config({}, data=str(tmp_path / "data"), database=database.url)
    return Runtime(config, database, registry_factory())


@pytest.fixture
def db(runtime: Runtime) -> Iterator[Session]:
    """A writing session, rolled back at the end of the test."""
    with runtime.database.session(write=True) as session:
        yield session
        session.rollback()
