"""Free slots of listings: the union of what those who serve them can give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.scheduling import engine, loading
from helpouts.scheduling.hosts import hosts, in_order
from helpouts.scheduling.rules import DAY, Schedule, Window
from helpouts.scheduling.stored import Hours
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up

_DAY = timedelta(days=1)


class Offer(NamedTuple):
    """What :func:`next_free` needs to know of a listing."""

    id: int
    expert_id: int
    length_minutes: int


def free_slots(
    db: Session,
    listing: Listing,
    start: datetime,
    end: datetime,
    now: datetime | None = None,
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
    without: int | None = None,
) -> list[datetime]:
    """Starts (UTC, ascending) in [start, end) at which some member can give a session of the listing.

    Whether the listing is on sale at all is :func:`helpouts.catalog.service.is_open`'s to say.

    :param length_minutes: one of the listing's lengths (any where a booking is moved); its main one by default.
    :param host_id: only this member's; nothing if they do not serve the listing.
    :param without: id of a booking that is looked through, because it is to be moved.
    :raises HelpoutsError: if the listing is not offered in that length; the field is "length".
    """
    return [
        from_minute(minute)
        for minute in free_minutes(
            db, listing, start, end, now, length_minutes=length_minutes, host_id=host_id, without=without
        )
    ]


def free_minutes(
    db: Session,
    listing: Listing,
    start: datetime,
    end: datetime,
    now: datetime | None = None,
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
    without: int | None = None,
) -> list[int]:
    """The same as :func:`free_slots`, in epoch minutes."""
    found = _slots_by_host(db, listing, start, end, now or clock.now(), length_minutes, host_id, without)
    if len(found) == 1:
        return found[0][1]
    return sorted({minute for _user_id, slots in found for minute in slots})


def free_hosts(
    db: Session,
    listing: Listing,
    starts_at: datetime,
    now: datetime | None = None,
    *,
    length_minutes: int | None = None,
    host_id: int | None = None,
    without: int | None = None,
) -> list[int]:
    """User ids of the members who can give a session of the listing that begins exactly then.

    They come in the order in which they should be taken, by the listing's serving rule; the arguments are those of
    :func:`free_slots`.
    """
    now = now or clock.now()
    minute = to_minute(starts_at)
    if from_minute(minute) != starts_at:
        return []
    end = starts_at + timedelta(minutes=1)
    found = _slots_by_host(db, listing, starts_at, end, now, length_minutes, host_id, without)
    return in_order(db, listing, [user_id for user_id, slots in found if minute in slots], now)


def next_free(
    db: Session, listings: Sequence[Listing | Offer], now: datetime | None = None
) -> dict[int, datetime | None]:
    """The next bookable start (UTC) of each listing in its main length by id, None when there is none in sight.

    The number of queries does not grow with the number of listings.
    """
    now = now or clock.now()
    serving = hosts(db, listings)
    rows = {row.user_id: row for of_listing in serving.values() for row in of_listing}
    if not rows:
        return {listing.id: None for listing in listings}
    schedules = {user_id: loading.to_schedule(row) for user_id, row in rows.items()}
    until = now + timedelta(days=max(row.horizon_days for row in rows.values()) + 1)
    busy = loading.busy(db, rows, now - _DAY, until, now)
    given = loading.given(db, rows.values(), now, until, now)
    found: dict[tuple[int, int], int | None] = {}
    answer: dict[int, datetime | None] = {}
    for listing in listings:
        firsts = []
        for row in serving[listing.id]:
            user_id = row.user_id
            key = (user_id, listing.length_minutes)
            if key not in found:
                found[key] = first_free(row, schedules[user_id], busy[user_id], key[1], now, given.get(user_id, []))
            firsts.append(found[key])
        minute = min((first for first in firsts if first is not None), default=None)
        answer[listing.id] = None if minute is None else from_minute(minute)
    return answer


def _slots_by_host(
    db: Session,
    listing: Listing,
    start: datetime,
    end: datetime,
    now: datetime,
    length_minutes: int | None,
    host_id: int | None,
    without: int | None,
) -> list[tuple[int, list[int]]]:
    length = listing.length_minutes
    if length_minutes is not None and length_minutes != length:
        if without is None:
            listing.price_of(length_minutes)
        length = length_minutes
    people = [row for row in hosts(db, [listing])[listing.id] if host_id is None or row.user_id == host_id]
    return read(db, people, now, start, end + timedelta(minutes=length), without=without).by_host(start, end, length)


@dataclass(frozen=True, slots=True)
class FreeTime:
    """All that decides when some people can give sessions in a stretch of time, read once."""

    people: Sequence[Hours]
    now: datetime
    busy: Mapping[int, list[Window]]
    given: Mapping[int, list[Window]]

    @property
    def horizon_days(self) -> int:
        """How many days ahead of ``now`` the last start can lie."""
        return max((row.horizon_days for row in self.people), default=0)

    def by_host(self, start: datetime, end: datetime, length: int) -> list[tuple[int, list[int]]]:
        """(user id, starts in [start, end) in epoch minutes) of each."""
        return [
            (
                row.user_id,
                engine.free_slots(
                    loading.to_schedule(row),
                    loading.to_policy(row, length),
                    loading.spaced(row, self.busy[row.user_id]),
                    to_minute_up(start),
                    to_minute_up(end),
                    to_minute_up(self.now),
                    self.given.get(row.user_id, ()),
                ),
            )
            for row in self.people
        ]

    def starts(self, start: datetime, end: datetime, length: int, host_id: int | None = None) -> list[int]:
        """Starts in [start, end) at which any of them can, or only the one named, in epoch minutes, ascending."""
        found = self.by_host(start, end, length)
        return sorted({minute for user_id, slots in found for minute in slots if host_id in (None, user_id)})

    def first(self, length: int) -> datetime | None:
        """The first start (UTC) at which any of them can, None when there is none within their horizons."""
        firsts = [
            first_free(
                row,
                loading.to_schedule(row),
                self.busy[row.user_id],
                length,
                self.now,
                list(self.given.get(row.user_id, ())),
            )
            for row in self.people
        ]
        minute = min((first for first in firsts if first is not None), default=None)
        return None if minute is None else from_minute(minute)


def free_time(db: Session, listing: Listing, now: datetime | None = None) -> FreeTime:
    """The free time of those who serve a listing, from now to the end of their horizons."""
    now = now or clock.now()
    people = hosts(db, [listing])[listing.id]
    days = max((row.horizon_days for row in people), default=0) + 1
    return read(db, people, now, now, now + timedelta(days=days))


def read(
    db: Session, people: Sequence[Hours], now: datetime, start: datetime, end: datetime, *, without: int | None = None
) -> FreeTime:
    """What decides the starts of sessions that lie in [start, end); ``without`` as in :func:`free_slots`."""
    if not people:
        return FreeTime((), now, {}, {})
    ids = [row.user_id for row in people]
    return FreeTime(
        people,
        now,
        loading.busy(db, ids, start - _DAY, end + _DAY, now, without=without),
        loading.given(db, people, start, end, now, without=without),
    )


def first_free(
    row: Hours, schedule: Schedule, busy: list[Window], length: int, now: datetime, given: list[Window]
) -> int | None:
    """The first start (epoch minutes) of somebody, None when there is none within their horizon.

    :param busy: :func:`helpouts.scheduling.loading.busy` from a day before ``now`` to the horizon.
    :param given: :func:`helpouts.scheduling.loading.given`, for the caps.
    """
    # In spans that grow, because it is nearly always within days.
    policy, taken = loading.to_policy(row, length), loading.spaced(row, busy)
    minute = to_minute_up(now)
    since, last = minute, minute + (row.horizon_days + 1) * DAY
    span = 3 * DAY
    while since < last:
        slots = engine.free_slots(schedule, policy, taken, since, min(since + span, last), minute, given)
        if slots:
            return slots[0]
        since, span = since + span, span * 4
    return None
