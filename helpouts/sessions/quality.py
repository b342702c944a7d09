"""How calls are, as the browsers measure it: the newest figures of each connection, for the operators' view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.sessions.models import PresenceQuality

GRADES = ("good", "fair", "poor", "lost")
#: The kinds of candidates of RFC 8445 section 5.1.1, and what transports say of ways of their own.
PATHS = ("host", "srflx", "prflx", "relay", "tcp", "")
#: Figures above this are nonsense: an hour in milliseconds, a gigabit in kilobits.
MOST = 3_600_000


@dataclass(frozen=True, slots=True)
class Quality:
    """One reading: milliseconds there and back, per mille of packets lost, kilobits a second each way."""

    grade: str
    rtt_ms: int | None
    loss_permille: int
    send_kbps: int
    receive_kbps: int
    path: str


def reading(said: Mapping[str, Any]) -> Quality:
    """What a browser says, made harmless."""
    rtt = said.get("rtt")
    grade, path = said.get("verdict"), "tcp" if said.get("protocol") == "tcp" else said.get("path")
    return Quality(
        grade=grade if isinstance(grade, str) and grade in GRADES else "",
        rtt_ms=None if rtt is None else _number(rtt),
        loss_permille=min(_number(said.get("loss"), 10), 1000),
        send_kbps=_number(said.get("send_kbps")),
        receive_kbps=_number(said.get("receive_kbps")),
        path=path if isinstance(path, str) and path in PATHS else "",
    )


def _number(value: object, times: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return round(min(max(value, 0), MOST) * times)


def note(db: DbSession, readings: Mapping[int, Quality]) -> None:
    """Keep the newest reading of each presence."""
    if readings:
        db.execute(delete(PresenceQuality).where(PresenceQuality.presence_id.in_(list(readings))))
        now = clock.now()
        db.add_all(PresenceQuality(presence_id=key, at=now, **asdict(value)) for key, value in readings.items())
