"""Days and times as a person is used to writing them: by language, and by the country that their zone is in."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates
from babel.core import get_global

from helpouts.scheduling.display import is_repeated, offset_name


def conventions(language: str, zone: str) -> Locale:
    """The language with the customs of the zone's country, where CLDR knows them: 12 or 24 hours, order of the date.

    English is "Tuesday, 24 November 2026, 15:30" in Berlin and "Tuesday, November 24, 2026, 9:30 AM" in New York.
    """
    country = get_global("zone_territories").get(zone)
    try:
        return Locale(language, country)
    except (UnknownLocaleError, ValueError):
        return Locale(language)


def day_and_time(instant: datetime, language: str, zone: str) -> str:
    """Date with its weekday, and the time; in an hour that happens twice with the name of its offset, "02:30 CET"."""
    return f"{long_day(instant, language, zone)}, {time_of_day(instant, language, zone)}"


def long_day(instant: datetime, language: str, zone: str) -> str:
    """The date with its weekday and year."""
    return dates.format_date(instant.astimezone(ZoneInfo(zone)).date(), "full", locale=conventions(language, zone))


def time_of_day(instant: datetime, language: str, zone: str) -> str:
    """The time in the manner of the person; in an hour that happens twice with the name of its offset."""
    local = instant.astimezone(ZoneInfo(zone))
    shown = dates.format_time(local, "short", tzinfo=local.tzinfo, locale=conventions(language, zone))
    return f"{shown} {offset_name(local)}" if is_repeated(local) else shown
