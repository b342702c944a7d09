"""What the main pages cost: queries, and CPU beside a bare Flask and Jinja page that shows as much text.

``python -m benchmarks.bench_pages [--times 1000]``: the demo site, so many times over, on SQLite and PostgreSQL.  The
pages are asked for through WSGI in this process, so the CPU is the application's own, without the database's server;
each round asks for a page and for its bare twin, one after the other.  The twin shows every text of the page, escaped,
in an element of its own.  Limits: 8 queries, and 3 times the twin.  Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Flask, render_template
from flask.testing import FlaskClient
from sqlalchemy import event, select

from benchmarks.pages_data import multiply
from helpouts.accounts.models import User
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.demo import people
from helpouts.demo.seed import seed
from helpouts.runtime import Runtime, make_runtime
from helpouts.scheduling import changes
from helpouts.scheduling.service import free_slots
from helpouts.sessions.service import session_of
from helpouts.testing.factories import make_booking, make_expert, make_listing
from helpouts.testing.postgres import PostgresMissing, PostgresServer
from helpouts.web.app import create_app

QUERIES, TIMES = 8, 3.0
ROUNDS, REQUESTS = 15, 6
BARE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ texts[0] }}</title></head>
<body>{% for text in texts %}<p>{{ text }}</p>{% endfor %}</body></html>"""


def bare(texts: list[str]) -> FlaskClient:
    """A page with these texts and nothing else."""
    app = Flask("bare")
    app.jinja_env.autoescape = True  # the template has no name that would say so
    template = app.jinja_env.from_string(BARE)
    app.add_url_rule("/", "page", lambda: render_template(template, texts=texts))
    return app.test_client()


def texts_of(page: str) -> list[str]:
    """The texts of a page, one for each stretch between tags."""
    body = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>", "", page)
    return [text.strip() for text in re.split(r"<[^>]*>", body) if text.strip()]


def site(runtime: Runtime, times: int) -> dict[str, Callable[[], str]]:
    """The pages by name, each as what asks for it."""
    passwords = seed(runtime)
    assert passwords is not None
    with runtime.database.write() as db:
        changes.tell(db, {})
    multiply(runtime, times)
    with runtime.database.write() as db:
        customer = db.scalars(select(User).where(User.email == people.CUSTOMER)).one()
        listing = db.scalars(select(Listing).where(Listing.pricing == "fixed").order_by(Listing.id).limit(1)).one()
        now = clock.now()
        start = free_slots(db, listing, now, now + timedelta(days=10))[0].strftime("%Y-%m-%dT%H:%M:%SZ")
        # Within the quarter of an hour in which the room is open.
        booking = make_booking(db, make_listing(db, make_expert(db)), customer)
        room = session_of(db, booking)
        assert room is not None
        changes.tell(db, {})
        paths = {
            "home": "/",
            "search": "/search?q=router",
            "listing": f"/l/{listing.slug}",
            "booking": f"/book/{listing.id}?start={start}",
            "room": f"/room/{room.room_id}",
        }
    app = create_app(runtime)
    visitor, client = app.test_client(), app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token is not None
    form = {"csrf_token": token[1], "email": people.CUSTOMER, "password": passwords[people.CUSTOMER]}
    assert client.post("/login", data=form).status_code == 302

    def asking(who: FlaskClient, path: str) -> Callable[[], str]:
        def ask() -> str:
            answer = who.get(path)
            assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("Location"))
            return answer.text

        return ask

    signed_in = ("booking", "room")
    found = {name: asking(client if name in signed_in else visitor, path) for name, path in paths.items()}
    return found | {f"{name}, signed in": asking(client, paths[name]) for name in ("home", "search", "listing")}


def measure(runtime: Runtime, times: int) -> bool:
    """Print the table of one database; whether the limits hold."""
    pages, good, seen = site(runtime, times), True, list[str]()
    event.listen(runtime.database.engine, "before_cursor_execute", lambda _c, _u, text, *_: seen.append(text))
    name = "SQLite" if runtime.database.is_sqlite else "PostgreSQL"
    print(f"{name:22}{'kB':>6}{'queries':>9}{'CPU ms':>9}{'bare ms':>9}{'ratio':>7}")
    for title, ask in pages.items():
        twin, page = bare(texts_of(ask())), ask()
        seen.clear()
        ask()
        queries = len([text for text in seen if text != "BEGIN"])
        spent: tuple[list[float], list[float]] = ([], [])
        for _round in range(ROUNDS):
            ways: tuple[Callable[[], object], ...] = (ask, partial(twin.get, "/"))
            for samples, way in zip(spent, ways, strict=True):
                before = time.process_time()
                for _request in range(REQUESTS):
                    way()
                samples.append((time.process_time() - before) / REQUESTS * 1000)
        own, floor = (statistics.median(samples) for samples in spent)
        late = queries > QUERIES or own > TIMES * floor
        good = good and not late
        print(
            f"{title:22}{len(page) / 1000:6.0f}{queries:9}{own:9.1f}{floor:9.1f}{own / floor:7.1f}"
            + ("  LIMIT MISSED" if late else "")
        )
    return good


@contextmanager
def runtimes() -> Iterator[list[Runtime]]:
    """A migrated, empty site on each database."""
    with tempfile.TemporaryDirectory(prefix="helpouts-bench-") as folder:
        urls, server = [f"sqlite:///{folder}/bench.sqlite3"], None
        try:
            server = PostgresServer()
            urls.append(server.create("bench_pages"))
        except PostgresMissing as missing:
            print(f"PostgreSQL is left out: {missing}")
        made = []
        for number, url in enumerate(urls):
            own = {"HELPOUTS_DATABASE": url, "HELPOUTS_DATA": str(Path(folder, str(number)))}
            runtime = make_runtime(load_config(os.environ | own))
            migrate.upgrade(runtime.database, runtime.registry)
            made.append(runtime)
        try:
            yield made
        finally:
            for runtime in made:
                runtime.database.dispose()
            if server is not None:
                server.stop()


def main() -> int:
    """Print the tables; 0 if the limits hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=1000)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; demo x {options.times}; medians of {ROUNDS}")
    print(f"limits: {QUERIES} queries, {TIMES:.0f} x the bare page")
    with runtimes() as made:
        held = [measure(runtime, options.times) for runtime in made]
    good = all(held)
    print("limits held" if good else "LIMIT MISSED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
