"""Events: told to plugins after commit, each plugin by itself, exactly once in the database."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import helpouts
from helpouts import hookspecs
from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.events import emit
from helpouts.hookspecs import hookimpl
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.plugins.models import PluginFailure, SiteSetting
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.runtime import Runtime

Heard = list[tuple[str, int, str]]
EVENTS = sorted(name for name in vars(hookspecs.Events) if name.startswith("helpouts_"))


def listener(name: str, heard: Heard, fail: Callable[[], bool] = lambda: False) -> Any:
    """A plugin that writes a row for each cancelled booking, and fails when told to."""

    @hookimpl
    def helpouts_booking_cancelled(db: Session, booking_id: int, reason: str) -> None:
        db.merge(SiteSetting(key=f"{name}-{booking_id}", value=reason))
        db.flush()
        heard.append((name, booking_id, reason))
        if fail():
            raise ZeroDivisionError("not today")

    module = ModuleType(name)
    module.helpouts_booking_cancelled = helpouts_booking_cancelled  # type: ignore[attr-defined]  # modules take attributes
    return module


def make(runtime: Runtime, *plugins: Any) -> Runtime:
    """The runtime with these plugins only."""
    registry = Registry()
    for module in plugins:
        assert registry.add(module.__name__, lambda m=module: m).loaded
    return Runtime(runtime.config, runtime.database, registry)


def written(runtime: Runtime) -> dict[str, Any]:
    with runtime.database.read() as db:
        return {row.key: row.value for row in db.scalars(select(SiteSetting))}


def test_every_listener_hears_it_after_the_commit_and_not_before(runtime: Runtime) -> None:
    heard: Heard = []
    site = make(runtime, listener("one", heard), listener("two", heard))
    with site.database.write() as db:
        emit(db, "booking_cancelled", booking_id=5, reason="ill")
        assert heard == []
    assert Worker(site).drain() == 2
    assert sorted(heard) == [("one", 5, "ill"), ("two", 5, "ill")]
    assert written(site) == {"one-5": "ill", "two-5": "ill"}


def test_instants_come_out_of_the_outbox_as_they_went_in(runtime: Runtime) -> None:
    heard: list[Any] = []

    @hookimpl
    def helpouts_booking_moved(booking_id: int, from_start: datetime, to_start: datetime) -> None:
        heard.append((booking_id, from_start, to_start))

    module = ModuleType("mover")
    module.helpouts_booking_moved = helpouts_booking_moved  # type: ignore[attr-defined]  # modules take attributes
    site = make(runtime, module)
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    with site.database.write() as db:
        emit(db, "booking_moved", booking_id=5, from_start=before, to_start=before + timedelta(hours=1))
    assert Worker(site).drain() == 1
    assert heard == [(5, before, before + timedelta(hours=1))]


def test_what_is_rolled_back_is_never_told(runtime: Runtime) -> None:
    heard: Heard = []
    site = make(runtime, listener("one", heard))
    with site.database.session(write=True) as db:
        emit(db, "booking_cancelled", booking_id=5, reason="ill")
        db.rollback()
    assert Worker(site).drain() == 0
    assert heard == []


def test_one_that_fails_neither_stops_nor_repeats_the_others_and_is_shown(runtime: Runtime) -> None:
    heard: Heard = []
    down = [True]
    site = make(runtime, listener("bad", heard, lambda: down[0]), listener("good", heard))
    with site.database.write() as db:
        emit(db, "booking_cancelled", booking_id=5, reason="ill")
    worker = Worker(site)
    worker.drain()
    assert written(site) == {"good-5": "ill"}, "what the failing one wrote is rolled back"
    with site.database.read() as db:
        failure = db.scalars(select(PluginFailure)).one()
        assert (failure.plugin, failure.message) == ("bad", "ZeroDivisionError: not today")
        assert "helpouts_booking_cancelled" in failure.traceback
    down[0] = False
    clock.advance(timedelta(hours=1))
    worker.drain()
    assert [name for name, *_ in heard].count("good") == 1
    assert written(site) == {"good-5": "ill", "bad-5": "ill"}


def test_one_that_always_fails_is_given_up_after_five_times(runtime: Runtime) -> None:
    heard: Heard = []
    site = make(runtime, listener("bad", heard, lambda: True))
    with site.database.write() as db:
        emit(db, "booking_cancelled", booking_id=5, reason="ill")
    worker = Worker(site)
    for _ in range(9):
        worker.drain()
        clock.advance(timedelta(hours=1))
    assert len(heard) == 5
    with site.database.read() as db:
        assert db.scalars(select(Job.state)).all() == ["dead"]
        assert db.scalar(select(func.count()).select_from(PluginFailure)) == 5


def test_a_disabled_plugin_hears_nothing(runtime: Runtime) -> None:
    heard: Heard = []
    site = make(runtime, listener("one", heard))
    with site.database.write() as db:
        emit(db, "booking_cancelled", booking_id=5, reason="ill")
        set_enabled(db, "one", False, SYSTEM)
    Worker(site).drain()
    assert heard == []


def test_an_implementation_may_leave_out_what_it_does_not_need(runtime: Runtime) -> None:
    heard: list[int] = []

    @hookimpl
    def helpouts_booking_cancelled(booking_id: int) -> int:
        heard.append(booking_id)
        return 5

    module = ModuleType("short")
    module.helpouts_booking_cancelled = helpouts_booking_cancelled  # type: ignore[attr-defined]  # modules take attributes
    site = make(runtime, module)
    with site.database.write() as db:
        emit(db, "booking_cancelled", booking_id=5, reason="ill")
    Worker(site).drain()
    assert heard == [5]


def test_an_event_that_does_not_exist_cannot_be_promised(db: Session) -> None:
    with pytest.raises(LookupError):
        emit(db, "booking_forgotten", booking_id=5)


def _promises() -> dict[str, set[frozenset[str]]]:
    found: dict[str, set[frozenset[str]]] = {}
    for path in Path(helpouts.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) != 2:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "emit" and isinstance(node.args[1], ast.Constant):
                keys = frozenset(keyword.arg or "" for keyword in node.keywords)
                found.setdefault(f"helpouts_{node.args[1].value}", set()).add(keys)
    return found


@pytest.mark.parametrize("event", EVENTS)
def test_the_core_promises_every_event_with_what_its_hook_names(event: str) -> None:
    named = frozenset(inspect.signature(getattr(hookspecs.Events, event)).parameters) - {"self", "db"}
    assert _promises().get(event) == {named}
