"""When somebody has taken on enough: the starts that daily and weekly caps rule out.

A session counts on the local date, and in the ISO week (Monday to Sunday), on whose clock it begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from helpouts.scheduling.rules import DAY, Caps, Window
from helpouts.scheduling.zones import EPOCH_ORDINAL, day_start


def full(zone: str, caps: Caps, given: Iterable[Window], length: int, start: int, end: int) -> list[Window]:
    """Stretches of [start, end) in which no further session of ``length`` minutes may begin, in epoch minutes.

    :param given: (start, end) of the sessions that count; those of all weeks that [start, end) touches, in any order.
    :returns: sorted by start; a week may contain days of its own.
    """
    first = start // DAY + EPOCH_ORDINAL - 1
    first -= (first - 1) % 7  # ordinal 1 was a Monday
    last = (end - 1) // DAY + EPOCH_ORDINAL + 1
    last += 6 - (last - 1) % 7
    sessions = sorted(given)
    starts = [since for since, _until in sessions]
    minutes = [0, *accumulate(until - since for since, until in sessions)]
    edges = [day_start(zone, ordinal) for ordinal in range(first, last + 2)]
    marks = [bisect_left(starts, edge) for edge in edges]

    def over(since: int, until: int, sessions_most: int | None, minutes_most: int | None) -> bool:
        low, high = marks[since], marks[until]
        if sessions_most is not None and high - low >= sessions_most:
            return True
        return minutes_most is not None and minutes[high] - minutes[low] + length > minutes_most

    found: list[Window] = []
    for week in range(0, len(edges) - 1, 7):
        if over(week, week + 7, caps.most_sessions_week, caps.most_minutes_week):
            found.append((edges[week], edges[week + 7]))
            continue
        found += [
            (edges[day], edges[day + 1])
            for day in range(week, week + 7)
            if over(day, day + 1, caps.most_sessions_day, caps.most_minutes_day)
        ]
    return found
