"""Money operations committed each second, through the product's own services, by several processes at once.

    python benchmarks/bench_ledger.py [--seconds 10]

Mixed: top-up, hold, settle with fee, release, refund, payout; 40 wallets, 8 experts.  SQLite with 4 processes (a
temporary file, synchronous=FULL), PostgreSQL with 8 (a server of our own, with fsync).  Afterwards every invariant
of the books is checked, and a deadlock counts as a failure.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from helpouts_payments_wallet.models import Connection
from helpouts_payments_wallet.models import metadata as wallet_metadata
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, lazyload

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings.models import Booking
from helpouts.config import load_config
from helpouts.db import Database
from helpouts.db.metadata import metadata
from helpouts.payments import PaymentError, service
from helpouts.payments.ledger import balance
from helpouts.payments.models import Payment
from helpouts.payments.payouts import request_payout
from helpouts.payments.verify import verify, violations
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.testing.money import World, person
from helpouts.testing.postgres import PostgresServer

TARGETS = {"sqlite": (4, 1500), "postgresql": (8, 700)}
CUSTOMERS, EXPERTS, BOOKINGS = 40, 8, 3000


def runtime(url: str, data: str) -> Runtime:
    """A runtime with the wallet."""
    registry = Registry()
    registry.add("payments_wallet", lambda: import_module("helpouts_payments_wallet"), "benchmark", "0")
    return Runtime(load_config({}, data=data), Database(url), registry)


def prepare(url: str, data: str, processes: int) -> None:
    """Tables, people with money, and confirmed bookings for each process."""
    site = runtime(url, data)
    with site.database.write_engine.begin() as connection:
        metadata.create_all(connection)
        wallet_metadata.create_all(connection)
    world = World(site)
    now, hours = datetime(2030, 1, 1, tzinfo=UTC), itertools.count()
    with site.database.write() as db:
        customers = [person(db, f"Customer{n}").id for n in range(CUSTOMERS)]
        experts = [person(db, f"Expert{n}").id for n in range(EXPERTS)]
        for user in customers:
            db.add(Connection(user_id=user, payer_terms_at=now))
            world.fund(db, 10_000_000, user_id=user)
        template = world.booking(db, 2500)
        columns = {c.key: getattr(template, c.key) for c in Booking.__table__.columns if c.key != "id"}
        for n in range(BOOKINGS * processes):
            start = now + timedelta(hours=next(hours))
            db.execute(
                insert(Booking.__table__),  # type: ignore[arg-type]  # Table at run time, typed as FromClause
                {
                    **columns,
                    "public_id": secrets.token_urlsafe(12),
                    "customer_id": customers[n % CUSTOMERS],
                    "host_id": experts[n % EXPERTS],
                    "starts_at": start,
                    "ends_at": start + timedelta(minutes=30),
                    "kind": str(n % processes),
                },
            )
    site.database.dispose()


def bare(db: Session, booking_id: int) -> Booking:
    """The booking without the people around it: loading those is not the ledger's work."""
    return db.get_one(Booking, booking_id, options=[lazyload("*")])


def work(url: str, data: str, number: int, seconds: float, report: multiprocessing.Queue[Counter[str]]) -> None:
    """One process: operations until the time is over."""
    site, dice, done = runtime(url, data), random.Random(number), Counter[str]()
    with site.database.read() as db:
        fresh = list(db.scalars(select(Booking.id).where(Booking.kind == str(number))))
        experts = sorted(set(db.scalars(select(Booking.host_id).where(Booking.kind == str(number)))))
        customers = sorted(set(db.scalars(select(Booking.customer_id).where(Booking.kind == str(number)))))
    held: list[int] = []
    settled: list[int] = []
    latencies: list[float] = []
    operator = Actor("system", None, "benchmark")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        what = dice.choices(["top_up", "hold", "settle", "release", "refund", "payout"], [20, 30, 20, 5, 15, 10])[0]
        if (what in ("settle", "release") and not held) or (what == "refund" and not settled):
            what = "hold"
        if what == "hold" and not fresh:
            what = "top_up"
        began = time.perf_counter()
        try:
            with site.database.write() as db:
                if what == "top_up":
                    key = secrets.token_hex(8)
                    service.top_up(db, dice.choice(customers), 1000, "EUR", source="psp:test", key=key)
                elif what == "hold":
                    service.hold_for_booking(db, bare(db, fresh[-1]), SYSTEM)
                    held.append(fresh.pop())
                elif what == "settle":
                    service.settle_booking(db, bare(db, held[-1]), 1700, SYSTEM)
                    settled.append(held.pop())
                elif what == "release":
                    service.release_booking(db, bare(db, held.pop()), 0, SYSTEM)
                elif what == "refund":
                    payment = service.payment_of(db, settled.pop())
                    assert payment is not None
                    service.refund(db, payment, dice.randint(1, 2500), "", operator)
                else:
                    expert = dice.choice(experts)
                    pending = db.scalars(
                        select(Payment).where(Payment.payee_id == expert, Payment.state == "captured").limit(1)
                    ).first()
                    if pending is not None and pending.matured_at is None:
                        service.mature(db, pending)
                    there = balance(db, f"earn_avail:{expert}", "EUR")
                    if there:
                        request_payout(db, expert, min(there, 500), "EUR", secrets.token_hex(8), operator)
            done[what] += 1
        except PaymentError:
            done["declined"] += 1
        except DBAPIError as error:
            done[f"error {getattr(error.orig, 'sqlstate', None) or error.orig}"] += 1
        latencies.append(time.perf_counter() - began)
    latencies.sort()
    done["p50_us"] = int(latencies[len(latencies) // 2] * 1e6)
    done["p99_us"] = int(latencies[int(len(latencies) * 0.99)] * 1e6)
    report.put(done)
    site.database.dispose()


def measure(name: str, url: str, data: str, seconds: float) -> bool:
    """Run the processes, print a line; whether the target and the books hold."""
    processes, target = TARGETS[name]
    prepare(url, data, processes)
    context = multiprocessing.get_context("spawn")
    report: multiprocessing.Queue[Counter[str]] = context.Queue()
    workers = [context.Process(target=work, args=(url, data, n, seconds, report)) for n in range(processes)]
    cpu = os.times()
    for worker in workers:
        worker.start()
    reports = [report.get() for _ in workers]
    for worker in workers:
        worker.join()
    used = os.times()
    cpu_seconds = used.children_user + used.children_system - cpu.children_user - cpu.children_system
    total: Counter[str] = sum(reports, Counter())
    times = {key: [r.pop(key) for r in reports] for key in ("p50_us", "p99_us")}
    total -= Counter({key: sum(values) for key, values in times.items()})
    operations = sum(v for k, v in total.items() if k != "declined" and not k.startswith("error"))
    errors = {k: v for k, v in total.items() if k.startswith("error")}
    site = runtime(url, data)
    with site.database.read() as db:
        broken = violations(db)
        began = time.perf_counter()
        verify(db)
        checked = time.perf_counter() - began
        postings = db.scalar(text("SELECT COUNT(*) FROM posting"))
    site.database.dispose()
    rate = operations / seconds
    p50, p99 = sorted(times["p50_us"])[processes // 2] / 1000, max(times["p99_us"]) / 1000
    print(
        f"{name:<11}{processes:>3} processes {rate:>8.0f} ops/s (target {target}) "
        f" p50 {p50:.1f} ms  p99 {p99:.1f} ms  {1000 * cpu_seconds / max(1, operations):.2f} CPU ms/op "
        f" errors {errors or 0}  broken {[f.key for f in broken] or 0}  "
        f"verify {checked:.2f} s over {postings} postings"
    )
    print("           " + ", ".join(f"{k} {v}" for k, v in sorted(total.items())))
    return rate >= target and not errors and not broken


def main() -> int:
    """Both databases; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", choices=sorted(TARGETS))
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "postgresql":
            good &= measure("sqlite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}", folder, options.seconds)
        if options.only != "sqlite":
            server = PostgresServer(durable=True)
            try:
                good &= measure("postgresql", server.create("bench"), folder, options.seconds)
            finally:
                server.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
