"""Is this one start free?  The common case of :func:`helpouts.scheduling.service.free_hosts` in two statements.

The common case is an expert of one person without caps.  Hours hardly ever change, so their computed form is kept in
the process, under everything that the schedule's row says, its version among it; every change of hours raises that.
Only what is committed may be kept: within a writing transaction the question goes to the scheduling service.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Select, bindparam, literal_column, select, union_all
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
from helpouts.scheduling.rules import Schedule, SlotPolicy
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up

#: Schedules kept for each database.
MOST = 5000
#: Bookings so near can matter to a start: buffers, and the caps of its day and week.
NEAR = timedelta(days=8)
_Known = tuple[Schedule, SlotPolicy, int] | None
_kept: WeakKeyDictionary[Any, OrderedDict[str, _Known]] = WeakKeyDictionary()
_booking, _other = Booking.__table__.c, BusyTime.__table__.c
_MEMBERS = Prepared(
    select(*ScheduleRow.__table__.c)
    .join_from(ExpertMember.__table__, ScheduleRow.__table__, ScheduleRow.user_id == ExpertMember.user_id)
    .join(User.__table__, User.id == ExpertMember.user_id)
    .where(ExpertMember.expert_id == bindparam("expert"), User.active)
)


def taken_times(person: str, since: str, until: str) -> list[Select[Any]]:
    """SELECTs of what takes somebody's time on this site, all by the names of their parameters."""
    return [
        select(_booking.starts_at, _booking.ends_at, _booking.held_until, _booking.id).where(
            part == bindparam(person),
            LIVE,
            _booking.starts_at < bindparam(until),
            _booking.ends_at > bindparam(since),
        )
        for part in (_booking.host_id, _booking.customer_id)
    ]


#: The same for what takes the host's time in other calendars.
ELSEWHERE: Select[Any] = select(_other.starts_at, _other.ends_at, literal_column("NULL"), literal_column("0")).where(
    _other.user_id == bindparam("host"),
    _other.starts_at < bindparam("until"),
    _other.ends_at > bindparam("since"),
)
_BUSY = Prepared(union_all(*taken_times("host", "since", "until"), ELSEWHERE))


class Busy(NamedTuple):
    """What takes somebody's time, as a booking or (``booking_id`` 0) in another calendar."""

    starts_at: datetime
    ends_at: datetime
    held_until: datetime | None
    booking_id: int

    def stands(self, now: datetime) -> bool:
        """Whether it is no hold that has lapsed."""
        return self.held_until is None or self.held_until > now


class Free(NamedTuple):
    """Who can give a session, in the order in which they should be taken.

    :ivar reach: how far from the session's time a host's other sessions matter.
    :ivar near: those of the one host, when they were looked at by themselves.
    :ivar hours: then also the version and the zone of the host's hours.
    """

    user_ids: list[int]
    reach: timedelta
    near: list[Busy] | None = None
    hours: tuple[int, str] | None = None


def busy(db: Session, user_id: int, since: datetime, until: datetime) -> list[Busy]:
    """All that takes the person's time in [since, until), lapsed holds among it, in order."""
    return in_order(_BUSY.all(db, {"host": user_id, "since": since, "until": until}))


def in_order(rows: Iterable[Iterable[Any]]) -> list[Busy]:
    """What takes somebody's time, in an order that depends on nothing else."""
    return sorted(map(Busy._make, rows), key=lambda time: (time.starts_at, time.ends_at, time.booking_id))


def free_hosts(
    db: Session, listing: Listing, starts_at: datetime, *, length_minutes: int, host_id: int | None = None
) -> Free:
    """The same as :func:`helpouts.scheduling.service.free_hosts`, sooner where that is possible."""
    bind = db.get_bind()
    if not bind.get_execution_options().get("helpouts_write", False):
        rows = _MEMBERS.all(db, {"expert": listing.expert_id})
        if len(rows) == 1 and host_id in (None, rows[0].user_id):
            known = _known(db, bind, rows[0])
            if known is not None:
                free = _free(db, rows[0].user_id, starts_at, length_minutes, *known)
                return free._replace(hours=(rows[0].version, rows[0].zone))
    return Free(scheduling.free_hosts(db, listing, starts_at, length_minutes=length_minutes, host_id=host_id), NEAR)


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
) -> Free:
    start, now, reach = to_minute(starts_at), clock.now(), timedelta(minutes=pause)
    if from_minute(start) != starts_at:
        return Free([], reach)
    near = busy(db, host_id, starts_at - reach, starts_at + timedelta(minutes=minutes) + reach)
    windows = [(to_minute(time.starts_at), to_minute_up(time.ends_at)) for time in near if time.stands(now)]
    taken = engine.with_buffers(windows, pause, pause) if pause else windows
    wanted = replace(policy, length_minutes=minutes)
    free = start in engine.free_slots(schedule, wanted, taken, start, start + 1, to_minute_up(now))
    return Free([host_id] if free else [], reach, near)
