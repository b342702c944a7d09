"""What recording adds to the live process: the tap, the buffer, the seal, the storage, the database.

    python -m benchmarks.bench_recording [--calls 20] [--seconds 60] [--rounds 5]

A call is two people who each send Opus (50 packets a second) and VP8 640x480 (104 of 950 bytes).  The packets go
through the tap as the relay shows them, a minute of them as fast as the machine can, with a segment written at the end
of each 5 s as in a call: sealed, flushed to the disk, its row committed (SQLite).  Rounds with and without recording
take turns; the floor is the loop that shows the packets to nobody.  *Core per call* is processor time over the time
that the packets stand for, so it depends little on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from helpouts_video_aiortc.recording import tap

from helpouts.config import load_config
from helpouts.db import Database
from helpouts.db.metadata import metadata
from helpouts.live import recorder
from helpouts.plugins.records import Migrations
from helpouts.runtime import Runtime
from helpouts.sessions.recording_models import Recording
from helpouts.sessions.service import session_of
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.plugin import PLUGINS, RegistryFactory

LIMIT = 0.005
SEGMENT = 5
PACKETS = [(os.urandom(12 + 80), 50), (os.urandom(12 + 938), 104)]


class Leg:
    """As much of a leg as the tap touches."""

    def __init__(self, participant: str) -> None:
        self.participant = participant
        self.tap: Callable[[bytes, float], None] | None = None

    def request_keyframes(self) -> None:
        """Nobody is there to be asked."""


def second_of_packets() -> list[bytes]:
    """What one person sends in a second, as RTP."""
    made = []
    for payload, count in PACKETS:
        made += [b"\x80\x60" + payload[2:]] * count
    return made


async def run(runtime: Runtime, calls: int, seconds: int, *, recorded: bool) -> float:
    """Processor seconds for each call and second."""
    legs = [[Leg("1"), Leg("2")] for _ in range(calls)]
    node: Any = SimpleNamespace(runtime=runtime)

    async def failed() -> None:
        raise SystemExit("a recording failed")

    kept = [recorder.Recorder(node, f"bench{number}", failed) for number in range(calls)] if recorded else []
    for number, one in enumerate(kept):
        for leg in legs[number]:
            tap(leg, one.sink, lambda: 0.0)  # type: ignore[arg-type]  # stands in for a leg
    packets = second_of_packets()
    begin = time.process_time()
    for second in range(seconds):
        for pair in legs:
            for leg in pair:
                for packet in packets:
                    if leg.tap is not None:
                        leg.tap(packet, float(second))
        if kept and second % SEGMENT == SEGMENT - 1:
            await asyncio.gather(*(one._write() for one in kept))
    for one in kept:
        await one.close()
    return (time.process_time() - begin) / seconds / calls


def site(folder: Path, calls: int) -> Runtime:
    """A site with a session of which so many recordings run, one for each call."""
    config = load_config({}, data=str(folder))
    database = Database(config.database_url)
    with database.write_engine.begin() as connection:
        metadata.create_all(connection)
    runtime = Runtime(config, database, RegistryFactory(PLUGINS)())
    for _, record in runtime.registry.surface("helpouts_migrations", Migrations):
        with database.write_engine.begin() as connection:
            record.metadata.create_all(connection)
    with database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        session = session_of(db, booking)
        assert session is not None
        for number in range(calls):
            db.add(Recording(public_id=f"bench{number}", session_id=session.id, transport="aiortc"))
    return runtime


def main() -> int:
    """Measure, print; 1 when the limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    recorder.SECONDS = 3600.0  # segments are written by the loop above
    found: dict[bool, list[float]] = {True: [], False: []}
    for _round in range(options.rounds):
        for recorded in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                runtime = site(Path(folder), options.calls)
                found[recorded].append(asyncio.run(run(runtime, options.calls, options.seconds, recorded=recorded)))
                runtime.database.dispose()
    floor, cost = (statistics.median(found[recorded]) for recorded in (False, True))
    print(f"{options.calls} calls, {options.rounds} rounds: core per call, median (least to most)")
    for name, recorded in (("not recorded", False), ("recorded", True)):
        values = found[recorded]
        print(f"  {name:14}{statistics.median(values):9.5f}  ({min(values):.5f} to {max(values):.5f})")
    added = cost - floor
    print(f"  {'added':14}{added:9.5f}  limit {LIMIT}: {'held' if added <= LIMIT else 'MISSED'}")
    return int(added > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
