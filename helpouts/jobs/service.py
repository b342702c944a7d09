"""Promising work: :func:`enqueue` writes a job in the transaction of the change that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.db.inserts import Inserted
from helpouts.db.later import later
from helpouts.jobs.models import Job

Run = Callable[..., None]
Look = Callable[[Session, Mapping[str, Any]], Any]
_PROMISE = Inserted(Job.__table__, ("kind", "payload", "serial_key", "run_at", "created_at"))


class Handlers:
    """What the worker knows to do, by kind.

    A *plain* handler runs in the transaction that finishes the job, as ``run(db, payload)``.  One that has to ask much
    names a ``look`` for that, which is called as ``look(db, payload)`` in a transaction before that only reads; what it
    returns becomes the third argument.  An *outside* handler
    (``outside=True``) talks to the world: it is called with no transaction open as
    ``run(runtime, job_id, payload)`` and returns a function of the session, or None, whose effect is written in the
    transaction that finishes the job.
    """

    def __init__(self) -> None:
        self.plain: dict[str, Run] = {}
        self.looks: dict[str, Look] = {}
        self.outside: dict[str, Callable[..., Any]] = {}
        self.periodic: dict[str, int] = {}
        self.long: set[str] = set()

    def __call__(
        self,
        kind: str,
        *,
        look: Look | None = None,
        outside: bool = False,
        every_seconds: int = 0,
        long: bool = False,
    ) -> Callable[[Any], Any]:
        """Register the decorated function for ``kind``; ``every_seconds`` makes it periodic as well.

        :param long: it takes minutes: the worker does it beside its other jobs, one at a time; ``outside`` only.
        """

        def register(function: Any) -> Any:
            if long:
                self.long.add(kind)
            if look is not None:
                self.looks[kind] = look
            (self.outside if outside else self.plain)[kind] = function
            if every_seconds:
                self.periodic[kind] = every_seconds
            return function

        return register


#: ``@handler("kind")`` registers a function of the core.
handler = Handlers()


def enqueue(
    db: Session,
    kind: str,
    payload: Mapping[str, Any] | None = None,
    *,
    run_at: datetime | None = None,
    dedupe_key: str | None = None,
    serial_key: str | None = None,
    max_attempts: int = 12,
) -> Job:
    """Promise work of ``kind``, not before ``run_at``.

    With a ``dedupe_key`` the second call returns the first job.  Jobs with the same ``serial_key`` run one
    after the other in the order of their promise.
    """
    if dedupe_key is not None:
        existing = db.scalar(select(Job).where(Job.dedupe_key == dedupe_key))
        if existing is not None:
            return existing
    job = Job(
        kind=kind,
        payload=dict(payload or {}),
        run_at=run_at or clock.now(),
        dedupe_key=dedupe_key,
        serial_key=serial_key,
        max_attempts=max_attempts,
    )
    if dedupe_key is None:
        db.add(job)
        db.flush()
        return job
    try:
        with db.begin_nested():
            db.add(job)
    except IntegrityError:  # somebody promised the same in this moment, and has committed first
        return db.scalars(select(Job).where(Job.dedupe_key == dedupe_key)).one()
    return job


def promise_all(db: Session, jobs: Sequence[Mapping[str, Any]]) -> None:
    """Promise several jobs in one statement: each has ``kind`` and ``payload``, perhaps ``run_at`` and ``serial_key``.

    For promises that are made in every booking: nothing is read, and no key keeps them from being made twice.
    """
    now = clock.now()
    later(db, _PROMISE, *({"serial_key": None, "run_at": now, "created_at": now, **job} for job in jobs))


def cancel(db: Session, dedupe_key: str) -> bool:
    """Forget a job that has not begun; tells whether there was one."""
    job = db.scalar(select(Job).where(Job.dedupe_key == dedupe_key, Job.state == "ready"))
    if job is None:
        return False
    db.delete(job)
    db.flush()
    return True
