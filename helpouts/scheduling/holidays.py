"""Public holidays by country, from the library of the same name.

A person chooses a country and perhaps a part of it; its public holidays are off then, but for those that the person
works on.  A holiday is known by its name in the country's own language, without a remark in brackets such as
“(observed)”, so that a choice holds for all years.  What the library does not know any more is no holiday: hours are
never lost because of an update.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

import holidays as library
from babel import Locale

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

_REMARK = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday: its date, its name in the language that was asked for, and the names it is known by."""

    day: date
    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """The ordinals (``date.toordinal()``) of the dates that are off, whatever the year: ``ordinal in closed``."""

    country: str
    subdivision: str = ""
    worked: tuple[str, ...] = ()

    def __contains__(self, ordinal: object) -> bool:
        if not isinstance(ordinal, int):
            return False
        return ordinal in _closed_in(self.country, self.subdivision, self.worked, date.fromordinal(ordinal).year)


def between(country: str, subdivision: str, first: date, last: date, language: str = "") -> list[Holiday]:
    """The public holidays from ``first`` to ``last``, both included, in order.

    :param country: ISO 3166 code; "" has no holidays.
    :param subdivision: its part, one of the codes of :func:`subdivisions`, or "".
    :param language: in which the names shall be, such as "en"; else English, else the country's own.
    """
    found = []
    for year in range(first.year, last.year + 1):
        own = _year(country, subdivision, year, "")
        said = _year(country, subdivision, year, _spoken(country, language))
        found += [Holiday(day, said.get(day, name), _keys(name)) for day, name in own.items() if first <= day <= last]
    return found


def coming(country: str, subdivision: str, today: date, language: str = "") -> list[Holiday]:
    """The public holidays of the year that begins today, each once: what a person chooses from."""
    found = between(country, subdivision, today, today + timedelta(days=365), language)
    return list({holiday.keys: holiday for holiday in reversed(found)}.values())[::-1]


def countries(language: str) -> list[tuple[str, str]]:
    """(code, name) of all countries whose holidays are known, by name in that language."""
    names = Locale.parse(language, sep="-").territories
    known = ((code, str(names[code])) for code in _subdivisions() if code in names)
    return sorted(known, key=lambda country: country[1].casefold())


def subdivisions(country: str) -> list[tuple[str, str]]:
    """(code, name) of the parts of a country that have holidays of their own, by name."""
    if country not in _subdivisions():
        return []
    aliases: dict[str, str] = getattr(library, country).subdivisions_aliases
    names: dict[str, str] = {}
    for name, code in aliases.items():
        names.setdefault(code, name)
    return sorted(((code, names.get(code, code)) for code in _subdivisions()[country]), key=lambda part: part[1])


def check(country: str, subdivision: str) -> None:
    """Refuse a place whose holidays are not known.

    :raises HelpoutsError: with the field "holiday_country" or "holiday_subdivision".
    """
    if country and country not in _subdivisions():
        raise HelpoutsError(_l("Choose a country from the list."), field="holiday_country")
    if subdivision and (not country or subdivision not in _subdivisions()[country]):
        raise HelpoutsError(_l("Choose a part of the country from the list."), field="holiday_subdivision")


@lru_cache(maxsize=1)
def _subdivisions() -> dict[str, list[str]]:
    known = library.list_supported_countries(include_aliases=False)
    return {code: list(parts) for code, parts in known.items() if len(code) == 2}


@lru_cache(maxsize=4096)
def _year(country: str, subdivision: str, year: int, language: str) -> MappingProxyType[date, str]:
    """Date and name, in order; several names of one date are parted by semicolons; "" is the country's own language."""
    if country not in _subdivisions() or (subdivision and subdivision not in _subdivisions()[country]):
        return MappingProxyType({})
    # Without any language the library takes that of the process, which differs from machine to machine.
    language = language or getattr(library, country).default_language
    found = library.country_holidays(country, subdivision or None, years=year, language=language)
    return MappingProxyType({day: name for day, name in sorted(found.items()) if day.year == year})


@lru_cache(maxsize=4096)
def _closed_in(country: str, subdivision: str, worked: tuple[str, ...], year: int) -> frozenset[int]:
    days = _year(country, subdivision, year, "")
    return frozenset(day.toordinal() for day, name in days.items() if not _all_in(_keys(name), worked))


def _all_in(keys: Collection[str], worked: Collection[str]) -> bool:
    return all(key in worked for key in keys)


def _keys(name: str) -> tuple[str, ...]:
    return tuple(_REMARK.sub("", part) for part in name.split("; "))


@lru_cache(maxsize=1024)
def _spoken(country: str, language: str) -> str:
    """The library's word for the language, or for English, or "" for the country's own."""
    if country not in _subdivisions():
        return ""
    known: tuple[str, ...] = tuple(getattr(library, country).supported_languages)
    for wanted in (language.replace("-", "_"), language.replace("_", "-").split("-")[0], "en"):
        if wanted in known:
            return wanted
        for tag in known:
            if wanted and tag.split("_")[0] == wanted:
                return tag
    return ""
