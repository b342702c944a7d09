"""Whole bookings per second: guard, hold, ledger, mails, jobs and events, each committed.

Run ``python -m benchmarks.bench_booking``.  One process per expert, as many bookings as fit into the time.  Limits:
400 a second on SQLite, 300 on PostgreSQL.  Exit code 1 if a limit is missed.
"""

from __future__ import annotations

import multiprocessing
import platform
import secrets
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from helpouts.audit.actor import Actor
from helpouts.bookings import service
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.demo.history import answers
from helpouts.runtime import Runtime, make_runtime
from helpouts.testing.factories import make_customer, make_expert, make_listing
from helpouts.testing.postgres import PostgresServer

SECONDS = 8
LIMITS = {"sqlite": 400, "postgresql": 300}
PROCESSES = {"sqlite": 2, "postgresql": 4}


def start(url: str, folder: str) -> Runtime:
    """A runtime over the database, tables made."""
    return make_runtime(load_config({}, database=url, data=folder))


def work(url: str, folder: str, listing_id: int, customer_id: int, results: Any) -> None:
    """Book one slot after the other until the time is over; put (bookings, seconds) into ``results``."""
    from helpouts.accounts.models import User

    runtime = start(url, folder)
    begun, count = time.perf_counter(), 0
    moment = (clock.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    while time.perf_counter() - begun < SECONDS:
        with runtime.database.write() as db:
            listing, customer = db.get_one(Listing, listing_id), db.get_one(User, customer_id)
            category = runtime.registry.category(listing.category)
            actor = Actor("customer", customer.id, customer.email)
            service.book(db, listing, customer, moment, answers(category), actor, secrets.token_hex(8))
        moment += timedelta(minutes=30)
        count += 1
        if count % 2000 == 0:
            break
    results.put((count, time.perf_counter() - begun))


def measure(kind: str, url: str, folder: str) -> float:
    """Bookings per second of all processes together."""
    runtime = start(url, folder)
    migrate.upgrade(runtime.database, runtime.registry)
    jobs = []
    with runtime.database.write() as db:
        for number in range(PROCESSES[kind]):
            expert = make_expert(db, f"Expert{number} X")
            schedule = service.scheduling.schedule_of(db, expert.owner.id)
            schedule.horizon_days = 365
            listing = make_listing(db, expert, pricing="fixed", price_minor=1)
            jobs.append((listing.id, make_customer(db, f"Customer{number} X").id))
    runtime.database.dispose()
    results: Any = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=work, args=(url, folder, *job, results)) for job in jobs]
    for process in processes:
        process.start()
    done = [results.get(timeout=SECONDS + 60) for _ in processes]
    for process in processes:
        process.join()
    return sum(count / seconds for count, seconds in done)


def main() -> int:
    """Print the table."""
    multiprocessing.set_start_method("spawn")
    print(f"Python {platform.python_version()}, {multiprocessing.cpu_count()} processors, {SECONDS} s each")
    print(f"{'database':12} {'processes':>9} {'bookings/s':>11} {'limit':>6}")
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        rates = {"sqlite": measure("sqlite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}", folder)}
        server = PostgresServer()
        try:
            rates["postgresql"] = measure("postgresql", server.create("bench"), folder)
        finally:
            server.stop()
    for kind, rate in rates.items():
        print(f"{kind:12} {PROCESSES[kind]:9} {rate:11.0f} {LIMITS[kind]:6}")
        missed = missed or rate < LIMITS[kind]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
