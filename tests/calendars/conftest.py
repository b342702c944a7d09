"""Sites that may read calendars from loopback, an expert, and the worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

import helpouts.jobs.catalogue  # noqa: F401  # registers the handlers
from helpouts.accounts.models import User
from helpouts.calendars import service
from helpouts.calendars.models import BusyTime, CalendarSource
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_expert, make_listing

from .texts import NOW

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Desk:
    """An expert with a listing who connects calendars, and a worker that reads them."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        with runtime.database.write() as db:
            expert = make_expert(db)
            self.user_id = expert.owner.id
            self.listing_id = make_listing(db, expert, length_minutes=60).id

    def connect(self, url: str, kind: str = "ical", **values: str) -> int:
        """A connected source, not read yet; its id."""
        with self.runtime.database.write() as db:
            return service.connect(db, self.user_id, kind, url, **values).id

    def read(self, source_id: int) -> CalendarSource:
        """The source after another visit."""
        with self.runtime.database.write() as db:
            service.promise_reading(db, db.get_one(CalendarSource, source_id))
        return self.work(source_id)

    def work(self, source_id: int) -> CalendarSource:
        """The source after the worker has done what was promised."""
        Worker(self.runtime).drain()
        with self.runtime.database.read() as db:
            dead = db.scalars(select(Job.last_error).where(Job.kind == "calendars.read", Job.last_error != "")).all()
            assert dead == []
            source = db.get_one(CalendarSource, source_id)
            db.expunge(source)
        return source

    def busy(self) -> list[tuple[datetime, datetime]]:
        """All busy times of the expert."""
        with self.runtime.database.read() as db:
            query = select(BusyTime.starts_at, BusyTime.ends_at).order_by(BusyTime.starts_at)
            return [(starts_at, ends_at) for starts_at, ends_at in db.execute(query)]

    def get(self, model: type[Any], key: int) -> Any:
        """A row."""
        with self.runtime.database.read() as db:
            row = db.get_one(model, key)
            db.expunge(row)
        return row

    @property
    def user(self) -> User:
        """The expert."""
        return self.get(User, self.user_id)  # type: ignore[no-any-return]


@pytest.fixture
def at_nine() -> None:
    """It is nine in the morning, UTC, on a Tuesday in November."""
    clock.set(NOW)


@pytest.fixture
def desk(runtime: Runtime, at_nine: None) -> Desk:
    """An expert whose site may read from loopback."""
    return Desk(Runtime(runtime.config.replace(calendar_allow=["127.0.0.1"]), runtime.database, runtime.registry))
