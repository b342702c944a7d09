"""Free time and bookable starts of one expert: interval sets of whole epoch minutes, one linear sweep.

Everything is plain integers (minutes since 1970-01-01 00:00 UTC), so that a month of slots costs a tenth of a
millisecond; :mod:`helpouts.scheduling.zones` converts at the edges.  The cost is O(days + rules + busy + slots), plus
sorting ``busy`` if it is not sorted.

``busy`` is everything that takes the expert's time, as half-open (start, end): live bookings, time off, events of
other calendars.  Entries may overlap and come in any order.  Round busy starts down and ends up to the minute
(:func:`~helpouts.scheduling.zones.to_minute`, :func:`~helpouts.scheduling.zones.to_minute_up`).
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from helpouts.scheduling.caps import full
from helpouts.scheduling.rules import DAY, Schedule, SlotPolicy, Window
from helpouts.scheduling.zones import EPOCH_ORDINAL, change_day_windows, day_offset

#: What stretches of time are sorted by: to compare numbers takes a third of what it takes to compare pairs.
_BEGIN = itemgetter(0)


def working_windows(schedule: Schedule, start: int, end: int) -> list[Window]:
    """Working time that touches [start, end) in epoch minutes, merged and sorted, not clipped."""
    zone, windows_on, merged = schedule.zone, schedule.windows_on, list[Window]()
    last = start  # end of the latest window kept; what ends by ``start`` is of no interest
    # A local date is at most one day away from the UTC date, in either direction.
    for ordinal in range(start // DAY + EPOCH_ORDINAL - 1, (end - 1) // DAY + EPOCH_ORDINAL + 2):
        windows: Iterable[Window] = windows_on(ordinal)
        offset = day_offset(zone, ordinal)
        if isinstance(offset, int):
            midnight = (ordinal - EPOCH_ORDINAL) * DAY - offset
        else:
            midnight, windows = 0, change_day_windows(offset, ordinal, windows)
        for opens, closes in windows:
            opens += midnight
            closes += midnight
            if closes <= last or opens >= end:
                continue
            if merged and opens <= last:
                merged[-1] = (merged[-1][0], closes)
            else:
                merged.append((opens, closes))
            last = closes
    return merged


def subtract(windows: Iterable[Window], busy: list[Window]) -> list[Window]:
    """``windows`` (sorted, disjoint) without ``busy`` (sorted by start); what is left is sorted and disjoint."""
    free: list[Window] = []
    index, count, taken_until = 0, len(busy), 0
    for opens, closes in windows:
        if taken_until > opens:  # not max(): a call in these loops costs a fifth of the whole sweep
            opens = taken_until
        while index < count and busy[index][0] < closes:
            taken, until = busy[index]
            index += 1
            if until <= taken:
                continue
            if taken > opens:
                free.append((opens, taken))
            if until > opens:
                opens = taken_until = until
        if opens < closes:
            free.append((opens, closes))
    return free


def free_windows(schedule: Schedule, busy: Iterable[Window], start: int, end: int) -> list[Window]:
    """Working time within [start, end) that nothing takes, as sorted disjoint (start, end); all in epoch minutes."""
    windows = working_windows(schedule, start, end)
    return subtract([(max(opens, start), min(closes, end)) for opens, closes in windows], sorted(busy, key=_BEGIN))


def free_slots(
    schedule: Schedule,
    policy: SlotPolicy,
    busy: Iterable[Window],
    start: int,
    end: int,
    now: int,
    given: Iterable[Window] = (),
) -> list[int]:
    """Starts at which a session of ``policy.length_minutes`` can be booked, ascending, all in epoch minutes.

    A start lies in [start, end), on the step grid of the expert's wall clock, not before ``now`` plus the notice and
    not after ``now`` plus the horizon.  The session lies wholly in working time (it may run beyond ``end``) and,
    with its own buffers, touches nothing in ``busy``.  Buffers that earlier bookings carry are the caller's to add
    (:func:`with_buffers`), as events of other calendars have none.

    :param given: the sessions that count for the policy's caps, of all ISO weeks that [start, end) touches.
    """
    start = max(start, now + policy.minimum_notice_minutes)
    end = min(end, now + policy.horizon_days * DAY + 1)
    if start >= end:
        return []
    length, step = policy.length_minutes, policy.step_minutes
    if policy.buffer_before or policy.buffer_after:
        busy = with_buffers(busy, policy.buffer_after, policy.buffer_before)
    free = subtract(working_windows(schedule, start, end + length), sorted(busy, key=_BEGIN))
    room = [(opens, closes - length + 1) for opens, closes in free]  # for starts
    if policy.caps:
        room = subtract(room, full(schedule.zone, policy.caps, given, length, start, end))
    slots: list[int] = []
    for since, until, offset in _offsets(schedule.zone, start, end):
        for opens, stop in room:
            if opens < since:
                opens = since
            if stop > until:
                stop = until
            at = opens + -(opens + offset) % step
            while at < stop:  # few starts fit between two sessions: a range costs more than counting to its end
                slots.append(at)
                at += step
    return slots


def with_buffers(busy: Iterable[Window], before: int, after: int) -> list[Window]:
    """Each busy stretch made longer by ``before`` and ``after`` minutes; empty ones take no time and are dropped."""
    return [(start - before, end + after) for start, end in busy if start < end]


def _offsets(zone: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """[start, end) cut where the clocks change: (since, until, minutes east of UTC)."""
    pieces: list[tuple[int, int, int]] = []
    since, offset = start, 0
    for ordinal in range(start // DAY + EPOCH_ORDINAL - 1, (end - 1) // DAY + EPOCH_ORDINAL + 2):
        day = day_offset(zone, ordinal)
        if isinstance(day, int):
            offset = day
        elif day.jump >= end:
            offset = day.before
            break
        else:
            if since < day.jump:
                pieces.append((since, day.jump, day.before))
                since = day.jump
            offset = day.after
    pieces.append((since, end, offset))
    return pieces
