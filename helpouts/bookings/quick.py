"""Is this one start free?  The common case of :func:`helpouts.scheduling.service.free_hosts` in two statements.

The common case is an expert of one person without caps.  Hours hardly ever change, so their computed form is kept in
the process, under everything that the schedule's row says, its version among it; every change of hours raises that.
Only what is committed may be kept: within a writing transaction the question goes to the scheduling service.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import and_, bindparam, literal_column, not_, or_, select, union_all
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.bookings.writing import LIVE
from helpouts.calendars.models import BusyTime
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.clock import clock
from helpouts.db.prepared import Prepared
from helpouts.scheduling import engine, loading
from helpouts.scheduling import service as scheduling
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import Schedule, SlotPolicy, Window
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up

#: Schedules kept for each database.
MOST = 5000
_Known = tuple[Schedule, SlotPolicy, int] | None
_kept: WeakKeyDictionary[Any, OrderedDict[str, _Known]] = WeakKeyDictionary()
_booking, _other = Booking.__table__.c, BusyTime.__table__.c
_MEMBERS = Prepared(
    select(*ScheduleRow.__table__.c)
    .join_from(ExpertMember.__table__, ScheduleRow.__table__, ScheduleRow.user_id == ExpertMember.user_id)
    .join(User.__table__, User.id == ExpertMember.user_id)
    .where(ExpertMember.expert_id == bindparam("expert"), User.active)
)
_STANDS = not_(and_(_booking.state == literal_column("'held'"), _booking.held_until <= bindparam("now")))
_BUSY = Prepared(
    union_all(
        *(
            select(_booking.starts_at, _booking.ends_at).where(
                person == bindparam("host"),
                LIVE,
                or_(_booking.held_until.is_(None), _STANDS),
                _booking.starts_at < bindparam("until"),
                _booking.ends_at > bindparam("since"),
            )
            for person in (_booking.host_id, _booking.customer_id)
        ),
        select(_other.starts_at, _other.ends_at).where(
            _other.user_id == bindparam("host"),
            _other.starts_at < bindparam("until"),
            _other.ends_at > bindparam("since"),
        ),
    )
)


def free_hosts(
    db: Session, listing: Listing, starts_at: datetime, *, length_minutes: int, host_id: int | None = None
) -> list[int]:
    """The same as :func:`helpouts.scheduling.service.free_hosts`, sooner where that is possible."""
    bind = db.get_bind()
    if not bind.get_execution_options().get("helpouts_write", False):
        rows = _MEMBERS.run(db, {"expert": listing.expert_id}).all()
        if len(rows) == 1 and host_id in (None, rows[0].user_id):
            known = _known(db, bind, rows[0])
            if known is not None:
                return [rows[0].user_id] if _free(db, rows[0].user_id, starts_at, length_minutes, *known) else []
    return scheduling.free_hosts(db, listing, starts_at, length_minutes=length_minutes, host_id=host_id)


def _known(db: Session, bind: Any, row: Any) -> _Known:
    kept = _kept.setdefault(bind, OrderedDict())
    key = repr(row)
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    stored = db.get_one(ScheduleRow, row.id)
    found = None
    if not loading.to_caps(stored):
        found = (loading.to_schedule(stored), loading.to_policy(stored, 1), loading.pause(stored))
    kept[key] = found
    if len(kept) > MOST:
        kept.popitem(last=False)
    return found


def _free(
    db: Session, host_id: int, starts_at: datetime, minutes: int, schedule: Schedule, policy: SlotPolicy, pause: int
) -> bool:
    start, now = to_minute(starts_at), clock.now()
    if from_minute(start) != starts_at:
        return False
    around = timedelta(minutes=pause)
    times = {
        "host": host_id,
        "now": now,
        "since": starts_at - around,
        "until": starts_at + timedelta(minutes=minutes) + around,
    }
    busy = list(_windows(_BUSY.run(db, times)))
    taken = engine.with_buffers(busy, pause, pause) if pause else busy
    wanted = replace(policy, length_minutes=minutes)
    return start in engine.free_slots(schedule, wanted, taken, start, start + 1, to_minute_up(now))


def _windows(rows: Iterable[Any]) -> Iterable[Window]:
    for starts_at, ends_at in rows:
        yield to_minute(_instant(starts_at)), to_minute_up(_instant(ends_at))


def _instant(value: Any) -> datetime:
    """An instant as the driver gives it: SQLite's is text in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
