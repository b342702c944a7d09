"""Search over many listings: who is free at an instant, with words, in a field; on SQLite and PostgreSQL.

``python -m benchmarks.bench_finding [--sizes 10000,100000,1000000] [--plot docs/figures/finding.svg]``

What has a limit is what finds the fifty best hits, through the product's own functions, SQLAlchemy included; the whole
page (numbers beside all filters, exact total, cards) is shown beside it.  Medians of interleaved rounds, in CPU time,
because machines are shared: of this process, and with PostgreSQL of the server's process as well (Linux's schedstat;
wall time where there is none).  At a million listings three times the limit of a hundred thousand holds.  Exit code 1
when a limit is missed.
"""

from __future__ import annotations

import argparse
import gc
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from benchmarks.finding_data import CATEGORIES, NOW, VOCABULARY, fill
from helpouts.catalog.records import SearchPage, SearchRequest
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import Database
from helpouts.finding import conditions, hits, spelling
from helpouts.finding.models import ListingSearch
from helpouts.finding.search import search
from helpouts.hookspecs import hookimpl
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.testing.postgres import PostgresMissing, PostgresServer

WANTED = NOW + timedelta(days=2, hours=5)
FREQUENT, USUAL, RARE = VOCABULARY[0], VOCABULARY[60], VOCABULARY[1500]
ROUNDS = 30
#: Milliseconds for 100 000 listings: (SQLite, PostgreSQL); None: shown, without a limit.
LIMITS: dict[str, tuple[float, float] | None] = {
    "field + free at T, top 50": (5, 25),
    "frequent word + free at T, top 50": (15, 30),
    "usual word + free at T, top 50": (15, 30),
    "rare word + free at T, top 50": (15, 30),
    "two words, one misspelt, + free at T": (15, 30),
    "next free of 50 results": (1, 4),
    "whole page: field + free at T": None,
    "whole page: usual word + free at T": None,
    "whole page: nothing asked": None,
}


class _Fields(ModuleType):
    def __init__(self) -> None:
        super().__init__("fields")
        self.helpouts_categories = hookimpl(lambda: CATEGORIES, specname="helpouts_categories")


def ways(db: Session) -> dict[str, Callable[[], object]]:
    """What is measured, by the names of :data:`LIMITS`."""
    categories = {category.slug: category for category in CATEGORIES}
    request = partial(SearchRequest, free_at=WANTED, per_page=50)

    def top(asked: SearchRequest) -> int:
        groups = spelling.understand(db, asked.q).groups
        return len(db.execute(hits.ordered(db, asked, categories, groups, NOW, 50), conditions.at(NOW)).all())

    ids = list(db.scalars(select(ListingSearch.listing_id).order_by(ListingSearch.position).limit(50)))
    soonest = select(ListingSearch.listing_id, conditions.NEXT_FREE).where(ListingSearch.listing_id.in_(ids))
    slip = f"{USUAL} {FREQUENT[:2]}x{FREQUENT[2:]}"
    return {
        "field + free at T, top 50": partial(top, request(category="it")),
        "frequent word + free at T, top 50": partial(top, request(q=FREQUENT)),
        "usual word + free at T, top 50": partial(top, request(q=USUAL)),
        "rare word + free at T, top 50": partial(top, request(q=RARE)),
        "two words, one misspelt, + free at T": partial(top, request(q=slip)),
        "next free of 50 results": lambda: db.execute(soonest, conditions.at(NOW)).all(),
        "whole page: field + free at T": partial(search, db, request(category="it")),
        "whole page: usual word + free at T": partial(search, db, request(q=USUAL)),
        "whole page: nothing asked": partial(search, db, SearchRequest()),
    }


def measure(database: Database) -> dict[str, float]:
    """Median milliseconds of each way."""
    registry = Registry()
    registry.add("fields", _Fields, "bench", "1")
    Runtime(load_config({}, data=tempfile.gettempdir(), database=database.url), database, registry)
    samples: dict[str, list[float]] = {name: [] for name in LIMITS}
    with database.read() as db:
        measured = ways(db)
        tick = time.process_time_ns if database.is_sqlite else _with_server(db)
        for way in measured.values():
            found = way()
            assert found.items if isinstance(found, SearchPage) else found, "nothing was found"
        gc.disable()
        for number in range(ROUNDS):
            for name, way in measured.items():
                if name.startswith("whole") and number >= 5:
                    continue
                before = tick()
                way()
                samples[name].append((tick() - before) / 1e6)
        gc.enable()
    return {name: statistics.median(values) for name, values in samples.items()}


def _with_server(db: Session) -> Callable[[], int]:
    """CPU nanoseconds of this process and of the one that serves the session."""
    spent = Path(f"/proc/{db.scalar(text('SELECT pg_backend_pid()'))}/schedstat")
    if not spent.exists():
        return time.perf_counter_ns
    return lambda: time.process_time_ns() + int(spent.read_text().split()[0])


@contextmanager
def databases(size: int, server: PostgresServer | None) -> Iterator[dict[str, Database]]:
    """Filled databases of both kinds, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="helpouts-bench-") as folder:
        made = {"SQLite": Database(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")}
        if server is not None:
            made["PostgreSQL"] = Database(server.create(f"bench_{size}"))
        for name, database in made.items():
            before = time.perf_counter()
            fill(database, size)
            print(f"{name}: {size} listings made in {time.perf_counter() - before:.0f} s", flush=True)
        yield made
        for database in made.values():
            database.dispose()
        if server is not None:
            server.drop(f"bench_{size}")


def plot(found: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """How the times grow, as a picture."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(found), figsize=(11, 4.6), sharey=True, layout="constrained")
    for axis, (database, by_size) in zip([axes] if len(found) == 1 else axes, found.items(), strict=True):
        for name in LIMITS:
            style = "--" if name.startswith("whole") else "-"
            axis.plot(list(by_size), [times[name] for times in by_size.values()], style, marker="o", label=name)
        axis.set(xscale="log", yscale="log", title=database, xlabel="listings", ylabel="ms of CPU (median)")
        axis.grid(visible=True, alpha=0.3)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    print(f"growth drawn into {path}")


def main() -> int:
    """Print the tables; 0 if the limits hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="100000")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    try:
        server = PostgresServer()
    except PostgresMissing as missing:
        server = None
        print(f"PostgreSQL is left out: {missing}")
    clock.set(NOW)
    found: dict[str, dict[int, dict[str, float]]] = {}
    try:
        for size in map(int, options.sizes.split(",")):
            with databases(size, server) as made:
                for name, database in made.items():
                    found.setdefault(name, {})[size] = measure(database)
    finally:
        if server is not None:
            server.stop()
    print(
        f"Python {platform.python_version()}, {platform.machine()}, SQLite {sqlite3.sqlite_version}; median ms of CPU"
    )
    missed = 0
    for number, (kind, by_size) in enumerate(found.items()):
        print(f"\n{kind:38}" + "".join(f"{size:>12}" for size in by_size) + "   limit at 100 000")
        for name, limits in LIMITS.items():
            line = f"{name:38}" + "".join(f"{times[name]:12.2f}" for times in by_size.values())
            print(line + (f"{limits[number]:12.0f}" if limits else ""))
            for size, times in by_size.items():
                if limits and times[name] > limits[number] * (1 if size <= 100_000 else 3):
                    missed += 1
                    print(f"    LIMIT MISSED at {size}")
    if options.plot:
        plot(found, options.plot)
    print("\nlimits held" if not missed else f"\n{missed} LIMITS MISSED")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
