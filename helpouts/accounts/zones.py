"""Time zones as people choose them: by continent, with the place's name in their language and the present offset."""

from __future__ import annotations

from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import get_timezone_location
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from helpouts import i18n
from helpouts.clock import clock

_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def known() -> frozenset[str]:
    """All IANA names of this machine (looking them up costs milliseconds, so it is done once)."""
    return frozenset(available_timezones())


def choices(present: str | None = None) -> list[SelectChoice]:
    """The options of a select, by area; a present zone outside the list is put in front."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    listed = _listed(i18n.current_locale(), hour)
    if present in known() and present not in {choice.value for choice in listed}:
        return [SelectChoice(value=str(present)), *listed]
    return listed


def by_area(present: str | None = None) -> dict[str, list[tuple[str, str]]]:
    """(name, label) of the same by area; "" is the area of a present zone outside the list."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for choice in choices(present):
        name = str(choice.value)
        areas.setdefault(choice.optgroup or "", []).append((name, str(choice.label or name)))
    return areas


@lru_cache(maxsize=8)
def _listed(locale: str, now: datetime) -> list[SelectChoice]:
    spoken = Locale.parse(locale)
    found = []
    for area in _AREAS:
        names = [name for name in known() if name.startswith(f"{area}/")]
        labels = {name: f"{_place(name, spoken)} ({_offset(name, now)})" for name in names}
        for name in sorted(names, key=lambda name: (labels[name], name)):
            found.append(SelectChoice(value=name, label=labels[name], optgroup=area))
    return [*found, SelectChoice(value="UTC", optgroup="UTC")]


def place(name: str) -> str:
    """What people call a zone, in the language in force: "Tokyo" of "Asia/Tokyo"."""
    return _place(name, Locale.parse(i18n.current_locale()))


@lru_cache(maxsize=1024)
def _place(name: str, locale: Locale) -> str:
    city = get_timezone_location(name, locale=locale, return_city=True)
    return city or name.rpartition("/")[2].replace("_", " ")


def _offset(name: str, now: datetime) -> str:
    offset = now.astimezone(ZoneInfo(name)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
