"""A real worker is killed in the middle of its work, again and again: nothing is lost and nothing happens twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, select

from helpouts.jobs.models import Job
from helpouts.jobs.service import enqueue
from helpouts.runtime import Runtime

JOBS, KILLS = 100, 4
#: No constraint forbids a second row of one job: that there is none is the worker's doing.
EFFECT = Table("effect", MetaData(), Column("id", Integer, primary_key=True), Column("job", Integer))
WORKER = """
import sys, time
from datetime import timedelta
from sqlalchemy import text
from helpouts.config import load_config
from helpouts.jobs import worker
from helpouts.jobs.service import handler
from helpouts.registry import Registry
from helpouts.runtime import make_runtime

worker.LEASE = timedelta(seconds=0.5)

@handler("test.effect")
def effect(db, payload):
    db.execute(text("INSERT INTO effect (job) VALUES (:job)"), {"job": payload["n"]})
    time.sleep(0.02)

runtime = make_runtime(load_config({}, database=sys.argv[1], data=sys.argv[2]), registry=Registry())
handler.periodic.clear()
print("ready", flush=True)
worker.Worker(runtime).run(idle_seconds=0.05)
"""


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition, not for a time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def start(runtime: Runtime, tmp_path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, runtime.database.url, str(tmp_path / "data")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing_and_does_nothing_twice(runtime: Runtime, tmp_path: Path) -> None:
    with runtime.database.write_engine.begin() as connection:
        EFFECT.create(connection)
    with runtime.database.write() as db:
        for n in range(JOBS):
            enqueue(db, "test.effect", {"n": n}, serial_key=f"line {n % 7}", max_attempts=50)

    def done() -> int:
        with runtime.database.read() as db:
            return db.scalar(select(func.count()).select_from(Job).where(Job.state == "done")) or 0

    for kill in range(KILLS):
        process, before = start(runtime, tmp_path), done()
        until(lambda at=before: done() >= at + 8, f"eight more jobs before kill {kill}")
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert done() < JOBS, "it was killed while there was work"
    process = start(runtime, tmp_path)
    until(lambda: done() == JOBS, "all jobs are done")
    process.terminate()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    with runtime.database.read() as db:
        effects = sorted(db.scalars(select(EFFECT.c.job)))
        attempts = db.scalar(select(func.sum(Job.attempts))) or 0
    assert effects == list(range(JOBS))
    assert JOBS <= attempts <= JOBS + KILLS
