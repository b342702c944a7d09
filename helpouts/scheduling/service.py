"""Hours of people and free slots of listings: the engine's plain integers, fed from and returned to the database.

A listing is served by every member of its expert, so its free slots are the union of theirs.  Two sessions share the
pause between them: it is at least the longer of the buffers before and after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select, union_all
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.calendars.models import BusyTime
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import changes, engine
from helpouts.scheduling.models import OverrideRow, ScheduleRow, WeeklyHours
from helpouts.scheduling.rules import DayOverride, Schedule, SlotPolicy, WeeklyRule, Window
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up

POLICY = ("step_minutes", "buffer_before", "buffer_after", "minimum_notice_minutes", "horizon_days")
DEFAULTS: Mapping[str, int] = {
    "step_minutes": 15,
    "buffer_before": 0,
    "buffer_after": 0,
    "minimum_notice_minutes": 60,
    "horizon_days": 60,
}
#: Bounds that keep a schedule readable and its computation small.
MOST_WINDOWS_A_DAY = 8
MOST_OVERRIDES = 366


class Offer(NamedTuple):
    """What :func:`next_free` needs to know of a listing."""

    id: int
    expert_id: int
    length_minutes: int


def schedule_of(db: Session, user_id: int) -> ScheduleRow:
    """The stored schedule of a person; one without hours, not yet stored, when they have never set any."""
    row = _stored(db, user_id)
    if row is not None:
        return row
    zone = db.scalar(select(User.zone).where(User.id == user_id)) or "UTC"
    return ScheduleRow(user_id=user_id, zone=zone, version=0, weekly=[], overrides=[], **DEFAULTS)


def has_hours(db: Session, user_id: int) -> bool:
    """Whether the person has set any hours at all."""
    row = _stored(db, user_id)
    return row is not None and bool(row.weekly or any(override.windows for override in row.overrides))


def save_schedule(
    db: Session,
    user_id: int,
    zone: str,
    weekly: Iterable[WeeklyRule],
    overrides: Iterable[DayOverride] = (),
    **policy: int,
) -> ScheduleRow:
    """Replace a person's hours.

    :param zone: IANA name in which all wall minutes are meant.
    :param policy: any of :data:`POLICY`, in minutes and days; what is not named keeps its value.
    :raises HelpoutsError: when something makes no sense; ``field`` names it.
    """
    rules, special = tuple(weekly), tuple(overrides)
    unknown = set(policy) - set(POLICY)
    if unknown:
        raise TypeError(f"unknown policy: {', '.join(sorted(unknown))}")
    for weekday in range(7):
        if sum(rule.weekday == weekday for rule in rules) > MOST_WINDOWS_A_DAY:
            raise HelpoutsError(
                _l("At most %(most)s times a day fit: join some of them.", most=MOST_WINDOWS_A_DAY),
                field=f"day{weekday}",
            )
    if len(special) > MOST_OVERRIDES:
        raise HelpoutsError(
            _l("At most %(most)s dates can differ: remove some.", most=MOST_OVERRIDES), field="overrides"
        )
    Schedule(zone, rules, special)
    row = _stored(db, user_id) or _added(db, user_id, zone)
    settings = {key: policy.get(key, getattr(row, key)) for key in POLICY}
    SlotPolicy(length_minutes=1, **settings)
    row.zone = zone
    for key, value in settings.items():
        setattr(row, key, value)
    row.weekly = [
        WeeklyHours(
            weekday=rule.weekday,
            start_minute=rule.start_minute,
            end_minute=rule.end_minute,
            valid_from=rule.valid_from,
            valid_until=rule.valid_until,
        )
        for rule in sorted(rules, key=lambda rule: (rule.weekday, rule.start_minute))
    ]
    # Rows of kept dates are changed in place: the unit of work inserts before it deletes.
    kept = {override.day: override for override in row.overrides}
    row.overrides = [
        _changed(kept.get(item.day) or OverrideRow(day=item.day), item.windows)
        for item in sorted(special, key=lambda item: item.day)
    ]
    hours_changed(db, row)
    return row


def hours_changed(db: Session, row: ScheduleRow) -> None:
    """Note that the free time of a person has changed, so that nobody trusts an older answer."""
    row.version = (row.version or 0) + 1
    db.flush()
    changes.touch(db, [row.user_id])


def busy_of(db: Session, user_id: int, start: datetime, end: datetime) -> list[Window]:
    """(start, end) in epoch minutes of all that takes the person's time in [start, end): bookings, other calendars."""
    return _busy(db, [user_id], start, end)[user_id]


def free_slots(
    db: Session,
    listing: Listing,
    start: datetime,
    end: datetime,
    now: datetime | None = None,
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
) -> list[datetime]:
    """Starts (UTC, ascending) in [start, end) at which some member can give a session of the listing.

    Whether the listing is on sale at all is :func:`helpouts.catalog.service.is_open`'s to say.

    :param length_minutes: one of the listing's lengths; its main one by default.
    :param host_id: only this member's; nothing if they do not serve the listing.
    :raises HelpoutsError: if the listing is not offered in that length; the field is "length".
    """
    starts: set[int] = set()
    for _user_id, slots in _slots_by_host(db, listing, start, end, now, length_minutes, host_id):
        starts.update(slots)
    return [from_minute(minute) for minute in sorted(starts)]


def free_hosts(
    db: Session,
    listing: Listing,
    starts_at: datetime,
    now: datetime | None = None,
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
) -> list[int]:
    """User ids of the members who can give a session of the listing that begins exactly then.

    They come in the order in which they should be taken, by the listing's serving rule; the arguments are those of
    :func:`free_slots`.
    """
    minute = to_minute(starts_at)
    if from_minute(minute) != starts_at:
        return []
    end = starts_at + timedelta(minutes=1)
    found = _slots_by_host(db, listing, starts_at, end, now, length_minutes, host_id)
    return [user_id for user_id, slots in found if minute in slots]


def next_free(
    db: Session, listings: Sequence[Listing | Offer], now: datetime | None = None
) -> dict[int, datetime | None]:
    """The next bookable start (UTC) of each listing by id, None when there is none within the experts' horizons.

    Takes four queries and one for busy times, however many listings there are.
    """
    now = now or clock.now()
    hosts = _hosts(db, {listing.expert_id for listing in listings})
    rows = [row for of_expert in hosts.values() for row in of_expert]
    if not rows:
        return {listing.id: None for listing in listings}
    schedules = {row.user_id: to_schedule(row) for row in rows}
    until = now + timedelta(days=max(row.horizon_days for row in rows) + 1)
    busy = _busy(db, [row.user_id for row in rows], now, until)
    found: dict[tuple[int, int], int | None] = {}
    answer: dict[int, datetime | None] = {}
    for listing in listings:
        key = (listing.expert_id, listing.length_minutes)
        if key not in found:
            firsts = [
                _first(row, schedules[row.user_id], busy[row.user_id], listing.length_minutes, now)
                for row in hosts[listing.expert_id]
            ]
            found[key] = min((first for first in firsts if first is not None), default=None)
        minute = found[key]
        answer[listing.id] = None if minute is None else from_minute(minute)
    return answer


def to_schedule(row: ScheduleRow) -> Schedule:
    """The engine's form of a stored schedule."""
    return Schedule(
        row.zone,
        tuple(
            WeeklyRule(hours.weekday, hours.start_minute, hours.end_minute, hours.valid_from, hours.valid_until)
            for hours in row.weekly
        ),
        tuple(DayOverride(o.day, tuple((first, last) for first, last in o.windows)) for o in row.overrides),
    )


def to_policy(row: ScheduleRow, length_minutes: int) -> SlotPolicy:
    """The engine's form of how sessions may be placed; the buffers are in the busy times (see :func:`_spaced`)."""
    return SlotPolicy(
        length_minutes,
        step_minutes=row.step_minutes,
        minimum_notice_minutes=row.minimum_notice_minutes,
        horizon_days=row.horizon_days,
    )


def _slots_by_host(
    db: Session,
    listing: Listing,
    start: datetime,
    end: datetime,
    now: datetime | None,
    length_minutes: int | None,
    host_id: int | None,
) -> list[tuple[int, list[int]]]:
    now = now or clock.now()
    length = listing.length_minutes
    if length_minutes is not None and length_minutes != length:
        listing.price_of(length_minutes)
        length = length_minutes
    rows = _hosts(db, {listing.expert_id})[listing.expert_id]
    if host_id is not None:
        rows = [row for row in rows if row.user_id == host_id]
    if not rows:
        return []
    day = timedelta(days=1)
    busy = _busy(db, [row.user_id for row in rows], start - day, end + timedelta(minutes=length) + day)
    return [
        (
            row.user_id,
            engine.free_slots(
                to_schedule(row),
                to_policy(row, length),
                _spaced(row, busy[row.user_id]),
                to_minute_up(start),
                to_minute_up(end),
                to_minute_up(now),
            ),
        )
        for row in rows
    ]


def _first(row: ScheduleRow, schedule: Schedule, busy: list[Window], length: int, now: datetime) -> int | None:
    """The first free start, looked for in spans that grow, because it is nearly always within days."""
    policy, taken = to_policy(row, length), _spaced(row, busy)
    minute = to_minute_up(now)
    since, last = minute, minute + (row.horizon_days + 1) * 1440
    span = 3 * 1440
    while since < last:
        slots = engine.free_slots(schedule, policy, taken, since, min(since + span, last), minute)
        if slots:
            return slots[0]
        since, span = since + span, span * 4
    return None


def _spaced(row: ScheduleRow, busy: list[Window]) -> list[Window]:
    pause = max(row.buffer_before, row.buffer_after)
    return engine.with_buffers(busy, pause, pause) if pause else busy


def _hosts(db: Session, expert_ids: Iterable[int]) -> dict[int, list[ScheduleRow]]:
    """The schedules of each expert's members, the owner's first."""
    hosts: dict[int, list[ScheduleRow]] = defaultdict(list)
    rows = (
        select(ExpertMember.expert_id, ExpertMember.role, ScheduleRow)
        .join(ScheduleRow, ScheduleRow.user_id == ExpertMember.user_id)
        .where(ExpertMember.expert_id.in_(list(expert_ids)))
        .order_by(ExpertMember.id)
    )
    for expert_id, role, row in db.execute(rows):
        if role == "owner":
            hosts[expert_id].insert(0, row)
        else:
            hosts[expert_id].append(row)
    return hosts


def _busy(db: Session, user_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, list[Window]]:
    """Live bookings of people and busy times of their calendars, by user id; holds that have lapsed take no time."""
    ids = list(set(user_ids))
    live = (
        Booking.state.in_(LIVE_STATES),
        Booking.starts_at < end,
        Booking.ends_at > start,
        or_(Booking.state != "held", Booking.held_until.is_(None), Booking.held_until > clock.now()),
    )
    elsewhere = (BusyTime.user_id.in_(ids), BusyTime.starts_at < end, BusyTime.ends_at > start)
    query = union_all(
        *(
            select(person.label("person"), Booking.starts_at, Booking.ends_at).where(person.in_(ids), *live)
            for person in (Booking.host_id, Booking.customer_id)
        ),
        select(BusyTime.user_id, BusyTime.starts_at, BusyTime.ends_at).where(*elsewhere),
    )
    busy: dict[int, list[Window]] = {user_id: [] for user_id in ids}
    for person, starts_at, ends_at in db.execute(query):
        busy[person].append((to_minute(starts_at), to_minute_up(ends_at)))
    for windows in busy.values():
        windows.sort()
    return busy


def _stored(db: Session, user_id: int) -> ScheduleRow | None:
    return db.scalar(select(ScheduleRow).where(ScheduleRow.user_id == user_id))


def _added(db: Session, user_id: int, zone: str) -> ScheduleRow:
    row = ScheduleRow(user_id=user_id, zone=zone, version=0, weekly=[], overrides=[], **DEFAULTS)
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:  # the same person saved in another window at this moment
        return db.scalars(select(ScheduleRow).where(ScheduleRow.user_id == user_id)).one()
    return row


def _changed(row: OverrideRow, windows: Sequence[Window]) -> OverrideRow:
    row.windows = [[first, last] for first, last in sorted(windows)]
    return row
