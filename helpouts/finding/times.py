"""When sessions of listings can begin, for the index: what the exact engine says, for many listings at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.finding import masks
from helpouts.scheduling import engine, loading
from helpouts.scheduling.hosts import hosts
from helpouts.scheduling.rules import Window
from helpouts.scheduling.slots import Offer, first_free
from helpouts.scheduling.stored import Hours
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up

#: Nobody's horizon ends before these minutes, in a listing that nobody serves.
FOREVER = 731 * 1440


@dataclass(frozen=True, slots=True)
class Times:
    """The free time of one listing in epoch minutes; ``starts`` regards neither notice nor horizon.

    The next starts are every ``step`` minutes from ``free_from`` to ``free_to``; while ``free_to`` is not yet within
    the notice, they tell the next free time at any later moment.  ``due_at`` is when all of this must be asked again.
    """

    starts: bytes
    notice: int
    horizon: int
    free_from: int | None
    free_to: int | None
    step: int
    due_at: int
    known_until: int


def of_offers(
    db: Session, offers: Sequence[Offer], now: datetime | None = None, *, lapsing: bool = True
) -> dict[int, Times]:
    """The times of each offer by its id, from a number of queries that does not depend on how many there are.

    :param lapsing: ``due_at`` minds holds that lapse, too, which takes a query more.
    """
    now = now or clock.now()
    serving = hosts(db, offers)
    rows = {row.user_id: row for of_listing in serving.values() for row in of_listing}
    busy: dict[int, list[Window]] = {}
    given: dict[int, list[Window]] = {}
    holds: dict[int, int] = {}
    if rows:
        days = max(masks.DAYS, *(row.horizon_days for row in rows.values()))
        until = now + timedelta(days=days + 2)
        busy = loading.busy(db, rows, now - timedelta(days=1), until, now)
        given = loading.given(db, rows.values(), now, until, now)
        holds = _lapsing(db, rows, now) if lapsing else {}
    found: dict[tuple[tuple[int, ...], int], Times] = {}
    answer = {}
    for offer in offers:
        people = serving[offer.id]
        key = (tuple(row.user_id for row in people), offer.length_minutes)
        if key not in found:
            found[key] = _times(people, busy, given, holds, offer.length_minutes, now)
        answer[offer.id] = found[key]
    return answer


def _times(
    rows: Sequence[Hours],
    busy: dict[int, list[Window]],
    given: dict[int, list[Window]],
    lapsing: dict[int, int],
    length: int,
    now: datetime,
) -> Times:
    minute = to_minute_up(now)
    today = to_minute(now) // masks.DAY
    until = (today + masks.DAYS) * masks.DAY
    tomorrow = (today + 1) * masks.DAY
    starts: set[int] = set()
    firsts: list[tuple[int, int, int, int]] = []
    opening: list[int] = []
    for row in rows:
        schedule, taken = loading.to_schedule(row), loading.spaced(row, busy[row.user_id])
        policy, counted = loading.to_policy(row, length), given.get(row.user_id, [])
        begin = minute - minute % masks.QUARTER
        free = replace(policy, minimum_notice_minutes=0, horizon_days=731)
        of_host = engine.free_slots(schedule, free, taken, begin, until, begin, counted)
        starts.update(of_host)
        earliest, latest = minute + row.minimum_notice_minutes, minute + row.horizon_days * masks.DAY
        open_now = [start for start in of_host if earliest <= start <= latest]
        if open_now:
            firsts.append((open_now[0], _run(open_now, row.step_minutes), row.minimum_notice_minutes, row.step_minutes))
        else:
            # What lies beyond the horizon opens as time passes.
            opening += [start - row.horizon_days * masks.DAY for start in of_host if start > latest][:1]
            first = first_free(row, schedule, busy[row.user_id], length, now, counted)
            if first is not None:
                firsts.append((first, first, row.minimum_notice_minutes, row.step_minutes))
    notice = max((row.minimum_notice_minutes for row in rows), default=0)
    due = [tomorrow, *opening, *(lapsing[row.user_id] for row in rows if row.user_id in lapsing)]
    free_from = free_to = None
    step = masks.QUARTER
    if firsts:
        free_from, free_to, of_first, step = min(firsts)
        if len(rows) > 1:
            # Of several people only the very next start is sure: their grids and notices may differ.
            free_to = free_from
        due.append(free_to - of_first + 1)
    return Times(
        starts=masks.pack(starts),
        notice=notice,
        horizon=min((row.horizon_days * masks.DAY for row in rows), default=FOREVER),
        free_from=free_from,
        free_to=free_to,
        step=step,
        due_at=max(minute + 1, min(due)),
        known_until=today + masks.DAYS,
    )


def _run(starts: Sequence[int], step: int) -> int:
    """The last of the starts that follow the first without a gap."""
    last = starts[0]
    for start in starts[1:]:
        if start != last + step:
            break
        last = start
    return last


def _lapsing(db: Session, user_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """By user id, when the next hold on their time lapses, in epoch minutes."""
    ids = list(user_ids)
    held = (Booking.state == "held", Booking.held_until > now)
    people = or_(Booking.host_id.in_(ids), Booking.customer_id.in_(ids))
    query = (
        select(Booking.host_id, Booking.customer_id, func.min(Booking.held_until))
        .where(*held, people)
        .group_by(Booking.host_id, Booking.customer_id)
    )
    found: dict[int, int] = {}
    for host_id, customer_id, until in db.execute(query):
        assert until is not None, "asked for in the condition"
        for user_id in (host_id, customer_id):
            minute = to_minute_up(until)
            found[user_id] = min(found.get(user_id, minute), minute)
    return found


def instant(minute: int | None) -> datetime | None:
    """The instant of an epoch minute."""
    return None if minute is None else from_minute(minute)
