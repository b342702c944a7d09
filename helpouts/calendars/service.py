"""Calendars that take an expert's time: connecting them, choosing in an account, and what is known of them.

Nothing here talks to a server: that is the jobs' (:mod:`helpouts.calendars.jobs`).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.calendars.addresses import normalised
from helpouts.calendars.models import BusyTime, CalendarFeed, CalendarSource
from helpouts.calendars.trouble import in_words
from helpouts.calendars.vault import Access, lock
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue
from helpouts.runtime import runtime_of
from helpouts.scheduling import changes

MOST_SOURCES = 10
#: How soon somebody may ask again for a reading.
PAUSE = timedelta(seconds=20)
NAME_LENGTH, USER_LENGTH, PASSWORD_LENGTH = 80, 200, 500


class Block(NamedTuple):
    """A stretch of busy time, and the name of the calendar that it is from."""

    starts_at: datetime
    ends_at: datetime
    source: str


def sources_of(db: Session, user_id: int) -> Sequence[CalendarSource]:
    """The calendars that somebody has connected, the oldest first."""
    return db.scalars(select(CalendarSource).where(CalendarSource.user_id == user_id).order_by(CalendarSource.id)).all()


def source_of(db: Session, user_id: int, public_id: str, *, lock_row: bool = False) -> CalendarSource:
    """One of them.

    :raises NotFound: there is none, or it is somebody else's.
    """
    query = select(CalendarSource).where(CalendarSource.public_id == public_id, CalendarSource.user_id == user_id)
    source = db.scalar(query.with_for_update() if lock_row else query)
    if source is None:
        raise NotFound(_l("There is no such calendar: it was disconnected."))
    return source


def connect(
    db: Session, user_id: int, kind: str, url: str, *, name: str = "", user: str = "", password: str = ""
) -> CalendarSource:
    """Connect a calendar; it is read soon, and whether that works is seen in the source.

    :param kind: "ical" for an address of one calendar, "caldav" for an account.
    :raises HelpoutsError: with ``field`` url, user, password or name.
    """
    runtime = runtime_of(db)
    url = normalised(url, runtime.config.calendar_allow)
    host = (urlsplit(url).hostname or "")[:255]
    name = " ".join(name.split()) or host
    if len(name) > NAME_LENGTH:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=NAME_LENGTH), field="name")
    if kind == "caldav" and not (user and password):
        field = "password" if user else "user"
        raise HelpoutsError(_l("An account needs a user name and a password."), field=field)
    if len(user) > USER_LENGTH or len(password) > PASSWORD_LENGTH or ":" in user:
        raise HelpoutsError(_l("This cannot be a user name or password of a calendar."), field="user")
    count = select(func.count()).select_from(CalendarSource).where(CalendarSource.user_id == user_id)
    if (db.scalar(count) or 0) >= MOST_SOURCES:
        text = _l("At most %(most)s calendars can be connected: disconnect one first.", most=MOST_SOURCES)
        raise HelpoutsError(text, field="url")
    public_id = secrets.token_urlsafe(16)
    source = CalendarSource(
        public_id=public_id,
        user_id=user_id,
        kind=kind,
        name=name,
        host=host,
        sealed=lock(runtime.config, public_id, Access(url, user if kind == "caldav" else "", password)),
    )
    db.add(source)
    db.flush()
    promise_reading(db, source)
    return source


def promise_reading(db: Session, source: CalendarSource) -> None:
    """Have a source read as soon as the worker comes to it, never two times at once."""
    source.next_at = clock.now() + timedelta(minutes=10)  # nobody else promises it while it is under way
    enqueue(db, "calendars.read", {"source": source.id}, serial_key=f"calendar:{source.id}", max_attempts=2)


def read_now(db: Session, source: CalendarSource) -> None:
    """Read it anew because its owner asks.

    :raises Conflict: it was read or asked for in this moment.
    """
    if source.tried_at is not None and clock.now() - source.tried_at < PAUSE:
        raise Conflict(_l("This calendar has just been read. Please wait a moment."))
    if source.kind == "caldav" and source.collections and not chosen(source):
        raise Conflict(_l("Choose first which calendars of this account count."))
    promise_reading(db, source)


def choose(db: Session, source: CalendarSource, hrefs: Collection[str]) -> None:
    """Say which calendars of an account count; with none of them the account takes no time.

    :raises HelpoutsError: when nothing that is there was chosen.
    """
    known = source.collections or []
    if not any(item["href"] in hrefs for item in known):
        raise HelpoutsError(_l("Choose at least one calendar, or disconnect the account."), field="calendars")
    source.collections = [{**item, "chosen": item["href"] in hrefs} for item in known]
    source.etag = source.digest = ""
    promise_reading(db, source)


def chosen(source: CalendarSource) -> tuple[str, ...]:
    """The addresses of an account's calendars that count."""
    return tuple(item["href"] for item in source.collections or [] if item["chosen"])


def disconnect(db: Session, source: CalendarSource) -> None:
    """Forget a calendar, its secrets and its busy times."""
    db.delete(source)
    db.flush()
    changes.touch(db, [source.user_id])


def busy_blocks(db: Session, user_id: int, start: datetime, end: datetime) -> list[Block]:
    """Busy times of somebody's connected calendars that touch [start, end), in their order, for the week page."""
    query = (
        select(BusyTime.starts_at, BusyTime.ends_at, CalendarSource.name)
        .join(CalendarSource, CalendarSource.id == BusyTime.source_id)
        .where(BusyTime.user_id == user_id, BusyTime.starts_at < end, BusyTime.ends_at > start)
        .order_by(BusyTime.starts_at, BusyTime.ends_at)
    )
    return [Block(*row) for row in db.execute(query)]


def stage(source: CalendarSource) -> str:
    """Where it stands: reading (nothing known yet), choose, good, stale (the last reading failed), failed (all did)."""
    if source.failures:
        return "stale" if source.read_at else "failed"
    if source.kind == "caldav" and source.collections and not chosen(source):
        return "choose"
    return "good" if source.read_at else "reading"


def export(db: Session, user_id: int) -> dict[str, Any]:
    """What is kept for somebody about their calendars, without the secrets (for the export of their data)."""
    feed = db.get(CalendarFeed, user_id)
    return {
        "feed": {"created_at": feed.created_at.isoformat(), "hide_names": feed.hide_names} if feed else None,
        "connected": [
            {
                "name": source.name,
                "kind": source.kind,
                "host": source.host,
                "created_at": source.created_at.isoformat(),
                "read_at": source.read_at.isoformat() if source.read_at else None,
                "trouble": in_words(source.trouble, source.trouble_status) if source.trouble else None,
                "calendars": [item["name"] for item in source.collections or [] if item["chosen"]],
                "busy": [
                    [starts_at.isoformat(), ends_at.isoformat()]
                    for starts_at, ends_at in db.execute(
                        select(BusyTime.starts_at, BusyTime.ends_at)
                        .where(BusyTime.source_id == source.id)
                        .order_by(BusyTime.starts_at)
                    )
                ],
            }
            for source in sources_of(db, user_id)
        ],
    }
