"""A small site with a listing, a customer with money, and a client that speaks for the customer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from helpouts.api import tokens
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.demo.history import answers
from helpouts.runtime import Runtime
from helpouts.scheduling.service import free_slots
from helpouts.testing.factories import make_customer, make_expert, make_listing
from helpouts.web.app import create_app

sys.path.insert(0, str(Path(__file__).parent))


@dataclass
class Api:
    """Calls with a token; answers are (status, body)."""

    app: Flask
    runtime: Runtime
    token: str
    customer_id: int
    host_id: int
    slug: str
    answers: dict[str, Any]

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, key: str = "") -> Any:
        headers = {"Accept": "application/json"}
        secret = self.token if token is None else token
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        if key:
            headers["Idempotency-Key"] = key
        return self.app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> Any:
        return self.call("POST", path, body, **more)

    def start(self, number: int = 0, days: int = 2) -> str:
        """One of the listing's slots."""
        begin = clock.now() + timedelta(days=days)
        with self.runtime.database.read() as db:
            listing = db.query(Listing).filter_by(slug=self.slug).one()
            return free_slots(db, listing, begin, begin + timedelta(days=2))[number * 8].isoformat()

    def book(self, key: str = "one", **changes: Any) -> Any:
        body = {"listing": self.slug, "start": self.start(), "answers": self.answers, **changes}
        return self.post("/bookings", {k: v for k, v in body.items() if v is not None}, key=key)

    def token_for(self, user_id: int, *scopes: str) -> str:
        with self.runtime.database.write() as db:
            return tokens.create(db, user_id, "test", scopes)[1]


@pytest.fixture
def api(runtime: Runtime) -> Api:
    clock.set(datetime(2026, 11, 24, 12, tzinfo=UTC))
    app = create_app(runtime, TESTING=True)  # first: with it comes what keeps the search up to date
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db), slug="router", more_lengths=[[60, 4500]])
        customer = make_customer(db)
        secret = tokens.create(db, customer.id, "my calendar", ["read", "book"])[1]
        given = answers(runtime.registry.category("it"))
        host_id, customer_id = listing.expert.owner.id, customer.id
    return Api(app, runtime, secret, customer_id, host_id, "router", given)
