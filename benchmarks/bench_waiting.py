"""Help right now with many experts who wait: memory, how fast a ring arrives, and how fast all are back after a kill.

    python -m benchmarks.bench_waiting [--experts 2000] [--rings 100] [--seconds 10] [--database sqlite|postgresql]

Each expert is one idle WebSocket of a desk, with the switch on, sending a ping every 15 s as the page does.  The live
process is a real one; its figures come from /proc (Linux) and count from the first device on.  A ring is measured from
the commit of the request in another process (this one) to the arrival of the message, by way of the database.  Then the
process is killed with -9 and started again; the devices come back as the page's script does, each after a random time
below 2.5 s, 5 s, 10 s …; their tickets are written by this process instead of the web process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import random
import resource
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import delete, insert, select

from benchmarks.bench_rooms import usage
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.demo.history import answers
from helpouts.instant import asking, tickets
from helpouts.instant.models import AvailableSwitch
from helpouts.runtime import Runtime, make_runtime
from helpouts.sessions.models import LiveNode
from helpouts.testing.site import free_ports

PING, FIRST, MOST = 15.0, 2.5, 30.0
MOST_MEGABYTES, MOST_MILLISECONDS = 100, 300


@dataclass
class Crowd:
    """The experts' devices, by user id."""

    runtime: Runtime
    client: aiohttp.ClientSession
    threads: ThreadPoolExecutor
    here: set[int] = field(default_factory=set)
    rung: dict[int, asyncio.Future[float]] = field(default_factory=dict)
    back: list[float] = field(default_factory=list)

    def _ticket(self, user_id: int) -> tuple[str, str]:
        with self.runtime.database.write() as db:
            issued = tickets.issue(db, user_id)
            return issued.url, issued.token

    async def device(self, user_id: int) -> None:
        """One page that stays open: comes in, waits, comes back."""
        loop, tries = asyncio.get_running_loop(), 0
        while True:
            try:
                url, token = await loop.run_in_executor(self.threads, self._ticket, user_id)
                async with self.client.ws_connect(url, autoping=True) as socket:
                    await socket.send_json({"type": "hello", "ticket": token})
                    pings = asyncio.create_task(self._ping(socket))
                    try:
                        async for message in socket:
                            tries = self._hear(user_id, message.json(), tries)
                    finally:
                        pings.cancel()
            except Exception:  # whatever it was, the page tries again
                pass
            self.here.discard(user_id)
            await asyncio.sleep(random.random() * min(MOST, FIRST * 2**tries))  # jitter
            tries += 1

    def _hear(self, user_id: int, state: dict[str, Any], tries: int) -> int:
        if state["type"] != "state":
            return tries
        if user_id not in self.here:
            self.here.add(user_id)
            self.back.append(time.perf_counter())
        waiting = self.rung.get(user_id)
        if state["rings"] and waiting is not None and not waiting.done():
            waiting.set_result(time.perf_counter())
        return 0

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await asyncio.sleep(random.random() * PING)  # jitter
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                await socket.send_json({"type": "ping"})
                await asyncio.sleep(PING)

    async def all_here(self, count: int, seconds: float = 300) -> None:
        """Until so many devices are connected."""
        async with asyncio.timeout(seconds):
            while len(self.here) < count:
                await asyncio.sleep(0.05)


def people(runtime: Runtime, experts: int, customers: int) -> tuple[list[tuple[int, int]], list[int]]:
    """([(expert's user id, listing id)], customer ids): experts with the switch on and a free listing each."""
    migrate.upgrade(runtime.database, runtime.registry)
    now = clock.now()

    def users(db: Any, prefix: str, count: int) -> list[int]:
        rows = [
            {"email": f"{prefix}{n}@bench.example", "name": f"{prefix} {n}", "fs_uniquifier": secrets.token_hex(16)}
            for n in range(count)
        ]
        db.execute(insert(User), rows)
        return list(db.scalars(select(User.id).where(User.email.like(f"{prefix}%")).order_by(User.id)))

    with runtime.database.write() as db:
        hosts, askers = users(db, "expert", experts), users(db, "customer", customers)
        db.execute(insert(Expert), [{"slug": f"e{key}", "name": f"Expert {key}", "languages": ["en"]} for key in hosts])
        ids = list(db.scalars(select(Expert.id).order_by(Expert.id)))
        db.execute(insert(ExpertMember), [{"expert_id": e, "user_id": u} for e, u in zip(ids, hosts, strict=True)])
        offer = {"category": "it", "title": "Routers", "pricing": "free", "price_minor": 0, "state": "live"}
        db.execute(insert(Listing), [{"slug": f"l{key}", "expert_id": key, "version": 1, **offer} for key in ids])
        listings = list(db.scalars(select(Listing.id).order_by(Listing.id)))
        db.execute(
            insert(AvailableSwitch), [{"user_id": u, "is_on": True, "changed_at": now, "missed": 0} for u in hosts]
        )
    return list(zip(hosts, listings, strict=True)), askers


@contextlib.contextmanager
def live(runtime: Runtime, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A live process that answers."""
    with runtime.database.write() as db:
        db.execute(delete(LiveNode))
    process = subprocess.Popen([sys.executable, "-m", "helpouts", "live"], env=environment)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with runtime.database.read() as db:
                if db.scalar(select(LiveNode.name)):
                    break
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


def ask(runtime: Runtime, listing_id: int, customer_id: int) -> float:
    """Ask one expert for help; the moment of the commit."""
    with runtime.database.write() as db:
        customer = db.get_one(User, customer_id)
        given = answers(runtime.registry.category("it"))
        listing, actor = db.get_one(Listing, listing_id), Actor("customer", customer_id, "")
        key = secrets.token_hex(6)
        asking.ask(db, customer, given, listing=listing, zone="UTC", idempotency_key=key, actor=actor)
    return time.perf_counter()


async def rings(crowd: Crowd, hosts: list[tuple[int, int]], askers: list[int]) -> list[float]:
    """Milliseconds from commit to arrival, one request after the other at moments of no pattern."""
    loop, took = asyncio.get_running_loop(), []
    chosen = random.sample(hosts, len(askers))
    for (host, listing_id), customer in zip(chosen, askers, strict=True):
        crowd.rung[host] = loop.create_future()
        committed = await loop.run_in_executor(crowd.threads, ask, crowd.runtime, listing_id, customer)
        arrived = await asyncio.wait_for(crowd.rung[host], 30)
        took.append(1000 * max(0.0, arrived - committed))
        await asyncio.sleep(random.random() * 0.1)  # no pattern
    return sorted(took)


async def measure(runtime: Runtime, environment: dict[str, str], options: argparse.Namespace) -> dict[str, float]:
    """Everything over one database."""
    hosts, askers = people(runtime, options.experts, options.rings)
    found: dict[str, float] = {}
    with ThreadPoolExecutor(8) as threads:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            crowd = Crowd(runtime, client, threads)
            with live(runtime, environment) as process:
                tasks = [asyncio.create_task(crowd.device(hosts[0][0]))]
                await crowd.all_here(1)
                await asyncio.sleep(1)
                one = usage(process.pid)[0]
                for first in range(1, len(hosts), 100):
                    tasks += [asyncio.create_task(crowd.device(host)) for host, _ in hosts[first : first + 100]]
                    await crowd.all_here(len(tasks))
                await asyncio.sleep(2)
                cpu, begun = usage(process.pid)[1], time.perf_counter()
                await asyncio.sleep(options.seconds)
                found["megabytes"] = usage(process.pid)[0] - one
                found["cpu"] = 100 * (usage(process.pid)[1] - cpu) / (time.perf_counter() - begun)
                took = await rings(crowd, hosts, askers)
                found["median"], found["p95"] = statistics.median(took), took[int(len(took) * 0.95)]
                crowd.back.clear()
                crowd.here.clear()
                killed = time.perf_counter()
                process.kill()
                process.wait()
            with live(runtime, environment) as process:
                found["up"] = time.perf_counter() - killed
                await crowd.all_here(len(hosts))
                found["back"] = time.perf_counter() - killed
                half = sorted(crowd.back)[len(hosts) // 2]
                found["half"] = half - killed
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    return found


def main() -> int:
    """Print the table; 1 when a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experts", type=int, default=2000)
    parser.add_argument("--rings", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))
    print(f"Python {platform.python_version()}, aiohttp {aiohttp.__version__}, {os.cpu_count()} cores")
    print(f"{options.experts} experts who wait; limits: {MOST_MEGABYTES} MB on top, {MOST_MILLISECONDS} ms p95")
    head = f"{'database':12} {'MB on top':>9} {'CPU % idle':>10} {'ring p50 ms':>11} {'p95 ms':>7}"
    print(f"{head} {'up again s':>10} {'half back s':>11} {'all back s':>10}")
    from helpouts.testing.postgres import PostgresServer

    good = True
    for kind in ("sqlite", "postgresql") if options.database is None else (options.database,):
        with tempfile.TemporaryDirectory() as folder:
            server = PostgresServer() if kind == "postgresql" else None
            url = server.create("waiting") if server else f"sqlite:///{Path(folder) / 'waiting.sqlite3'}"
            port = free_ports()
            environment = {**os.environ, "HELPOUTS_DATA": folder, "HELPOUTS_PORT": str(port), "HELPOUTS_DATABASE": url}
            environment["HELPOUTS_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
            runtime = make_runtime(load_config(environment))
            try:
                found = asyncio.run(measure(runtime, environment, options))
            finally:
                runtime.database.dispose()
                if server:
                    server.stop()
        row = f"{kind:12} {found['megabytes']:9.1f} {found['cpu']:10.1f} {found['median']:11.0f} {found['p95']:7.0f}"
        print(f"{row} {found['up']:10.1f} {found['half']:11.1f} {found['back']:10.1f}", flush=True)
        good = good and found["megabytes"] <= MOST_MEGABYTES and found["p95"] <= MOST_MILLISECONDS
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
