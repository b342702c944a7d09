"""The paths of the web process in the races: every rival is one of its own, for a person of its own."""

from __future__ import annotations

import secrets
from datetime import datetime

from flask import Flask

from benchmarks.races import Arena, path
from helpouts.accounts.models import User
from helpouts.api import tokens
from helpouts.catalog.models import Listing
from helpouts.demo.history import answers
from helpouts.errors import Unavailable
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

_apps: dict[str, Flask] = {}
_tokens: dict[int, str] = {}
#: Taken, or another request of the same moment: both are "no" to a rival.
CONFLICT, CREATED = 409, 201
#: A page that says what is wrong, and the way to the checkout.
REFUSED, GOES_ON = 400, 303


@path("page")
def send(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """POST /book/<listing>: the reservation during the checkout."""
    with runtime.database.read() as db:
        listing, known = db.get_one(Listing, arena.listing_id), db.get_one(User, arena.customer_ids[number])
        given, who = answers(runtime.registry.category(listing.category)), known.fs_uniquifier
    client = _app(runtime).test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = who, True
    form = {f"intake_{key}": value for key, value in given.items()}
    form |= {"start": starts_at.isoformat(), "key": secrets.token_hex(8)}
    answer = client.post(f"/book/{arena.listing_id}", data=form)
    if answer.status_code not in (GOES_ON, REFUSED):
        raise Unavailable(answer.text)
    return answer.status_code == GOES_ON


@path("api")
def book(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """POST /api/v1/bookings."""
    app = _app(runtime)
    with runtime.database.read() as db:
        listing = db.get_one(Listing, arena.listing_id)
        slug, given = listing.slug, answers(runtime.registry.category(listing.category))
    if number not in _tokens:
        with runtime.database.write() as db:
            _tokens[number] = tokens.create(db, arena.customer_ids[number], "race", ["book"])[1]
    app.extensions["helpouts_limiter"].reset()  # a hundred rounds are more than a program may do in a minute
    answer = app.test_client().post(
        "/api/v1/bookings",
        json={"listing": slug, "start": starts_at.isoformat(), "answers": given},
        headers={"Authorization": f"Bearer {_tokens[number]}", "Idempotency-Key": secrets.token_hex(8)},
    )
    if answer.status_code not in (CREATED, CONFLICT):
        raise Unavailable(answer.text)
    return answer.status_code == CREATED


def _app(runtime: Runtime) -> Flask:
    url = runtime.database.url
    if url not in _apps:
        _apps[url] = create_app(runtime, WTF_CSRF_ENABLED=False)
    return _apps[url]
