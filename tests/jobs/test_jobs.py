"""The job table: leases, fencing, retries, order, and promises that are made once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import helpouts
from helpouts.clock import clock
from helpouts.jobs.models import Job, JobSchedule
from helpouts.jobs.service import cancel, enqueue, handler
from helpouts.jobs.worker import LEASE, LostLease, Worker
from helpouts.plugins.models import SiteSetting
from helpouts.runtime import Runtime

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
Kinds = Callable[..., None]


@pytest.fixture(autouse=True)
def noon(running_clock: None) -> None:
    """Time stands still at noon."""
    clock.set(NOON)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    """Registers handlers for one test: ``kind("name", function, outside=..., every_seconds=...)``."""
    for table in ("plain", "outside", "periodic"):
        monkeypatch.setattr(handler, table, {})
    return lambda name, function, **options: handler(name, **options)(function)


def write(db: Session, payload: Mapping[str, Any]) -> None:
    """A handler that leaves a row."""
    db.merge(SiteSetting(key=payload["key"], value=payload.get("value", 1)))


def jobs(runtime: Runtime) -> list[Job]:
    with runtime.database.read() as db:
        found = list(db.scalars(select(Job).order_by(Job.id)))
        db.expunge_all()
    return found


def rows(runtime: Runtime) -> int:
    with runtime.database.read() as db:
        return db.scalar(select(func.count()).select_from(SiteSetting)) or 0


def promise(runtime: Runtime, kind: str = "write", **options: Any) -> int:
    with runtime.database.write() as db:
        return enqueue(db, kind, options.pop("payload", {"key": "a"}), **options).id


def test_a_job_is_done_in_the_transaction_that_finishes_it(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    promise(runtime)
    assert Worker(runtime).drain() == 1
    job = jobs(runtime)[0]
    assert (job.state, job.attempts, job.token, job.finished_at, job.lease_until) == ("done", 1, 1, NOON, None)
    assert rows(runtime) == 1


def test_a_promise_that_is_rolled_back_is_none(runtime: Runtime) -> None:
    with runtime.database.session(write=True) as db:
        enqueue(db, "write", {"key": "a"})
        db.rollback()
    assert jobs(runtime) == []


def test_a_job_waits_for_its_time(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    promise(runtime, run_at=NOON + timedelta(minutes=5))
    worker = Worker(runtime)
    assert worker.drain() == 0
    clock.advance(timedelta(minutes=5))
    assert worker.drain() == 1


def test_a_leased_job_is_nobody_elses_until_the_lease_runs_out(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    promise(runtime)
    first, second = Worker(runtime), Worker(runtime)
    assert first._lease() is not None
    assert second._lease() is None
    clock.advance(LEASE)
    assert second._lease() is None, "it runs out after, not at, its end"
    clock.advance(timedelta(seconds=1))
    taken = second._lease()
    assert taken is not None
    assert (taken.token, taken.attempts) == (2, 2)


@pytest.mark.parametrize("outside", [False, True])
def test_a_worker_that_lost_its_lease_cannot_finish_nor_leave_an_effect(
    runtime: Runtime, kind: Kinds, outside: bool
) -> None:
    if outside:
        kind("write", lambda _runtime, _job, payload: lambda db: write(db, payload), outside=True)
    else:
        kind("write", write)
    promise(runtime)
    stale = Worker(runtime)
    leased = stale._lease()
    assert leased is not None
    clock.advance(LEASE + timedelta(seconds=1))
    newer = Worker(runtime)._lease()
    assert newer is not None
    with pytest.raises(LostLease):
        stale._do(leased)
    assert rows(runtime) == 0, "what it wrote was rolled back"
    stale._failed(leased, ValueError("late news"))
    job = jobs(runtime)[0]
    assert (job.state, job.token, job.last_error) == ("leased", 2, "")


def test_what_fails_is_tried_again_later_and_later(runtime: Runtime, kind: Kinds) -> None:
    def fail(db: Session, payload: Mapping[str, Any]) -> None:
        write(db, payload)
        raise ValueError("not yet")

    kind("write", fail)
    promise(runtime)
    worker, waits = Worker(runtime), []
    for attempt in range(1, 5):
        assert worker.step()
        job = jobs(runtime)[0]
        assert (job.state, job.attempts, job.last_error) == ("ready", attempt, "ValueError: not yet")
        waits.append((job.run_at - clock.now()).total_seconds())
        assert 0.75 * 2**attempt <= waits[-1] <= 1.25 * 2**attempt
        assert not worker.step(), "not before its time"
        clock.set(job.run_at)
    assert waits == sorted(waits)
    assert rows(runtime) == 0


def test_the_wait_grows_to_an_hour_and_no_more(runtime: Runtime, kind: Kinds) -> None:
    kind("write", lambda _db, _payload: 1 / 0)
    promise(runtime, max_attempts=40)
    worker = Worker(runtime)
    for _ in range(20):
        worker.step()
        job = jobs(runtime)[0]
        assert job.run_at - clock.now() <= timedelta(seconds=4500)
        clock.set(job.run_at)


def test_after_the_last_attempt_it_is_dead_and_says_why(runtime: Runtime, kind: Kinds) -> None:
    kind("write", lambda _db, _payload: 1 / 0)
    promise(runtime, max_attempts=3)
    worker = Worker(runtime)
    for _ in range(5):
        worker.step()
        clock.advance(timedelta(hours=2))
    job = jobs(runtime)[0]
    assert (job.state, job.attempts, job.last_error) == ("dead", 3, "ZeroDivisionError: division by zero")


def test_a_job_that_kills_its_workers_is_given_up_and_the_next_one_is_done(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    promise(runtime, max_attempts=3)
    promise(runtime, payload={"key": "next"}, run_at=NOON + timedelta(hours=1))
    for _ in range(3):
        assert Worker(runtime)._lease() is not None, "and here its worker died"
        clock.advance(LEASE + timedelta(seconds=1))
    clock.advance(timedelta(hours=1))
    assert Worker(runtime).drain() == 1
    first, second = jobs(runtime)
    assert (first.state, first.last_error) == ("dead", "the worker died while doing it")
    assert second.state == "done"


def test_a_kind_that_nobody_knows_is_an_error_of_the_job(runtime: Runtime, kind: Kinds) -> None:
    promise(runtime, "no.such.kind")
    Worker(runtime).step()
    assert "no.such.kind" in jobs(runtime)[0].last_error


def test_jobs_of_one_serial_key_run_in_the_order_of_their_promise(runtime: Runtime, kind: Kinds) -> None:
    done: list[str] = []
    fail = {"a"}

    def run(_db: Session, payload: Mapping[str, Any]) -> None:
        if payload["key"] in fail:
            raise ValueError("not yet")
        done.append(payload["key"])

    kind("write", run)
    for key in "abc":
        promise(runtime, payload={"key": key}, serial_key="one")
    promise(runtime, payload={"key": "x"}, serial_key="two")
    worker = Worker(runtime)
    worker.drain()
    assert done == ["x"], "a waits for its second attempt, b and c wait for a"
    fail.clear()
    clock.advance(timedelta(minutes=1))
    worker.drain()
    assert done == ["x", "a", "b", "c"]


def test_a_dead_job_holds_up_nobody(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    kind("fail", lambda _db, _payload: 1 / 0)
    promise(runtime, "fail", serial_key="one", max_attempts=1)
    promise(runtime, serial_key="one")
    Worker(runtime).drain()
    assert [job.state for job in jobs(runtime)] == ["dead", "done"]


def test_two_jobs_of_one_serial_key_are_never_leased_at_once(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    promise(runtime, serial_key="one")
    promise(runtime, serial_key="one")
    assert Worker(runtime)._lease() is not None
    assert Worker(runtime)._lease() is None


def test_a_dedupe_key_promises_once(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    first = promise(runtime, dedupe_key="k")
    assert promise(runtime, dedupe_key="k") == first
    Worker(runtime).drain()
    assert promise(runtime, dedupe_key="k") == first, "done is done"
    assert len(jobs(runtime)) == 1


def test_a_dedupe_key_holds_between_transactions_at_the_same_moment(runtime: Runtime) -> None:
    ids, start = [], threading.Barrier(6)

    def ask() -> None:
        start.wait()
        ids.append(promise(runtime, dedupe_key="k"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1


def test_a_promise_can_be_taken_back_until_it_has_begun(runtime: Runtime, kind: Kinds) -> None:
    kind("write", write)
    promise(runtime, dedupe_key="a")
    promise(runtime, dedupe_key="b")
    Worker(runtime)._lease()
    with runtime.database.write() as db:
        assert [cancel(db, "a"), cancel(db, "b"), cancel(db, "c")] == [False, True, False]


def test_a_periodic_job_is_promised_once_by_two_workers(runtime: Runtime, kind: Kinds) -> None:
    kind("write", lambda _db, _payload: None, every_seconds=60)
    start = threading.Barrier(2)

    def tick() -> None:
        start.wait()
        Worker(runtime).tick()

    for period in range(1, 4):
        threads = [threading.Thread(target=tick) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(jobs(runtime)) == period
        Worker(runtime).tick()
        clock.advance(timedelta(seconds=59))
        Worker(runtime).tick()
        assert len(jobs(runtime)) == period, "not before the minute is over"
        clock.advance(timedelta(seconds=1))
    with runtime.database.read() as db:
        row = db.scalars(select(JobSchedule)).one()
        assert (row.kind, row.last_job_id) == ("write", jobs(runtime)[-1].id)


def test_the_workers_catalogue_names_every_module_with_a_handler() -> None:
    root = Path(helpouts.__file__).parent
    with_handlers = {
        "helpouts." + path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for path in root.rglob("*.py")
        if "\n@handler(" in path.read_text("utf-8")
    }
    catalogue = (root / "jobs" / "catalogue.py").read_text("utf-8")
    named = {line.split()[1] for line in catalogue.splitlines() if line.startswith("import ")}
    reached = named | {"helpouts.payments.operations", "helpouts.payments.maturing"}  # imported by payments.service
    assert with_handlers <= reached
