"""The migrations make exactly the tables that the models describe, guards included, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from helpouts.db import Database, migrate
from helpouts.db.metadata import metadata
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield database
        database.dispose()
        return
    server = request.getfixturevalue("postgres")
    database = Database(server.create("empty_for_migrations"))
    yield database
    database.dispose()
    server.drop("empty_for_migrations")


def test_upgrading_an_empty_database_leaves_nothing_outstanding(empty, registry_factory):
    registry = registry_factory()
    assert migrate.pending(empty, registry) == ["core", "notify_webpush", "payments_wallet"]
    assert migrate.upgrade(empty, registry) == ["core", "notify_webpush", "payments_wallet"]
    assert migrate.pending(empty, registry) == []
    assert migrate.drift(empty, registry) == []
    assert migrate.upgrade(empty, registry) == []


def test_a_missing_table_is_drift(empty, registry_factory):
    registry = registry_factory()
    migrate.upgrade(empty, registry)
    with empty.write_engine.begin() as connection:
        connection.execute(text("DROP TABLE job_schedule"))
    assert any("job_schedule" in line for line in migrate.drift(empty, registry))


def test_the_migrated_tables_are_guarded_like_the_tests_own(empty, registry_factory):
    registry = registry_factory()
    migrate.upgrade(empty, registry)
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if not empty.is_sqlite:
        names = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION SELECT conname FROM pg_constraint"
    with empty.engine.connect() as connection:
        found = set(connection.scalars(text(names)))
    wanted = {"posting_moves_counters"}
    wanted |= (
        {"booking_host_free_insert", "booking_customer_free_update"} if empty.is_sqlite else {"booking_host_overlap"}
    )
    assert wanted <= found


@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_the_index_of_finding_is_migrated_to_the_settings_that_it_is_made_with(empty, registry_factory):
    names = "('listing_search', 'ix_listing_search_words')"
    settings = text(f"SELECT relname, reloptions FROM pg_class WHERE relname IN {names} ORDER BY 1")
    with empty.write_engine.begin() as connection:
        metadata.create_all(connection)
        made = connection.execute(settings).all()
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    migrate.upgrade(empty, registry_factory())
    with empty.engine.connect() as connection:
        assert connection.execute(settings).all() == made
    assert made[0].reloptions == ["fastupdate=off"]


def test_a_posting_cannot_be_edited_after_a_migration(empty, registry_factory, tmp_path):
    from helpouts.config import load_config
    from helpouts.runtime import Runtime

    registry = registry_factory()
    migrate.upgrade(empty, registry)
    runtime = Runtime(load_config({}, data=str(tmp_path), database=empty.url), empty, registry)
    with runtime.database.write() as db:
        make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
    with pytest.raises(DatabaseError), runtime.database.write() as db:
        db.execute(text("UPDATE posting SET amount = amount + 1"))
