"""Free slots of one expert over HTTP: 30 days, 200 bookings, 15-minute step, as JSON; CPU of the server per request.

Run ``python -m benchmarks.bench_slots_http``.  A real ``helpouts web`` (gunicorn) answers one client over loopback; its
processor time is read from ``/proc`` and divided by the requests.  The floor is the same process's ``/healthz``.
Limits: 4 ms on SQLite, 6 ms on PostgreSQL.  Exit code 1 if one is missed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.runtime import Runtime, make_runtime
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import free_slots, save_schedule
from helpouts.testing.factories import make_expert, make_listing, make_user
from helpouts.testing.postgres import PostgresServer
from helpouts.testing.site import free_ports

LIMITS_MS = {"sqlite": 4.0, "postgresql": 6.0}
ROUNDS, REQUESTS, DAYS = 7, 60, 30
ZONE = ZoneInfo("Europe/Berlin")
WINDOWS = ((540, 870), (900, 1080))


def fill(runtime: Runtime) -> tuple[str, int]:
    """The expert of the benchmark; the path that is asked for, and how many starts it must answer with."""
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db, paid=False), pricing="free", price_minor=0)
        host = listing.expert.owner.id
        rules = [WeeklyRule(day, *window) for day in range(7) for window in WINDOWS]
        save_schedule(db, host, ZONE.key, rules, minimum_notice_minutes=0)
        today = clock.now().astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        first = today + timedelta(days=1)
        cells = [(day, minute) for day in range(DAYS) for start, end in WINDOWS for minute in range(start, end, 30)]
        customer = make_user(db).id
        taken = [first + timedelta(days=day, minutes=minute) for day, minute in random.Random(7).sample(cells, 200)]
        db.execute(insert(Booking), [_row(listing, host, customer, number, at) for number, at in enumerate(taken)])
        slots = free_slots(db, listing, first, first + timedelta(days=DAYS))
        stamp = first.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"/l/{listing.id}/slots?days={DAYS}&from={stamp}", len(slots)


def _row(listing: Listing, host: int, customer: int, number: int, starts_at: datetime) -> dict[str, object]:
    return {
        "public_id": f"bench-{number}",
        "listing_id": listing.id,
        "expert_id": listing.expert_id,
        "host_id": host,
        "customer_id": customer,
        "state": "confirmed",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=30),
        "title": "x",
        "category": listing.category,
        "pricing": "free",
        "price_minor": 0,
        "currency": "EUR",
        "amount_minor": 0,
        "fee_bp": 0,
        "cancellation_policy": "flexible",
        "customer_zone": "UTC",
        "host_zone": "UTC",
    }


def processor(parent: int) -> float:
    """Seconds of processor time of a process and its children so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _bracket, rest = path.read_text().rpartition(")")
        except OSError:  # it ended meanwhile
            continue
        fields = rest.split()
        if int(name.split()[0]) == parent or int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def ask(client: http.client.HTTPConnection, path: str) -> bytes:
    """One request."""
    client.request("GET", path, headers={"Accept": "application/json"})
    answer = client.getresponse()
    body = answer.read()
    assert answer.status == 200, (answer.status, body[:200])
    return body


def measure(url: str, folder: str) -> tuple[list[float], list[float]]:
    """CPU milliseconds per request of the slots, and of the floor, by round; the rounds of both are interleaved."""
    port = free_ports()
    environment = os.environ | {
        "HELPOUTS_DATABASE": url,
        "HELPOUTS_DATA": folder,
        "HELPOUTS_PORT": str(port),
        "HELPOUTS_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    runtime = make_runtime(load_config(environment))
    migrate.upgrade(runtime.database, runtime.registry)
    path, count = fill(runtime)
    runtime.database.dispose()
    command = [sys.executable, "-m", "helpouts", "web"]
    with Path(folder, "web.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        client = _connect(port)
        body = json.loads(ask(client, path))
        found = sum(len(day["slots"]) for day in body["days"])
        assert found == count, f"{found} starts instead of {count}"
        for _warm in range(40):
            ask(client, path)
        samples: tuple[list[float], list[float]] = ([], [])
        for _round in range(ROUNDS):
            for way, wanted in zip(samples, (path, "/healthz"), strict=True):
                before = processor(server.pid)
                for _request in range(REQUESTS):
                    ask(client, wanted)
                way.append((processor(server.pid) - before) / REQUESTS * 1000)
        print(f"  {count} starts, {len(ask(client, path)) / 1000:.0f} kB of JSON")
        return samples
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _connect(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 30
    while True:
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            ask(client, "/healthz")
            return client
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main() -> int:
    """Print the table; 0 if the limits hold."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; CPU ms per request, median (best) of {ROUNDS}")
    good = True
    server = PostgresServer()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as at_end:
        at_end.callback(server.stop)
        urls = {"sqlite": f"sqlite:///{folder}/slots.sqlite3", "postgresql": server.create("slots_http")}
        for name, url in urls.items():
            place = Path(folder, name)
            place.mkdir()
            slots, floor = measure(url, str(place))
            median = statistics.median(slots)
            print(f"{name:12}{median:7.2f} ({min(slots):.2f})  limit {LIMITS_MS[name]}  /healthz {min(floor):.2f}")
            good = good and median <= LIMITS_MS[name]
    print("limits held" if good else "LIMIT MISSED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
