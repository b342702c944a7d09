"""Free slots of one expert: 30 days, 200 bookings, 15-minute step, 483 starts.

Run ``python benchmarks/bench_slots.py``.  It checks first that all ways find the same starts, then interleaves their
rounds and prints medians, so that a busy machine slows all alike.  The peers are the two ways in which the same is
usually written in Python: aware datetimes with zoneinfo, and the interval library ``portion`` (skipped with a line if
it is not installed).  Exit code 1 if the limit is missed.
"""

from __future__ import annotations

import gc
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from helpouts.scheduling import zones
from helpouts.scheduling.engine import free_slots
from helpouts.scheduling.rules import DAY, Schedule, SlotPolicy, WeeklyRule
from helpouts.scheduling.zones import to_minute

LIMIT_MS = 0.2
STARTS = 483
ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2026, 11, 24)
WINDOWS = ((540, 870), (900, 1080))
SCHEDULE = Schedule("Europe/Berlin", tuple(WeeklyRule(day, *window) for day in range(7) for window in WINDOWS))
POLICY = SlotPolicy(30, 15)


def local(day: int, minute: int) -> datetime:
    """Midnight of the given day plus wall minutes, in the expert's zone."""
    midnight = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=ZONE)
    return midnight + timedelta(days=day, minutes=minute)


CELLS = [(day, minute) for day in range(30) for start, end in WINDOWS for minute in range(start, end, 30)]
BOOKED = [local(day, minute).astimezone(UTC) for day, minute in random.Random(7).sample(CELLS, 200)]
HALF_HOUR = timedelta(minutes=30)
STEP = timedelta(minutes=15)
BUSY = [(to_minute(start), to_minute(start) + 30) for start in BOOKED]
START, END = to_minute(local(0, 0)), to_minute(local(30, 0))


def engine() -> list[int]:
    """The product's way."""
    return free_slots(SCHEDULE, POLICY, BUSY, START, END, START - DAY)


def engine_cold() -> list[int]:
    """The product's way in a process that has not seen these days yet."""
    zones.day_offset.cache_clear()
    return engine()


def with_datetimes() -> list[int]:
    """Aware datetimes, each start compared with the bookings around it (sorted, with an early break)."""
    busy = sorted((start, start + HALF_HOUR) for start in BOOKED)
    found, index = [], 0
    for day in range(30):
        for opens, closes in WINDOWS:
            start, last = local(day, opens).astimezone(UTC), local(day, closes).astimezone(UTC) - HALF_HOUR
            while start <= last:
                while index < len(busy) and busy[index][1] <= start:
                    index += 1
                if index == len(busy) or busy[index][0] >= start + HALF_HOUR:
                    found.append(to_minute(start))
                start += STEP
    return found


def with_portion() -> list[int]:
    """Interval algebra from the library, on the same integers."""
    working = portion.Interval(
        *(
            portion.closedopen(to_minute(local(day, opens)), to_minute(local(day, closes)))
            for day in range(30)
            for opens, closes in WINDOWS
        )
    )
    free = working - portion.Interval(*(portion.closedopen(start, end) for start, end in BUSY))
    return [minute for part in free for minute in range(-(-part.lower // 15) * 15, part.upper - 29, 15)]


def clocked(way: Callable[[], list[int]]) -> float:
    """CPU milliseconds of one call."""
    before = time.process_time_ns()
    way()
    return (time.process_time_ns() - before) / 1e6


def main() -> int:
    """Print the table; 0 if the limit holds."""
    ways = {"helpouts engine": engine, "helpouts engine, cold zone cache": engine_cold}
    peers = {"datetime + zoneinfo": with_datetimes} | ({"portion": with_portion} if portion else {})
    expected = engine()
    assert len(expected) == STARTS, f"{len(expected)} starts instead of {STARTS}"
    for name, way in (ways | peers).items():
        assert way() == expected, f"{name} finds other starts"
    samples: dict[str, list[float]] = {name: [] for name in ways | peers}
    gc.disable()
    for _ in range(30):
        for name, way in (ways | peers).items():
            samples[name] += [clocked(way) for _ in range(20 if name in ways else 1)]
    gc.enable()
    base = statistics.median(samples["helpouts engine"])
    print(f"Python {platform.python_version()}, {platform.machine()}; CPU ms, {STARTS} starts, all ways agree")
    print(f"{'way':34}{'median ms':>10}{'best ms':>10}{'ratio':>8}{'limit':>7}")
    for name, values in samples.items():
        median, limit = statistics.median(values), f"{LIMIT_MS:7}" if name == "helpouts engine" else ""
        print(f"{name:34}{median:10.3f}{min(values):10.3f}{median / base:8.1f}{limit}")
    if not portion:
        print("portion is not installed: pip install portion to see it as a peer")
    print("limit held" if base <= LIMIT_MS else "LIMIT MISSED")
    return 0 if base <= LIMIT_MS else 1


try:
    import portion
except ImportError:
    portion = None

if __name__ == "__main__":
    sys.exit(main())
