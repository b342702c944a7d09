"""The API's path in the races: every rival is a web process of its own, with a token of its own."""

from __future__ import annotations

import secrets
from datetime import datetime

from flask import Flask

from benchmarks.races import Arena, path
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


@path("api")
def book(runtime: Runtime, arena: Arena, number: int, starts_at: datetime) -> bool:
    """POST /api/v1/bookings."""
    app = _apps.get(runtime.database.url)
    if app is None:
        app = _apps[runtime.database.url] = create_app(runtime)
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
