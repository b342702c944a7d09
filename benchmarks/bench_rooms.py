"""What people who wait in their rooms cost a live process: memory and processor time, for many idle WebSockets.

    python benchmarks/bench_rooms.py [--sockets 500] [--seconds 10]

Each socket is one customer alone in a room of their own, sending a ping every second as the page does.  The live
process is a real one, on SQLite; its figures come from /proc (Linux).  Memory is counted from the first room on, which
loads the video transport.  Media are not measured: nobody else is in the room.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import aiohttp
from sqlalchemy import text

from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.runtime import Runtime, make_runtime
from helpouts.scheduling.service import free_slots
from helpouts.sessions.models import Session
from helpouts.sessions.service import session_of
from helpouts.sessions.tickets import issue_ticket
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.site import free_ports

TICKS = os.sysconf("SC_CLK_TCK")


def usage(pid: int) -> tuple[float, float]:
    """(resident megabytes, processor seconds so far) of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6, (int(fields[11]) + int(fields[12])) / TICKS


def prepare(runtime: Runtime, count: int) -> list[int]:
    """The ids of so many rooms that are open now."""
    migrate.upgrade(runtime.database, runtime.registry)
    ids = []
    for _room in range(count):
        with runtime.database.write() as db:
            listing = make_listing(db, make_expert(db, paid=False), pricing="free", price_minor=0)
            now = clock.now()
            start = free_slots(db, listing, now, now + timedelta(days=2))[0]
            booking = make_booking(db, listing, make_customer(db), starts_at=start)
            booking.starts_at, booking.ends_at = now, now + timedelta(minutes=30)
            session = session_of(db, booking)
            assert session is not None
            ids.append(session.id)
    return ids


def tickets(runtime: Runtime, ids: list[int]) -> list[tuple[str, str]]:
    """(URL, token) for the customer of each room."""
    with runtime.database.write() as db:
        found = [db.get_one(Session, key) for key in ids]
        issued = [issue_ticket(db, session, session.booking.customer) for session in found]
    return [(ticket.url, ticket.token) for ticket in issued]


async def wait_in_room(client: aiohttp.ClientSession, url: str, token: str, inside: list[float]) -> None:
    """One browser that waits."""
    async with client.ws_connect(url) as socket:
        begun = time.perf_counter()
        await socket.send_json({"type": "hello", "ticket": token})
        while (await socket.receive_json())["type"] != "welcome":
            pass
        inside.append(time.perf_counter() - begun)
        while not socket.closed:
            await socket.send_json({"type": "ping"})
            await asyncio.sleep(1)


async def measure(runtime: Runtime, pid: int, ids: list[int], seconds: float) -> None:
    """Fill the rooms, one at first and then fifty at a time; look, print."""
    one = 0.0
    inside: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        tasks = []
        for batch in (ids[:1], *(ids[first : first + 50] for first in range(1, len(ids), 50))):
            for url, token in tickets(runtime, batch):
                tasks.append(asyncio.create_task(wait_in_room(client, url, token, inside)))
            while len(inside) < len(tasks):
                await asyncio.sleep(0.05)
            one = one or usage(pid)[0]
        before, begun = usage(pid)[1], time.perf_counter()
        await asyncio.sleep(seconds)
        megabytes, cpu = usage(pid)
        share = 100 * (cpu - before) / (time.perf_counter() - begun)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    inside.sort()
    print(f"Python {platform.python_version()}, aiohttp {aiohttp.__version__}, {os.cpu_count()} cores")
    print(f"{'sockets':>8} {'one, MB':>9} {'all, MB':>8} {'kB each':>8} {'CPU %':>6} {'way in, median ms':>18}")
    each, median = 1000 * (megabytes - one) / max(1, len(ids) - 1), 1000 * inside[len(inside) // 2]
    print(f"{len(ids):8} {one:9.1f} {megabytes:8.1f} {each:8.1f} {share:6.1f} {median:18.0f}")


def main() -> None:
    """Start a live process, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = free_ports()
        environment = {**os.environ, "HELPOUTS_DATA": folder, "HELPOUTS_PORT": str(port)}
        environment["HELPOUTS_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        runtime = make_runtime(load_config(environment))
        ids = prepare(runtime, options.sockets)
        process = subprocess.Popen([sys.executable, "-m", "helpouts", "live"], env=environment)
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                with runtime.database.read() as db:
                    if db.scalar(text("select count(*) from live_node")):
                        break
                time.sleep(0.1)
            time.sleep(1)
            asyncio.run(measure(runtime, process.pid, ids, options.seconds))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


if __name__ == "__main__":
    main()
