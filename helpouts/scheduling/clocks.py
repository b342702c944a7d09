"""Times of day as people type them and as ``<input type="time">`` takes them."""

from __future__ import annotations

import re

from helpouts.scheduling.rules import DAY

_TIME = re.compile(r"([01]?\d|2[0-4])[:.hH]?([0-5]\d)?\Z")


def minute_of(text: str) -> int:
    """Wall minutes of "9", "9:30", "09.30" or "24:00".

    :raises ValueError: when it is no time of day.
    """
    match = _TIME.match(text)
    if match is None:
        raise ValueError(text)
    minutes = int(match[1]) * 60 + int(match[2] or 0)
    if minutes > DAY:
        raise ValueError(text)
    return minutes


def clock_text(minute: int) -> str:
    """What an ``<input type="time">`` takes; the end of the day is 00:00 there."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
