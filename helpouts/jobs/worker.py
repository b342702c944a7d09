"""The worker: leases jobs, does them, finishes them in the transaction of their effect.

A worker that dies leaves a lease that runs out; another takes the job with a greater token.  What the dead one
might still do is fenced off: a job is finished only with the token of its newest lease.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from helpouts.clock import clock
from helpouts.jobs.models import Job, JobSchedule
from helpouts.jobs.service import enqueue, handler
from helpouts.plugins.records import JobHandler
from helpouts.plugins.service import note_failure
from helpouts.runtime import Runtime

LEASE = timedelta(seconds=60)
log = structlog.get_logger("helpouts.worker")


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that this worker may do now."""

    id: int
    kind: str
    payload: dict[str, Any]
    token: int
    attempts: int
    max_attempts: int


class LostLease(Exception):
    """Somebody else has the job now; what was done in this transaction is rolled back."""


class Worker:
    """Does jobs of one runtime, one at a time."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stopping = threading.Event()
        self._aside: threading.Thread | None = None
        self._plugin_jobs = {
            f"{plugin}.{job.kind}": (plugin, job)
            for plugin, job in runtime.registry.surface("helpouts_jobs", JobHandler)
        }

    def run(self, idle_seconds: float = 0.3) -> None:
        """Work until :attr:`stopping` is set; the job at hand is finished first."""
        while not self.stopping.is_set():
            try:
                self.tick()
                busy = self.step(aside=True)
            except Exception:
                log.exception("the worker could not reach the job table")
                busy = False
            if not busy:
                self.stopping.wait(idle_seconds)

    def drain(self, limit: int = 1000) -> int:
        """Do all jobs that are due; returns how many (tests and the demo)."""
        done = 0
        while done < limit and self.step():
            done += 1
        return done

    def tick(self) -> None:
        """Promise the periodic jobs whose time has come."""
        periodic = dict(handler.periodic)
        periodic.update({k: job.every_seconds for k, (_, job) in self._plugin_jobs.items() if job.every_seconds})
        now = clock.now()
        with self.runtime.database.read() as db:
            last = {row.kind: row.last_tick_at for row in db.scalars(select(JobSchedule))}
        for kind, every in periodic.items():
            if kind in last and now - last[kind] < timedelta(seconds=every):
                continue
            with contextlib.suppress(IntegrityError):  # another worker was first in this moment
                self._promise(kind, every)

    def _promise(self, kind: str, every: int) -> None:
        with self.runtime.database.write() as db:
            row = db.get(JobSchedule, kind, with_for_update=True)
            now = clock.now()
            if row is not None and now - row.last_tick_at < timedelta(seconds=every):
                return
            job = enqueue(db, kind, max_attempts=3)
            if row is None:
                db.add(JobSchedule(kind=kind, last_tick_at=now, last_job_id=job.id))
            else:
                row.last_tick_at, row.last_job_id = now, job.id

    def step(self, *, aside: bool = False) -> bool:
        """Do one job that is due; False when there is none.

        :param aside: a long job is begun in a thread of its own, if none is under way; else it is done here and now.
        """
        occupied = aside and self._aside is not None and self._aside.is_alive()
        leased = self._lease(without=handler.long if occupied else ())
        if leased is None:
            return False
        if aside and leased.kind in handler.long:
            # Not waited for at the end of the process: its lease runs out, and another worker begins it anew.
            self._aside = threading.Thread(target=self._attempt, args=(leased,), daemon=True, name="long-job")
            self._aside.start()
        else:
            self._attempt(leased)
        return True

    def _attempt(self, leased: Leased) -> None:
        try:
            self._do(leased)
        except LostLease:
            log.warning("lease lost", job=leased.id, kind=leased.kind)
        except Exception as error:
            log.warning("job failed", job=leased.id, kind=leased.kind, error=str(error))
            self._failed(leased, error)

    @contextlib.contextmanager
    def _renewed(self, leased: Leased) -> Iterator[None]:
        """Lengthen the lease of a long job while it is being done."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(LEASE.total_seconds() / 4):
                try:
                    with self.runtime.database.write() as db:
                        mine = (Job.id == leased.id, Job.token == leased.token, Job.state == "leased")
                        db.execute(update(Job).where(*mine).values(lease_until=clock.now() + LEASE))
                except Exception:
                    log.exception("a lease could not be lengthened", job=leased.id, kind=leased.kind)

        thread = threading.Thread(target=renew, daemon=True, name="lease")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _lease(self, without: Collection[str] = ()) -> Leased | None:
        with self.runtime.database.write() as db:
            now = clock.now()
            earlier = aliased(Job)
            waiting = select(earlier.id).where(
                earlier.serial_key == Job.serial_key, earlier.id < Job.id, earlier.state.in_(("ready", "leased"))
            )
            due = or_(and_(Job.state == "ready", Job.run_at <= now), and_(Job.state == "leased", Job.lease_until < now))
            job = db.scalar(
                select(Job)
                .where(due, or_(Job.serial_key.is_(None), ~waiting.exists()), Job.kind.not_in(without))
                .order_by(Job.run_at, Job.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if job is None:
                return None
            if job.attempts < job.max_attempts:
                job.state, job.lease_until = "leased", now + LEASE
                job.token += 1
                job.attempts += 1
                return Leased(job.id, job.kind, dict(job.payload), job.token, job.attempts, job.max_attempts)
            # Its worker died at every attempt: the job may be what kills them.
            job.state, job.lease_until, job.last_error = "dead", None, "the worker died while doing it"
            log.error("job dead", job=job.id, kind=job.kind, error=job.last_error)
        return self._lease(without)

    def _do(self, leased: Leased) -> None:
        if leased.kind in handler.outside:
            with self._renewed(leased) if leased.kind in handler.long else contextlib.nullcontext():
                effect = handler.outside[leased.kind](self.runtime, leased.id, leased.payload)
            with self.runtime.database.write() as db:
                if effect is not None:
                    effect(db)
                self._finish(db, leased)
            return
        found: tuple[Any, ...] = ()
        if leased.kind in handler.looks:
            with self.runtime.database.read() as db:
                found = (handler.looks[leased.kind](db, leased.payload),)
        with self.runtime.database.write() as db:
            if leased.kind in handler.plain:
                handler.plain[leased.kind](db, leased.payload, *found)
            elif leased.kind in self._plugin_jobs:
                plugin, job = self._plugin_jobs[leased.kind]
                if plugin in self.runtime.registry.enabled(db):
                    job.run(db, leased.payload)
            else:
                raise LookupError(f"nothing here does jobs of the kind {leased.kind!r}")
            self._finish(db, leased)

    def _finish(self, db: Session, leased: Leased) -> None:
        finished = db.execute(
            update(Job)
            .where(Job.id == leased.id, Job.token == leased.token, Job.state == "leased")
            .values(state="done", finished_at=clock.now(), lease_until=None, last_error="")
        )
        if finished.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
            raise LostLease

    def _failed(self, leased: Leased, error: Exception) -> None:
        dead = leased.attempts >= leased.max_attempts
        delay = min(3600.0, 2.0**leased.attempts) * random.uniform(0.75, 1.25)  # noqa: S311  # jitter, not a secret
        with self.runtime.database.write() as db:
            noted = db.execute(
                update(Job)
                .where(Job.id == leased.id, Job.token == leased.token, Job.state == "leased")
                .values(
                    state="dead" if dead else "ready",
                    run_at=clock.now() + timedelta(seconds=delay),
                    lease_until=None,
                    last_error=f"{type(error).__name__}: {error}"[:2000],
                )
            )
            plugin = leased.payload.get("plugin") if leased.kind in ("event.deliver", "notice.send") else None
            plugin = plugin or (self._plugin_jobs[leased.kind][0] if leased.kind in self._plugin_jobs else None)
            if plugin is not None and noted.rowcount == 1:  # type: ignore[attr-defined]  # as above
                note_failure(db, plugin, leased.kind, error)
