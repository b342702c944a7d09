"""An expert, a curator and a category of our own, so that these tests say what they rely on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.catalog import Category
from helpouts.catalog.models import Expert
from helpouts.hookspecs import hookimpl
from helpouts.registry import Registry
from helpouts.runtime import Runtime

sys.path.insert(0, str(Path(__file__).parent))

from shop import MUSIC, REPAIR, make_expert, make_user  # needs the line above


class _Plugin(ModuleType):
    def __init__(self, category: Category) -> None:
        super().__init__("")  # no package, so no catalogues to look for
        self.helpouts_categories = hookimpl(lambda: (category,), specname="helpouts_categories")


@pytest.fixture(scope="session")
def registry_factory() -> Any:
    """Two categories and nothing else."""

    def make() -> Registry:
        registry = Registry()
        for name, category in (("category_repair", REPAIR), ("category_music", MUSIC)):
            registry.add(name, lambda c=category: _Plugin(c), "test", "1")
        return registry

    return make


@pytest.fixture
def curator(db: Session) -> Actor:
    user = make_user(db, "curator")
    return Actor("operator", user.id, user.email)


@pytest.fixture
def expert(db: Session) -> Expert:
    return make_expert(db, "Ada Wrench")


@pytest.fixture
def author(expert: Expert) -> Actor:
    return Actor("expert", expert.owner.id, expert.owner.email)


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The parts next door: who can be paid, and what the vetting rules say."""
    said = SimpleNamespace(ready=True, verdicts=[], judged=[])

    def judge(_db: Session, kind: str, subject: Any) -> list[Any]:
        said.judged.append((kind, subject.title))
        return list(said.verdicts)

    import helpouts.payments.service
    import helpouts.vetting.service

    monkeypatch.setattr(helpouts.vetting.service, "judge", judge)
    monkeypatch.setattr(helpouts.payments.service, "ready_to_be_paid", lambda _db, _user_id: said.ready)
    return said


@pytest.fixture
def count_queries(runtime: Runtime) -> Callable[..., int]:
    """Counts the statements that reach the database while something is done."""

    def count(work: Callable[[], object]) -> int:
        statements: list[str] = []

        def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(runtime.database.engine, "before_cursor_execute", note)
        try:
            work()
        finally:
            event.remove(runtime.database.engine, "before_cursor_execute", note)
        return len(statements)

    return count
