"""Races: N separate processes want the same time at the same moment, by each path that can take one.

Run ``python -m benchmarks.races``: 100 rounds of every path on both databases; ``--rounds 3`` for a look.  In each
round half of the processes want exactly the same start and half one that overlaps it; exactly one may win, and nothing
but "taken" may be told to the others.  Exit code 1 when a round went otherwise.

A path of its own: ``@path("name")`` registers ``attempt(runtime, arena, number, starts_at) -> bool`` (did it win?),
which is called in a process of its own; modules named in :data:`MORE` are imported for theirs.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import multiprocessing
import multiprocessing.synchronize
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import moving, series, service
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.errors import Conflict, HelpoutsError
from helpouts.runtime import Runtime, make_runtime
from helpouts.testing.factories import make_customer, make_expert, make_listing

RIVALS = 10
#: Modules that bring further paths; those that are not there are left out.
MORE = ("benchmarks.races_instant", "benchmarks.races_web", "benchmarks.races_waiting")


@dataclass(frozen=True, slots=True)
class Arena:
    """What the rivals of all rounds share: one expert's listing, and a customer each.

    :ivar bookings: one for each rival, far away in time, for the paths that move something.
    """

    listing_id: int
    host_id: int
    customer_ids: tuple[int, ...]
    bookings: tuple[int, ...]


Attempt = Callable[[Runtime, Arena, int, datetime], bool]
PATHS: dict[str, Attempt] = {}


def path(name: str) -> Callable[[Attempt], Attempt]:
    """Register a path by which a time can be taken."""

    def register(attempt: Attempt) -> Attempt:
        PATHS[name] = attempt
        return attempt

    return register


def _answers(runtime: Runtime, listing: Listing) -> dict[str, Any]:
    from helpouts.demo.history import answers

    return answers(runtime.registry.category(listing.category))


@path("book")
def book(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """Checked in a transaction that reads, then written and confirmed at once."""
    made, actor = _draft(runtime, arena, number, starts_at)
    with runtime.database.write() as db:
        service.place(db, made, actor)
    return True


@path("reserve")
def reserve(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """The reservation during the checkout."""
    made, actor = _draft(runtime, arena, number, starts_at)
    with runtime.database.write() as db:
        service.reserve(db, made, actor)
    return True


def _draft(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> tuple[service.Draft, Actor]:
    with runtime.database.read() as db:
        listing, customer = db.get_one(Listing, arena.listing_id), db.get_one(User, arena.customer_ids[number])
        given, key = _answers(runtime, listing), secrets.token_hex(8)
        made = service.draft(db, listing, customer, starts_at, given, zone="UTC", idempotency_key=key)
        return made, Actor("customer", customer.id, customer.email)


@path("reschedule")
def reschedule(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """Everybody moves a booking of their own there."""
    with runtime.database.write() as db:
        booking = db.get_one(Booking, arena.bookings[number])
        return moving.reschedule(db, booking, starts_at, Actor("operator", None, "race")).state == "done"


@path("series")
def in_series(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """The time is the second date of a series of two; the first dates differ."""
    key = secrets.token_hex(8)
    with runtime.database.read() as db:
        listing, customer = db.get_one(Listing, arena.listing_id), db.get_one(User, arena.customer_ids[number])
        actor = Actor("customer", customer.id, customer.email)
        drafts = series.draft_series(
            db,
            listing,
            customer,
            [starts_at - timedelta(days=7) - timedelta(hours=2 * number + 2), starts_at],
            _answers(runtime, listing),
            every_weeks=1,
            host_id=arena.host_id,
            zone="UTC",
            idempotency_key=key,
        )
    with runtime.database.write() as db:
        series.confirm_series(db, series.hold_series(db, drafts, 1, key, actor), actor)
    return True


@path("console")
def console(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """Operators book for customers, soft rules set aside."""
    with runtime.database.write() as db:
        listing, customer = db.get_one(Listing, arena.listing_id), db.get_one(User, arena.customer_ids[number])
        operator, key = Actor("operator", None, "race"), secrets.token_hex(8)
        made = service.draft(db, listing, customer, starts_at, None, zone="UTC", idempotency_key=key, waive=True)
        service.place(db, made, operator)
    return True


def rival(url: str, folder: str, arena: Arena, number: int, inbox: Any, outbox: Any) -> None:
    """A process: waits for (path, start), tries, and says what came of it."""
    for module in MORE:
        if importlib.util.find_spec(module):
            importlib.import_module(module)
    runtime = _runtime(url, folder)
    with runtime.database.read() as db:
        db.connection()
    outbox.put("ready")
    while (task := inbox.get()) is not None:
        name, starts_at, at = task
        while time.time() < at:  # all at the same moment, on the machine's own clock
            pass
        try:
            outbox.put("won" if PATHS[name](runtime, arena, number, starts_at) else "lost")
        except Conflict:
            outbox.put("lost")
        except HelpoutsError as error:
            outbox.put(f"refused: {error}")
        except Exception as error:
            outbox.put(f"{type(error).__name__}: {error}"[:200])
    runtime.database.dispose()


class Race:
    """Rivals over one database, started once for all rounds."""

    def __init__(self, url: str, folder: str, rivals: int = RIVALS) -> None:
        self.runtime = _runtime(url, folder)
        self.arena = _arena(self.runtime, rivals)
        self.runtime.database.dispose()
        context = multiprocessing.get_context("spawn")
        self._outbox: Any = context.Queue()
        self._inboxes: list[Any] = [context.Queue() for _ in range(rivals)]
        self._processes = [
            context.Process(target=rival, args=(url, folder, self.arena, number, inbox, self._outbox))
            for number, inbox in enumerate(self._inboxes)
        ]
        for process in self._processes:
            process.start()
        for _ in self._processes:
            assert self._outbox.get(timeout=120) == "ready"
        self._next = (clock.now() + timedelta(days=20)).replace(minute=0, second=0, microsecond=0)

    def round(self, name: str) -> tuple[Counter[str], int]:
        """One round of a path: what the rivals were told, and how many live bookings there are at that time."""
        starts_at = self._next
        self._next += timedelta(minutes=90)
        at = time.time() + 0.05
        for number, inbox in enumerate(self._inboxes):
            inbox.put((name, starts_at + timedelta(minutes=15 * (number % 2)), at))
        told = Counter(self._outbox.get(timeout=120) for _ in self._inboxes)
        until = starts_at + timedelta(minutes=45)
        with self.runtime.database.read() as db:
            mine = or_(Booking.host_id == self.arena.host_id, Booking.customer_id == self.arena.host_id)
            live = select(Booking.id).where(
                mine, Booking.state.in_(LIVE_STATES), Booking.starts_at < until, Booking.ends_at > starts_at
            )
            return told, len(db.scalars(live).all())

    def stop(self) -> None:
        """End the processes."""
        for inbox in self._inboxes:
            inbox.put(None)
        for process in self._processes:
            process.join(timeout=30)
            if process.is_alive():  # what hangs at its end must not keep the caller from ending
                process.kill()
        self.runtime.database.dispose()


@contextmanager
def race(url: str, folder: str, rivals: int = RIVALS) -> Iterator[Race]:
    """A race that ends its processes."""
    running = Race(url, folder, rivals)
    try:
        yield running
    finally:
        running.stop()


def good(told: Counter[str], live: int) -> bool:
    """Whether a round went as it must: one winner, one booking, everybody else told that it is taken."""
    return live == 1 and told["won"] == 1 and set(told) <= {"won", "lost"}


def _runtime(url: str, folder: str) -> Runtime:
    return make_runtime(load_config({}, database=url, data=folder))


def _arena(runtime: Runtime, rivals: int) -> Arena:
    migrate.upgrade(runtime.database, runtime.registry)
    with runtime.database.write() as db:
        expert = make_expert(db, "Expert Race")
        service.scheduling.schedule_of(db, expert.owner.id).horizon_days = 730
        listing = make_listing(db, expert, pricing="fixed", price_minor=1)
        customers = [make_customer(db, f"Customer{number} Race") for number in range(rivals)]
        far = (clock.now() + timedelta(days=700)).replace(minute=0, second=0, microsecond=0)
        bookings = []
        for number, customer in enumerate(customers):
            start, key = far + timedelta(hours=number), secrets.token_hex(8)
            made = service.draft(db, listing, customer, start, None, zone="UTC", idempotency_key=key)
            bookings.append(service.place(db, made, Actor("operator", None, "race")).id)
        people = tuple(customer.id for customer in customers)
        return Arena(listing.id, expert.owner.id, people, tuple(bookings))


def main() -> int:
    """Print the table."""
    from helpouts.testing.postgres import PostgresServer

    parser = argparse.ArgumentParser(description="Races for one slot")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--paths", nargs="*", help="only these")
    options = parser.parse_args()
    for module in MORE:
        if importlib.util.find_spec(module):
            importlib.import_module(module)
    print(f"{RIVALS} processes, {options.rounds} rounds each; half want a start that overlaps the other's")
    print(f"{'path':18} {'database':12} {'rounds':>6} {'exactly one':>12} {'seconds':>8}")
    failed, server = False, PostgresServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            urls = {"sqlite": f"sqlite:///{Path(folder) / 'race.sqlite3'}", "postgresql": server.create("race")}
            for kind, url in urls.items():
                with race(url, folder) as running:
                    for name in options.paths or PATHS:
                        begun = time.perf_counter()
                        rounds = [running.round(name) for _ in range(options.rounds)]
                        ok = sum(good(*found) for found in rounds)
                        took = time.perf_counter() - begun
                        print(f"{name:18} {kind:12} {len(rounds):6} {ok:12} {took:8.1f}", flush=True)
                        failed = failed or ok != len(rounds)
                        for told, live in [found for found in rounds if not good(*found)][:3]:
                            print(f"    {live} booked; {dict(told)}")
    finally:
        server.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    from benchmarks.races import main as run  # by its own name, so that the paths of other modules land there, too

    sys.exit(run())
