"""Every touch of inner parts of SQLAlchemy still does what the busiest paths rely on; what to do when it does not."""

from __future__ import annotations

import pytest
import sqlalchemy
from sqlalchemy import inspect, select
from sqlalchemy.exc import InvalidRequestError

from helpouts.db.objects import new
from helpouts.db.private import join, result_columns
from helpouts.jobs.models import Job

JOIN_IS_GONE = (
    f"SQLAlchemy {sqlalchemy.__version__} has another Session._save_or_update_impl: let helpouts.db.private.join call "
    "db.add(thing) in its place, which does the same and costs more, and see what a booking costs now (make bench)"
)
COLUMNS_ARE_GONE = (
    f"SQLAlchemy {sqlalchemy.__version__} has another SQLCompiler._result_columns: let "
    "helpouts.db.private.result_columns take the names and types from statement.selected_columns "
    "and, of an INSERT, from what it returns"
)
TABLE = Job.__table__
COLUMNS = (TABLE.c.run_at.label("n"), TABLE.c.payload)


def test_an_object_that_is_joined_is_one_that_the_session_has_read(db):
    job = new(Job, {"id": 7, "kind": "x"})
    try:
        join(db, job)
    except (AttributeError, TypeError):
        pytest.fail(JOIN_IS_GONE)
    assert inspect(job).persistent, JOIN_IS_GONE
    assert db.get(Job, 7) is job, JOIN_IS_GONE
    assert not db.dirty, JOIN_IS_GONE
    with pytest.raises(InvalidRequestError, match="already present"):
        join(db, new(Job, {"id": 7}))


@pytest.mark.parametrize(
    "statement",
    [select(*COLUMNS), TABLE.insert().returning(*COLUMNS)],
    ids=["select", "insert"],
)
def test_the_columns_of_a_compiled_statement_have_names_and_types(db, statement):
    compiled = statement.compile(dialect=db.get_bind().dialect)
    try:
        columns = result_columns(compiled)
    except (AttributeError, IndexError):
        pytest.fail(COLUMNS_ARE_GONE)
    assert columns == [("n", TABLE.c.run_at.type), ("payload", TABLE.c.payload.type)], COLUMNS_ARE_GONE
