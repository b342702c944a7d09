"""How many queries the main pages take: at most eight, however much there is on the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from helpouts.accounts import passwords
from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.reviews.models import Review
from helpouts.runtime import Runtime
from helpouts.scheduling import changes
from helpouts.scheduling.service import free_slots
from helpouts.sessions.service import session_of
from helpouts.testing import factories
from helpouts.web.app import create_app

MOST = 8
PASSWORD = "seven purple llamas"


@pytest.fixture
def pages(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[FlaskClient, str]]:
    """(client, address) of each page by its name; the customer is signed in, the visitor is not."""
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)
    with runtime.database.write() as db:
        clara = create_user(db, "clara@example.org", PASSWORD, "Clara", ("customer",), confirmed=True, zone="UTC")
        listing = factories.make_listing(db, factories.make_expert(db, paid=False), pricing="free", price_minor=0)
        now = clock.now()
        room = session_of(db, factories.make_booking(db, listing, clara))
        assert room is not None
        start = free_slots(db, listing, now + timedelta(days=1), now + timedelta(days=2))[0]
        paths = {
            "home": "/",
            "search": "/search?q=router",
            "listing": f"/l/{listing.slug}",
            "booking": f"/book/{listing.id}?start={start.strftime('%Y-%m-%dT%H:%M:%SZ')}",
            "room": f"/room/{room.room_id}",
        }
        changes.tell(db, {})
    app = create_app(runtime)
    visitor, client = app.test_client(), app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token is not None
    form = {"csrf_token": token[1], "email": "clara@example.org", "password": PASSWORD}
    assert client.post("/login", data=form).status_code == 302
    found = {name: (visitor, path) for name, path in paths.items() if name not in ("booking", "room")}
    return found | {f"{name}, signed in": (client, path) for name, path in paths.items()}


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """What reaches the database, but for the beginning of a transaction."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement != "BEGIN":
            seen.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", note)


def counts(runtime: Runtime, pages: dict[str, tuple[FlaskClient, str]]) -> dict[str, int]:
    found = {}
    for name, (client, path) in pages.items():
        assert client.get(path).status_code == 200, name
        with statements(runtime) as seen:
            assert client.get(path).status_code == 200, name
        found[name] = len(seen)
    return found


def grow(runtime: Runtime, first_day: int, more: int) -> None:
    """More listings, and more sessions and reviews of the one that is looked at."""
    with runtime.database.write() as db:
        clara = db.scalars(select(User).where(User.email == "clara@example.org")).one()
        seen = db.scalars(select(Listing).order_by(Listing.id).limit(1)).one()
        for number in range(first_day, first_day + more):
            factories.make_listing(db, factories.make_expert(db, f"Expert {number}", paid=False))
            day = clock.now() + timedelta(days=number)
            start = free_slots(db, seen, day, day + timedelta(days=1))[0]
            booking = factories.make_booking(db, seen, clara, starts_at=start)
            about = {"listing_id": seen.id, "expert_id": seen.expert_id, "author_id": clara.id}
            db.add(Review(booking_id=booking.id, stars=5, text=f"Good {number}", state="published", **about))
        db.flush()
        for _batch in range(3):
            changes.tell(db, {})


def test_no_main_page_takes_more_than_eight_queries_however_much_there_is(
    runtime: Runtime, pages: dict[str, tuple[FlaskClient, str]]
) -> None:
    grow(runtime, 2, 2)
    few = counts(runtime, pages)
    assert all(number <= MOST for number in few.values()), few
    grow(runtime, 4, 10)
    assert counts(runtime, pages) == few
