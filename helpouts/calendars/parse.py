"""Reading iCalendar texts of strangers in a process of its own, so that none of them can harm the worker."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from helpouts.calendars.trouble import Trouble
from helpouts.scheduling.zones import to_minute, to_minute_up

#: Wall seconds and address space (bytes) that reading one calendar may take; CPU seconds are bounded in the process.
SECONDS, MEMORY = 20.0, 1 << 30
log = structlog.get_logger("helpouts.calendars")


@dataclass(frozen=True, slots=True)
class Found:
    """Busy time in one calendar.

    :param busy: (start, end) in epoch minutes, ascending, neither touching nor overlapping.
    :param events: how many were understood, ``left_out`` how many were not.
    """

    busy: list[tuple[int, int]]
    events: int
    left_out: int


def busy_times(
    texts: Sequence[str], start: datetime, end: datetime, zone: str, own: Sequence[str] = (), seconds: float = SECONDS
) -> Found:
    """The busy times of iCalendar texts in [start, end).

    :param zone: IANA name of the zone for whole days and for times without a zone.
    :param own: how UIDs of our own sessions end; those are not counted.
    :raises Trouble: ``page``, ``broken`` or ``too_much``.
    """
    for text in texts:
        head = text[:2000].lstrip("\ufeff \t\r\n").lower()
        if head.startswith(("<!doctype", "<html", "<?xml")) or "<html" in head:
            raise Trouble("page")
    task = {
        "texts": list(texts),
        "start": to_minute(start),
        "end": to_minute_up(end),
        "zone": zone,
        "own": list(own),
    }
    command = [sys.executable, "-I", "-m", "helpouts.calendars.expand", str(MEMORY)]
    try:
        # A lone surrogate, which JSON allows and UTF-8 does not, cannot come out of our own decoding.
        done = subprocess.run(command, input=json.dumps(task).encode(), capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Trouble("too_much") from None
    if done.returncode < 0 or b"MemoryError" in done.stderr:  # the kernel ended it: too much time or memory
        raise Trouble("too_much")
    if done.returncode:
        # The last line names the kind of error; the lines before may quote the calendar.
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        log.error("a calendar could not be expanded", error=last.partition(":")[0][:80])
        raise Trouble("internal")
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise Trouble(answer["error"])
    return Found([(first, last) for first, last in answer["busy"]], answer["events"], answer["left_out"])
