"""How long two people in a call are apart when something breaks: until both are welcome again and the meter runs.

    python -m benchmarks.bench_reconnect [--rounds 5] [--sqlite-only]

Real live processes over loopback, two of them, on both databases; the pages are WebSockets that behave as the room's
script does (:mod:`helpouts.testing.cluster`): a ticket for each way in, the same pauses between attempts.  Pictures are
not measured: while only the WebSocket is broken they go on.  The floor is a plain TCP connection to the same process.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from helpouts.clock import clock
from helpouts.sessions import service
from helpouts.sessions.models import Session
from helpouts.testing.cluster import Cluster, Page
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

#: Seconds: back by itself, without a click.
LIMIT = 3.0
Fault = Callable[[Cluster, list[Page]], Awaitable[None]]


def room(cluster: Cluster) -> Session:
    """A booking that begins now."""
    with cluster.runtime.database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
        db.flush()
        session = service.session_of(db, booking)
        assert session is not None
        return session


async def together(pages: list[Page], welcomes: list[int]) -> None:
    """Wait until each page has had so many welcomes and sees the meter run."""
    async with asyncio.timeout(60):
        while not all(
            page.count("welcome") >= wanted and page.newest("meter").get("running")
            for page, wanted in zip(pages, welcomes, strict=True)
        ):
            await asyncio.sleep(0.005)


async def killed(cluster: Cluster, pages: list[Page]) -> None:
    """kill -9 of the process that has the room; the other takes it."""
    with cluster.runtime.database.read() as db:
        name = db.get_one(Session, pages[0].session_id).node
    await asyncio.to_thread(cluster.kill, name)


async def dropped(_cluster: Cluster, pages: list[Page]) -> None:
    """One WebSocket breaks without a word."""
    pages[1].cut()


async def reloaded(cluster: Cluster, pages: list[Page]) -> None:
    """One tab is closed and opened again."""
    old = pages[1]
    await old.close()
    with cluster.runtime.database.read() as db:
        session = db.get_one(Session, old.session_id)
        pages[1] = Page(cluster.runtime, old.client, session, session.booking.customer)


async def measure(cluster: Cluster, fault: Fault) -> tuple[float, float]:
    """(seconds apart, seconds for a plain connection to where the room is)."""
    session = room(cluster)
    async with aiohttp.ClientSession() as client:
        people = (session.booking.host, session.booking.customer)
        pages = [Page(cluster.runtime, client, session, who) for who in people]
        await together(pages, [1, 1])
        for page in pages:
            page.heard.clear()
        begun = time.perf_counter()
        await fault(cluster, pages)
        wanted = {killed: [1, 1], dropped: [0, 1], reloaded: [0, 1]}[fault]
        await together(pages, wanted)
        took = time.perf_counter() - begun
        address = urlsplit(pages[0].url)
        begun = time.perf_counter()
        _reader, writer = await asyncio.open_connection(address.hostname, address.port)
        floor = time.perf_counter() - begun
        writer.close()
        await asyncio.gather(*(page.close() for page in pages))
    return took, floor


def main() -> int:
    """Print the table; 1 when somebody was away for too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sqlite-only", action="store_true", help="without a PostgreSQL server of our own")
    options = parser.parse_args()
    worst = 0.0
    server = None
    print(f"{'database':12} {'fault':22} {'median s':>9} {'worst s':>9} {'limit s':>8} {'x plain connect':>16}")
    for database in ("sqlite",) if options.sqlite_only else ("sqlite", "postgresql"):
        url = ""
        if database == "postgresql":
            from helpouts.testing.postgres import PostgresServer

            server = PostgresServer()
            url = server.create(f"bench_{secrets.token_hex(4)}")
        with tempfile.TemporaryDirectory() as folder:
            cluster = Cluster(Path(folder), url)
            try:
                for fault, title in (
                    (dropped, "WebSocket broken"),
                    (reloaded, "tab reloaded"),
                    (killed, "process killed"),
                ):
                    times = []
                    for _round in range(options.rounds):
                        missing = [n for n in ("n1", "n2") if n not in cluster.processes or cluster.processes[n].poll()]
                        cluster.start(*missing)
                        times.append(asyncio.run(measure(cluster, fault)))
                    took = [seconds for seconds, _floor in times]
                    floor = statistics.median(seconds for _took, seconds in times)
                    middle = statistics.median(took)
                    worst = max(worst, *took)
                    print(
                        f"{database:12} {title:22} {middle:9.3f} {max(took):9.3f} {LIMIT:8.1f} {middle / floor:16.0f}",
                        flush=True,
                    )
            finally:
                cluster.stop()
    if server is not None:
        server.stop()
    return 1 if worst > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
