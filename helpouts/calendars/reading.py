"""What a visit changes: busy times replaced as a whole, or the last ones kept and the trouble noted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.calendars.models import BusyTime, CalendarSource, Collection
from helpouts.calendars.parse import Found
from helpouts.calendars.service import chosen, promise_reading
from helpouts.calendars.trouble import in_words
from helpouts.calendars.visit import Seen
from helpouts.clock import clock
from helpouts.i18n import use_locale
from helpouts.mail.service import queue_mail
from helpouts.scheduling import changes
from helpouts.scheduling.zones import from_minute

#: How often a calendar is read, and the longest pause after failures.
EVERY, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=6)
#: A calendar that could not be read for so long: its owner is told, once.
STALE = timedelta(days=3)
#: Troubles that only the owner can end, and that some servers answer by locking the account.
_OWNERS = frozenset({"auth", "locked", "refused"})


def store(db: Session, source: CalendarSource, seen: Seen, found: Found | None, zone: str) -> None:
    """It was read; ``found`` is None when it has not changed since the last time."""
    now = clock.now()
    source.tried_at = source.read_at = now
    source.failures, source.trouble, source.trouble_status, source.warned_at = 0, "", 0, None
    source.etag, source.digest = seen.etag, seen.digest
    source.next_at = now + EVERY * random.uniform(0.9, 1.1)  # noqa: S311  # spreads the load, no secret
    if found is None:
        return
    source.expanded_at, source.zone = now, zone
    source.events, source.left_out = found.events, found.left_out
    replace(db, source, [(from_minute(first), from_minute(last)) for first, last in found.busy])


def replace(db: Session, source: CalendarSource, stretches: Sequence[tuple[datetime, datetime]]) -> None:
    """All busy times of a source at once, in the caller's transaction; nothing is written when nothing has changed."""
    mine = BusyTime.source_id == source.id
    before = db.execute(select(BusyTime.starts_at, BusyTime.ends_at).where(mine).order_by(BusyTime.starts_at)).all()
    if [tuple(row) for row in before] == list(stretches):
        return
    db.execute(delete(BusyTime).where(mine))
    rows = [
        {"user_id": source.user_id, "source_id": source.id, "starts_at": starts_at, "ends_at": ends_at}
        for starts_at, ends_at in stretches
    ]
    if rows:
        db.execute(insert(BusyTime), rows)
    changes.touch(db, [source.user_id])


def discovered(db: Session, source: CalendarSource, collections: list[Collection]) -> None:
    """The calendars of an account are known; when there is a choice it is the owner's."""
    source.tried_at, source.failures, source.trouble, source.trouble_status = clock.now(), 0, "", 0
    source.collections, source.next_at = collections, None
    if chosen(source):
        promise_reading(db, source)


def failed(db: Session, source: CalendarSource, code: str, status: int) -> None:
    """It could not be read: what was known stays, the next try waits longer, and after days its owner hears of it."""
    now = clock.now()
    source.tried_at = now
    source.failures += 1
    source.trouble, source.trouble_status = code, status
    pause = LONGEST_PAUSE if code in _OWNERS else min(LONGEST_PAUSE, EVERY * 2 ** min(source.failures - 1, 10))
    source.next_at = now + pause * random.uniform(0.9, 1.1)  # noqa: S311  # as above
    if now - (source.read_at or source.created_at) > STALE and source.warned_at is None:
        source.warned_at = now
        _warn(db, source)


def _warn(db: Session, source: CalendarSource) -> None:
    owner = db.get_one(User, source.user_id)
    with use_locale(owner.locale, owner.zone or "UTC"):
        reason = in_words(source.trouble, source.trouble_status)
    queue_mail(
        db, owner.email, "calendar_stale", owner.locale, owner.zone or "UTC", source=source, me=owner, reason=reason
    )
