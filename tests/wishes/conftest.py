"""A customer who looks for something and an expert who may have it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.catalog.models import Expert
from helpouts.jobs.worker import Worker
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_expert, make_user


@pytest.fixture
def clara(db: Session) -> User:
    return make_user(db, "Clara Berg")


@pytest.fixture
def jonas(db: Session) -> Expert:
    return make_expert(db, "Jonas Weber", paid=False)


@pytest.fixture
def operator(db: Session) -> Actor:
    user = make_user(db, "Olga Curator", "curator")
    return Actor("operator", user.id, user.email)


@pytest.fixture
def drain(runtime: Runtime) -> Callable[[], int]:
    """Lets the worker do what was promised."""
    return lambda: Worker(runtime).drain()


@pytest.fixture
def count_statements(runtime: Runtime) -> Callable[[Callable[[], object]], int]:
    """Counts the statements that reach the database while something is done."""

    def count(work: Callable[[], object]) -> int:
        statements: list[str] = []

        def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(runtime.database.write_engine, "before_cursor_execute", note)
        try:
            work()
        finally:
            event.remove(runtime.database.write_engine, "before_cursor_execute", note)
        return len(statements)

    return count
