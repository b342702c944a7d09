"""Whole bookings per second: slot check, guard, hold, ledger, room, promises, each committed.

Run ``python -m benchmarks.bench_booking``.  Several processes book one expert each for as long as the time lasts, by
:func:`helpouts.bookings.service.draft` (a reading transaction) and :func:`~helpouts.bookings.service.place` (which
writes).  In the same run the floor is measured: the same processes do nothing but insert a guarded row and commit.
What follows a booking (mails, events) is promised in it and done by the worker, and is not part of the figure.
The ledger is not new: it has the accounts of 100 000 bookings before.

Limits: 400 a second on SQLite, 300 on PostgreSQL, with two processes on two processors of their own; a crowd
beside them shows what queues cost.  Exit code 1 if one is missed.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from helpouts.audit.actor import Actor
from helpouts.bookings import service
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.demo.history import answers
from helpouts.payments.models import LedgerAccount
from helpouts.runtime import Runtime, make_runtime
from helpouts.testing.factories import make_customer, make_expert, make_listing
from helpouts.testing.postgres import PostgresServer

SECONDS = 6
LIMITS = {"sqlite": 400, "postgresql": 300}
CROWDS = (2, 6)
"""Numbers of processes; the limits are for the first, of which each has a processor to itself."""
EARLIER = 100_000
"""Bookings whose accounts are in the ledger."""
Work = Callable[[Runtime, int, int, datetime], None]


def start(url: str, folder: str) -> Runtime:
    """A runtime over the database."""
    return make_runtime(load_config({}, database=url, data=folder))


def book(runtime: Runtime, listing_id: int, customer_id: int, moment: datetime) -> None:
    """One whole booking: drafted in a transaction that reads, then written."""
    with runtime.database.read() as db:
        listing, customer = service.find(db, listing_id, customer_id)
        category = runtime.registry.category(listing.category)
        actor, key = Actor("customer", customer.id, customer.email), secrets.token_hex(8)
        made = service.draft(db, listing, customer, moment, answers(category), zone="UTC", idempotency_key=key)
    with runtime.database.write() as db:
        service.place(db, made, actor)


def bare(runtime: Runtime, listing_id: int, customer_id: int, moment: datetime) -> None:
    """The floor: one guarded row and a commit."""
    values = {
        "public_id": secrets.token_urlsafe(16),
        "listing_id": listing_id,
        "expert_id": listing_id,
        "host_id": 2 * listing_id - 1,
        "customer_id": customer_id,
        "state": "confirmed",
        "starts_at": moment + timedelta(days=400),
        "ends_at": moment + timedelta(days=400, minutes=30),
        "title": "x",
        "category": "it",
        "pricing": "free",
        "price_minor": 0,
        "currency": "EUR",
        "amount_minor": 0,
        "fee_bp": 0,
        "cancellation_policy": "flexible",
        "customer_zone": "UTC",
        "host_zone": "UTC",
    }
    with runtime.database.write() as db:
        db.execute(insert(Booking.__table__), values)  # type: ignore[arg-type]  # Table at run time, typed as FromClause


def run(url: str, folder: str, job: tuple[int, int], what: Work, results: Any) -> None:
    """Do one after the other until the time is over; put (count, seconds, CPU seconds) into ``results``."""
    runtime = start(url, folder)
    moment = (clock.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    what(runtime, *job, moment)  # imports, compiled statements, connections
    begun, cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < SECONDS:
        moment += timedelta(minutes=30)
        what(runtime, *job, moment)
        count += 1
    results.put((count, time.perf_counter() - begun, time.process_time() - cpu))


def measure(url: str, folder: str, processes: int) -> tuple[float, float, float]:
    """(whole bookings a second, bare inserts a second, client CPU milliseconds for a whole booking)."""
    runtime = start(url, folder)
    migrate.upgrade(runtime.database, runtime.registry)
    jobs = []
    with runtime.database.write() as db:
        for number in range(processes):
            expert = make_expert(db, f"Expert{number} X")
            service.scheduling.schedule_of(db, expert.owner.id).horizon_days = 365
            listing = make_listing(db, expert, pricing="fixed", price_minor=1)
            customer = make_customer(db, f"Customer{number} X")
            assert (expert.id, expert.owner.id) == (listing.id, 2 * listing.id - 1)
            jobs.append((listing.id, customer.id))
        account = {"kind": "escrow", "normal": "C", "currency": "EUR", "nonneg": True}
        accounts = [{"code": f"escrow:-{number}", **account} for number in range(1, EARLIER + 1)]
        db.execute(insert(LedgerAccount.__table__), accounts)  # type: ignore[arg-type]  # as above
    runtime.database.dispose()
    whole, floor = _together(url, folder, jobs, book), _together(url, folder, jobs, bare)
    count = sum(found[0] for found in whole)
    return _rate(whole), _rate(floor), 1000 * sum(found[2] for found in whole) / count


def _rate(found: list[tuple[int, float, float]]) -> float:
    return sum(count / seconds for count, seconds, _cpu in found)


def _together(url: str, folder: str, jobs: list[tuple[int, int]], what: Work) -> list[tuple[int, float, float]]:
    results: Any = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=run, args=(url, folder, job, what, results)) for job in jobs]
    for process in processes:
        process.start()
    done = [results.get(timeout=SECONDS + 400) for _ in processes]
    for process in processes:
        process.join()
    return done


def main() -> int:
    """Print the table."""
    multiprocessing.set_start_method("spawn")
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {multiprocessing.cpu_count()} processors, load {load:.1f} before")
    head = ("database", "processes", "bookings/s", "limit", "CPU ms each", "bare inserts/s", "of the floor")
    print("{:12} {:>9} {:>11} {:>6} {:>12} {:>15} {:>13}".format(*head))
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(durable=True)
        try:
            for crowd in CROWDS:
                for kind, url in (
                    ("sqlite", f"sqlite:///{Path(folder) / f'bench{crowd}.sqlite3'}"),
                    ("postgresql", server.create(f"bench{crowd}")),
                ):
                    rate = show(kind, crowd, *measure(url, folder, crowd))
                    missed = missed or (crowd == CROWDS[0] and rate < LIMITS[kind])
        finally:
            server.stop()
    return 1 if missed else 0


def show(kind: str, processes: int, rate: float, floor: float, cpu: float) -> float:
    """Print a line; the rate."""
    share, limit = f"1/{floor / rate:.1f}", LIMITS[kind] if processes == CROWDS[0] else ""
    print(f"{kind:12} {processes:9} {rate:11.0f} {limit:>6} {cpu:12.2f} {floor:15.0f} {share:>13}", flush=True)
    return rate


if __name__ == "__main__":
    sys.exit(main())
