"""The one place that touches parts of SQLAlchemy which are not its public interface.

What is used, and why nothing public will do:

* ``SQLCompiler._result_columns``: what a result's own columns are made from; without it the types of what a statement
  finds are known only once it has run through SQLAlchemy.
* ``Session._save_or_update_impl``: ``Session.add`` without its walk through the relationships, which takes as long as
  all the rest of writing a small object.

Each touch has a test (``tests/framework/test_sqlalchemy_private.py``), which says what to do when a release fails it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine


def result_columns(compiled: SQLCompiler) -> list[tuple[str, TypeEngine[Any]]]:
    """Name and type of each column that a compiled statement finds, in order."""
    return [(str(column[0]), column[3]) for column in compiled._result_columns]


def join(db: Session, thing: object) -> None:
    """Make an object that has its key, and nothing in its relationships, one of the session's that was read."""
    make_transient_to_detached(thing)
    db._save_or_update_impl(instance_state(thing))
