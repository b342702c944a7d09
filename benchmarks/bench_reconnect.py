"""How long two people in a call are apart when something breaks: until both are welcome again and the meter runs.

    python -m benchmarks.bench_reconnect [--rounds 2] [--sqlite-only] [--no-browsers]

Real live processes over loopback, two of them, on both databases; the pages are WebSockets that behave as the room's
script does (:mod:`helpouts.testing.cluster`): a ticket for each way in, the same pauses between attempts.  The floor is
a plain TCP connection to the same process.

Then the same in two Chromium pages over a whole site, while the process that has the room is killed: until both are in
the room again, the longest time without a picture of the slower page, whether sound is heard, and by how much the
meter is off from the time in which both were connected as the test saw it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from helpouts import site as site_settings
from helpouts.audit.actor import SYSTEM
from helpouts.sessions.models import Session
from helpouts.testing.calls import ARGUMENTS
from helpouts.testing.cluster import Cluster, Page, room
from helpouts.testing.postgres import PostgresServer
from helpouts.testing.room import Call, heard, until
from helpouts.testing.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Seconds: back by itself, without a click.
LIMIT = 3.0
Fault = Callable[[Cluster, list[Page]], Awaitable[None]]


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


FAULTS: dict[Fault, str] = {dropped: "WebSocket broken", reloaded: "tab reloaded", killed: "process killed"}


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
        wanted = [1, 1] if fault is killed else [0, 1]
        await together(pages, wanted)
        took = time.perf_counter() - begun
        address = urlsplit(pages[0].url)
        begun = time.perf_counter()
        _reader, writer = await asyncio.open_connection(address.hostname, address.port)
        floor = time.perf_counter() - begun
        writer.close()
        await asyncio.gather(*(page.close() for page in pages))
    return took, floor


def table(databases: Sequence[str], rounds: int) -> float:
    """The WebSockets alone; the worst time."""
    worst = 0.0
    print(f"{'database':12} {'fault':22} {'median s':>9} {'worst s':>9} {'limit s':>8} {'x plain connect':>16}")
    for database in databases:
        with contextlib.ExitStack() as stack:
            url = ""
            if database == "postgresql":
                server = PostgresServer()
                stack.callback(server.stop)
                url = server.create(f"bench_{secrets.token_hex(4)}")
            cluster = Cluster(Path(stack.enter_context(tempfile.TemporaryDirectory())), url)
            stack.callback(cluster.stop)
            for fault, title in FAULTS.items():
                times = []
                for _round in range(rounds):
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
    return worst


def taken_over(chromium: Browser, site: Site, name: str) -> tuple[float, float, bool, float]:
    """One call whose process is killed: (seconds to the room, without a picture, sound, seconds the meter is off)."""
    call = Call(chromium, site)
    together = time.time()
    for page in call.pages:
        call.wait_for_media(page)
    call.watch()
    counted = call.connected() - (time.time() - together)  # what the meter had before we looked
    call.expert.wait_for_timeout(1000)
    site.kill_live(name)
    killed = time.time()
    until(call.expert, lambda: call.node() != name)
    for page in call.pages:
        call.wait_for_both(page)
    back = time.time()
    for page in call.pages:
        call.wait_for_media(page)
    sound = all(heard(page, 2500) for page in call.pages)
    gap = max(call.gap(page, killed) for page in call.pages)
    expected = counted + (killed - together) + (time.time() - back)
    off = call.connected() - expected
    call.close()
    return back - killed, gap, sound, off


def browsers() -> float:
    """The table of real pages; the worst time to the room."""
    from playwright.sync_api import sync_playwright

    worst = 0.0
    print("\nprocess killed, two Chromium pages   in the room s  no picture s  sound  meter off s  limit s")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder), further=["0first"])
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*ARGUMENTS])
        try:
            site.start()
            for transport in ("aiortc", "p2p"):
                with site.runtime().database.write() as db:
                    site_settings.put(db, "video_transport", transport, SYSTEM)
                if "0first" not in site.further:
                    site.start_live("0first")
                took, gap, sound, off = taken_over(chromium, site, "0first")
                worst = max(worst, took)
                print(f"{transport:36} {took:14.2f} {gap:13.2f}  {'yes' if sound else 'NO':5} {off:12.1f} {LIMIT:8.1f}")
        finally:
            chromium.close()
            site.stop()
    return worst


def main() -> int:
    """Print the tables; 1 when somebody was away for too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--sqlite-only", action="store_true", help="without a PostgreSQL server of our own")
    parser.add_argument("--no-browsers", action="store_true", help="the WebSockets alone")
    options = parser.parse_args()
    worst = table(["sqlite"] if options.sqlite_only else ["sqlite", "postgresql"], options.rounds)
    if not options.no_browsers:
        worst = max(worst, browsers())
    return 1 if worst > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
