"""What the busiest paths use instead of SQLAlchemy's own ways: prepared statements, and rows that are written late."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from helpouts.db import Database
from helpouts.db import keys as new_keys
from helpouts.db.inserts import MOST_ROWS, Inserted
from helpouts.db.keys import next_key
from helpouts.db.later import later, write_later, write_new_later, write_now
from helpouts.db.objects import Objects, attach, write_new
from helpouts.db.prepared import Prepared
from helpouts.jobs.models import Job
from helpouts.plugins.models import PluginFlag, SiteSetting

MOMENT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
INSERT = Inserted(SiteSetting.__table__, ("key", "value", "changed_at"))
FLAG = Inserted(PluginFlag.__table__, ("name", "changed_at"), or_nothing=True, returning="name")
FIND = Prepared(
    select(SiteSetting.key, SiteSetting.value, SiteSetting.changed_at).where(SiteSetting.key == bindparam("key"))
)


def setting(key, value=1):
    return {"key": key, "value": value, "changed_at": MOMENT}


def keys(runtime):
    with runtime.database.read() as db:
        return sorted(db.scalars(select(SiteSetting.key)))


@pytest.mark.parametrize("value", [7, "é % : ?", [1, {"a": None}], True])
def test_values_and_rows_go_through_the_types_of_their_columns(db, value):
    INSERT.run(db, {"key": "k", "value": value, "changed_at": MOMENT.astimezone(tz=None)})
    assert tuple(FIND.first(db, {"key": "k"})) == ("k", value, MOMENT)
    assert db.get_one(SiteSetting, "k").value == value
    assert FIND.first(db, {"key": "other"}) is None
    assert FIND.scalar(db, {"key": "other"}) is None


def test_a_naive_instant_is_refused_as_everywhere(db):
    with pytest.raises(ValueError, match="naive"):
        INSERT.run(db, {"key": "k", "value": 1, "changed_at": datetime(2026, 1, 1)})  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize("count", [1, MOST_ROWS, MOST_ROWS + 3])
def test_many_rows_are_few_statements(db, count):
    seen = []
    event.listen(db.get_bind().engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    INSERT.run(db, *(setting(f"k{number}") for number in range(count)))
    assert len([statement for statement in seen if statement.startswith("INSERT")]) == -(-count // MOST_ROWS)
    assert db.scalar(select(func.count()).select_from(SiteSetting)) == count


def test_what_is_left_out_has_the_models_default_and_what_stands_already_is_passed_over(db):
    assert FLAG.run(db, {"name": "a", "changed_at": MOMENT}) == ["a"]
    assert FLAG.run(db, *({"name": name, "changed_at": MOMENT} for name in "ab")) == ["b"]
    assert db.get_one(PluginFlag, "b").enabled is True


def test_an_error_is_sqlalchemys_and_the_transaction_can_be_rolled_back(runtime):
    with runtime.database.session(write=True) as db:
        INSERT.run(db, setting("k"))
        with pytest.raises(IntegrityError):
            INSERT.run(db, setting("k"))
        db.rollback()
        INSERT.run(db, setting("k"))
        db.commit()
    assert keys(runtime) == ["k"]


def test_a_new_object_is_written_at_once_and_belongs_to_the_session(db):
    job = write_new(db, Job(kind="x"))
    assert (job.state, job.attempts, job in db) == ("ready", 0, True)
    job.kind = "y"
    db.flush()
    assert db.scalar(select(Job.kind).where(Job.id == job.id)) == "y"


def test_an_object_of_some_columns_loads_the_others_when_they_are_used(db):
    job = write_new(db, Job(kind="x"))
    key = job.id
    assert attach(db, Job, {"id": key, "kind": "stale"}) is job
    db.expunge(job)
    part = attach(db, Job, {"id": key, "kind": "x"})
    assert (part.max_attempts, part.kind) == (12, "x")


def test_whole_objects_are_the_sessions_and_locked_ones_are_read_again(db):
    where = Job.kind == bindparam("kind")
    job = write_new(db, Job(kind="x", payload={"a": [1]}))
    db.execute(text("UPDATE job SET attempts = 3"))
    assert Objects(Job, where).first(db, {"kind": "x"}) is job
    assert job.attempts == 0
    assert Objects(Job, where, lock=True).first(db, {"kind": "x"}) is job
    assert (job.attempts, job.payload) == (3, {"a": [1]})
    assert not db.dirty
    db.expunge(job)
    fresh = Objects(Job, where).first(db, {"kind": "x"})
    assert (fresh.attempts, fresh.payload, fresh.run_at.tzinfo) == (3, {"a": [1]}, UTC)
    assert Objects(Job, where).first(db, {"kind": "y"}) is None


def test_rows_that_nobody_waits_for_are_there_for_the_next_query_and_after_the_commit(runtime):
    with runtime.database.write() as db:
        later(db, INSERT, setting("a"))
        later(db, INSERT, setting("b"))
        assert FIND.first(db, {"key": "a"}) is None
        assert db.scalar(select(func.count()).select_from(SiteSetting)) == 2
        later(db, INSERT, setting("c"))
        write_later(db, Job(kind="x"))
    assert keys(runtime) == ["a", "b", "c"]
    with runtime.database.read() as db:
        assert db.scalars(select(Job)).one().state == "ready"


def test_they_are_one_statement_for_each_table_and_one_for_all_on_postgresql(runtime):
    seen = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    with runtime.database.write() as db:
        for number in range(3):
            later(db, INSERT, setting(f"k{number}"))
            later(db, FLAG_LATER, {"name": f"p{number}", "changed_at": MOMENT})
    written = [statement for statement in seen if "INSERT" in statement]
    tables = [word for statement in written for word in re.findall(r"INSERT INTO (\w+)", statement)]
    assert tables == ["site_setting", "plugin_flag"]
    assert len(written) == (2 if runtime.database.is_sqlite else 1)


FLAG_LATER = Inserted(PluginFlag.__table__, ("name", "changed_at"))


NEXT = Prepared(select(next_key(Job.__table__)))
KINDS = Prepared(select(Job.kind).order_by(Job.id))


def test_an_object_whose_key_was_fetched_before_is_written_with_the_rest(runtime):
    with runtime.database.write() as db:
        assert NEXT.scalar(db, {}) > 0
        first = write_new(db, Job(kind="a"))
        key = NEXT.scalar(db, {})
        assert key > first.id
        new_keys.offer(db, {"job": key})
        second = write_new_later(db, Job(kind="b"))
        assert (second.id, second.state, second in db) == (key, "ready", True)
        assert [row.kind for row in KINDS.all(db, {})] == ["a"]
        assert write_new_later(db, Job(kind="c")).id > key
        new_keys.offer(db, {"job": NEXT.scalar(db, {})})
        new_keys.withdraw(db)
        assert new_keys.take(db, Job.__table__) is None
        second.kind = "d"
    with runtime.database.read() as db:
        assert [row.kind for row in KINDS.all(db, {})] == ["a", "d", "c"]


def test_what_is_refused_of_waiting_rows_is_said_when_they_are_written(runtime):
    with runtime.database.write() as db:
        INSERT.run(db, setting("a"))
        write_later(db, Job(kind="x"))
        later(db, INSERT, setting("a"))
        with pytest.raises(IntegrityError):
            write_now(db)
        db.rollback()


def test_they_fall_with_their_transaction(runtime):
    with runtime.database.session(write=True) as db:
        later(db, INSERT, setting("a"))
        db.rollback()
    with runtime.database.session(write=True) as db:
        later(db, INSERT, setting("closed"))
    with runtime.database.write() as db:
        later(db, INSERT, setting("b"))
    assert keys(runtime) == ["b"]


def test_a_savepoint_takes_back_only_what_came_after_it(runtime):
    with runtime.database.write() as db:
        later(db, INSERT, setting("before"))
        part = db.begin_nested()
        later(db, INSERT, setting("within"))
        part.rollback()
        with db.begin_nested():
            later(db, INSERT, setting("kept"))
    assert keys(runtime) == ["before", "kept"]


def test_a_row_that_is_refused_late_lets_nothing_be_committed(runtime):
    with runtime.database.write() as db:
        INSERT.run(db, setting("a"))
    with runtime.database.session(write=True) as db:
        INSERT.run(db, setting("b"))
        later(db, INSERT, setting("a"))
        with pytest.raises(IntegrityError):
            db.commit()
    assert keys(runtime) == ["a"]
    with runtime.database.write() as db:
        later(db, INSERT, setting("c"))
    assert keys(runtime) == ["a", "c"]


@pytest.fixture
def database_on_postgresql(postgres):
    name = "statements"
    made = Database(postgres.create(name))
    yield made
    made.dispose()
    postgres.drop(name)


def test_reading_transactions_keep_the_statements_that_postgresql_has_prepared(database_on_postgresql):
    for number in range(10):
        with database_on_postgresql.read() as db:
            assert db.scalar(text("SELECT 1 + CAST(:number AS integer)"), {"number": number}) == number + 1
    with database_on_postgresql.read() as db:
        kept = list(db.scalars(text("SELECT statement FROM pg_prepared_statements")))
    assert [statement for statement in kept if "1 + CAST" in statement]


def test_a_reading_transaction_cannot_write_on_postgresql(database_on_postgresql):
    with database_on_postgresql.read() as db, pytest.raises(DBAPIError, match="read-only"):
        db.execute(text("CREATE TABLE t (n integer)"))
    with database_on_postgresql.write() as db:
        db.execute(text("CREATE TABLE t (n integer)"))


def test_the_first_object_of_a_process_can_be_one_that_no_query_has_loaded():
    """SQLAlchemy puts its mappers together at the first query; here there was none."""
    script = (
        "from helpouts.db import Database, metadata; from helpouts.db.objects import attach\n"
        "from helpouts.jobs.models import Job\n"
        "with Database('sqlite://').session(write=False) as db:\n"
        "    assert attach(db, Job, {'id': 1, 'kind': 'x'}).kind == 'x'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
