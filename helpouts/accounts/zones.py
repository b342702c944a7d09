"""Time zones as people choose them: by continent, with the place's name in their language and the present offset."""

from __future__ import annotations

from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import get_timezone_location

from helpouts import i18n
from helpouts.clock import clock

_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
Choices = dict[str, list[tuple[str, str]]]


@cache
def known() -> frozenset[str]:
    """All IANA names of this machine (looking them up costs milliseconds, so it is done once)."""
    return frozenset(available_timezones())


def choices(present: str | None = None) -> Choices:
    """{area: [(IANA name, label)]} for a select; a present zone outside the list is put in front."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    listed = _listed(i18n.current_locale(), hour)
    if present in known() and not any(present == zone for group in listed.values() for zone, _ in group):
        return {"": [(str(present), str(present))], **listed}
    return listed


@lru_cache(maxsize=8)
def _listed(locale: str, now: datetime) -> Choices:
    spoken = Locale.parse(locale)
    groups: Choices = {}
    for area in _AREAS:
        names = sorted(name for name in known() if name.startswith(f"{area}/"))
        labels = [(name, f"{_place(name, spoken)} ({_offset(name, now)})") for name in names]
        groups[area] = sorted(labels, key=lambda pair: pair[1])
    groups["UTC"] = [("UTC", "UTC")]
    return groups


def _place(name: str, locale: Locale) -> str:
    place = get_timezone_location(name, locale=locale, return_city=True)
    return place or name.rpartition("/")[2].replace("_", " ")


def _offset(name: str, now: datetime) -> str:
    offset = now.astimezone(ZoneInfo(name)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
