"""The jobs: which calendars are due, and one visit each, with no transaction open while it lasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.calendars import reading
from helpouts.calendars.invitations import site_host
from helpouts.calendars.models import CalendarSource, Collection
from helpouts.calendars.parse import Found, busy_times
from helpouts.calendars.service import chosen, promise_reading
from helpouts.calendars.trouble import Trouble
from helpouts.calendars.vault import unlock
from helpouts.calendars.visit import IMPATIENCE, PATIENCE, Seen, Visit, discover, read
from helpouts.clock import clock
from helpouts.errors import ConfigurationError
from helpouts.jobs.service import handler
from helpouts.runtime import Runtime
from helpouts.scheduling.service import schedule_of

#: What is looked at: the furthest that anybody can be booked, and some.
BEFORE, AHEAD = timedelta(days=1), timedelta(days=400)
#: Repetitions are expanded anew after this time even if nothing has changed: others come into view.
EXPAND_EVERY = timedelta(hours=20)
BATCH = 200
Effect = Callable[[Session], None]
log = structlog.get_logger("helpouts.calendars")


@handler("calendars.due", every_seconds=30)
def due(db: Session, _payload: Mapping[str, Any]) -> None:
    """Promise a reading of every calendar whose time has come."""
    now = clock.now()
    waiting = select(CalendarSource).where(CalendarSource.next_at <= now).order_by(CalendarSource.next_at).limit(BATCH)
    for source in db.scalars(waiting.with_for_update(skip_locked=True)):
        promise_reading(db, source)


@dataclass(frozen=True, slots=True)
class _Before:
    """A source as it was when the visit began."""

    source_id: int
    sealed: str
    collections: list[Collection] | None


@handler("calendars.read", outside=True)
def visit_source(runtime: Runtime, _job_id: int, payload: Mapping[str, Any]) -> Effect | None:
    """Visit one calendar; whatever goes wrong there ends in its row, not in the job."""
    with runtime.database.read() as db:
        source = db.get(CalendarSource, payload["source"])
        if source is None:
            return None
        zone = schedule_of(db, source.user_id).zone
        db.expunge(source)
    before = _Before(source.id, source.sealed, source.collections)
    try:
        return _effect(before, _look(runtime, source, zone))
    except Trouble as trouble:
        log.info("calendar not read", source=source.id, trouble=str(trouble))
        code, status = trouble.code, trouble.status
    except ConfigurationError:
        code, status = "locked", 0
    except Exception as error:
        # Its text may hold the address, which is a secret: the kind alone is logged.
        log.error("calendar not read", source=source.id, error=type(error).__name__)
        code, status = "internal", 0
    return _effect(before, lambda db, source: reading.failed(db, source, code, status))


def _look(runtime: Runtime, source: CalendarSource, zone: str) -> Callable[[Session, CalendarSource], None]:
    """What is to be written after a visit."""
    config, now = runtime.config, clock.now()
    access = unlock(config, source)
    seconds = IMPATIENCE if source.failures else PATIENCE
    if source.kind == "caldav" and source.collections is None:
        collections = discover(access, config.calendar_allow, seconds)
        return lambda db, row: reading.discovered(db, row, collections)
    if source.kind == "caldav" and not chosen(source):
        return lambda _db, _row: None
    anew = source.expanded_at is None or now - source.expanded_at > EXPAND_EVERY or source.zone != zone
    visit = Visit(
        access,
        config.calendar_allow,
        _midnight(now - BEFORE),
        _midnight(now + AHEAD),
        chosen(source),
        "" if anew else source.etag,
        "" if anew else source.digest,
        seconds,
    )
    seen = read(visit)
    found = None if seen.texts is None else _expanded(runtime, visit, seen, zone)
    return lambda db, row: reading.store(db, row, seen, found, zone)


def _expanded(runtime: Runtime, visit: Visit, seen: Seen, zone: str) -> Found:
    if not seen.texts:
        return Found([], 0, 0)
    return busy_times(seen.texts, visit.start, visit.end, zone, (f"@{site_host(runtime.config)}",))


def _effect(before: _Before, write: Callable[[Session, CalendarSource], None]) -> Effect:
    """``write`` on the source as it is now, unless it was changed or disconnected while we were away."""

    def effect(db: Session) -> None:
        row = db.scalar(select(CalendarSource).where(CalendarSource.id == before.source_id).with_for_update())
        if row is None:
            return
        if (row.sealed, row.collections) != (before.sealed, before.collections):
            return  # whoever changed it has promised a reading of their own
        write(db, row)

    return effect


def _midnight(moment: datetime) -> datetime:
    """The day's beginning in UTC, so that the same events give the same busy times all day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
