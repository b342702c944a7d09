"""Showing money, times and numbers in the language and zone in force (CLDR, through Babel)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date as _date_type
from datetime import datetime, timedelta
from datetime import time as _time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, numbers

from helpouts.i18n import babel_locale, current_locale, current_zone, gettext, in_language, ngettext


def money(minor: int, currency: str) -> str:
    """Minor units as people write them: "25,00 €"."""
    return _money(current_locale(), minor, currency)


# Babel works on patterns for tens of microseconds each time, and a page of results shows a hundred such texts, over and
# over the same; they depend on nothing but the language and the value.
@lru_cache(maxsize=4096)
def _money(_locale: str, minor: int, currency: str) -> str:
    exponent = numbers.get_currency_precision(currency)
    return numbers.format_currency(Decimal(minor).scaleb(-exponent), currency, locale=babel_locale())


def currency_exponent(currency: str) -> int:
    """Number of decimals of a currency's minor unit (ISO 4217): 2 for EUR, 0 for JPY."""
    return int(numbers.get_currency_precision(currency))


def price(pricing: str, minor: int, currency: str) -> str:
    """The price of a listing or booking in one short text."""
    if pricing == "free":
        return gettext("Free")
    if pricing == "per_minute":
        return gettext("%(price)s/min", price=money(minor, currency))
    return money(minor, currency)


def minutes(count: int) -> str:
    """A length: "30 min", "1 h 30 min"."""
    hours, rest = divmod(count, 60)
    if not hours:
        return gettext("%(count)s min", count=rest)
    if not rest:
        return gettext("%(hours)s h", hours=hours)
    return gettext("%(hours)s h %(count)s min", hours=hours, count=rest)


def duration(seconds: int) -> str:
    """A measured time: "12:05" or "1:02:05"."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _zone(zone: str | None) -> ZoneInfo:
    return ZoneInfo(zone or current_zone())


def day(instant: datetime, zone: str | None = None) -> str:
    """ "Tuesday, 24 November"."""
    return _date_like(current_locale(), "EEEEdMMMM", instant.astimezone(_zone(zone)).date())


def date(instant: datetime, zone: str | None = None) -> str:
    """A date with its year, medium length."""
    return _date(current_locale(), instant.astimezone(_zone(zone)).date())


def time(instant: datetime, zone: str | None = None) -> str:
    """The time of day, short."""
    local = instant.astimezone(_zone(zone))
    return clock_label(local.hour * 60 + local.minute)


def day_time(instant: datetime, zone: str | None = None) -> str:
    """Day and time in one: "Tue, 24 Nov, 15:30"."""
    local = instant.astimezone(_zone(zone))
    on = _date_like(current_locale(), "EEEdMMM", local.date())
    return f"{on}, {clock_label(local.hour * 60 + local.minute)}"


def clock_label(minute: int) -> str:
    """A minute of the day as a short time."""
    return _clock(current_locale(), minute)


@lru_cache(maxsize=1440 * 8)
def _clock(_locale: str, minute: int) -> str:
    return dates.format_time(_time(minute // 60, minute % 60), "short", locale=babel_locale())


@lru_cache(maxsize=4096)
def _date(_locale: str, local: _date_type) -> str:
    return dates.format_date(local, "medium", locale=babel_locale())


@lru_cache(maxsize=4096)
def _date_like(_locale: str, skeleton: str, local: _date_type) -> str:
    return dates.format_skeleton(skeleton, datetime.combine(local, _time()), locale=babel_locale())


def zone_name(instant: datetime, zone: str | None = None) -> str:
    """The zone's name at that instant, for people: "Central European Standard Time"."""
    return dates.get_timezone_name(instant.astimezone(_zone(zone)), locale=babel_locale())


def ago(instant: datetime, now: datetime) -> str:
    """ "3 days ago"."""
    return dates.format_timedelta(instant - now, add_direction=True, locale=babel_locale())


def in_words(delta: timedelta) -> str:
    """A stretch of time in words: "15 minutes"."""
    return dates.format_timedelta(delta, threshold=1.2, locale=babel_locale())


def percent(basis_points: int) -> str:
    """Basis points as a percentage: 2000 is "20%"."""
    return numbers.format_percent(Decimal(basis_points) / 10_000, locale=babel_locale(), decimal_quantization=False)


def size(count: int) -> str:
    """A number of bytes as people read it: "820 B", "34 kB", "1.4 MB"."""
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{numbers.format_decimal(round(count / 1000), locale=babel_locale())} kB"
    return f"{numbers.format_decimal(count / 1_000_000, '0.#', locale=babel_locale())} MB"


def one_decimal(value: float) -> str:
    """Such as "4.7"."""
    return _one_decimal(current_locale(), value)


@lru_cache(maxsize=1024)
def _one_decimal(_locale: str, value: float) -> str:
    return numbers.format_decimal(round(value, 1), "0.0", locale=babel_locale())


def stars_text(stars: int) -> str:
    """For screen readers."""
    return ngettext("%(n)s star", "%(n)s stars", stars)


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "currency_exponent": currency_exponent,
    "price": price,
    "minutes": minutes,
    "duration": duration,
    "day": day,
    "date": date,
    "time": time,
    "day_time": day_time,
    "zone_name": zone_name,
    "percent": percent,
    "size": size,
    "one_decimal": one_decimal,
    "in_language": in_language,
    "stars_text": stars_text,
}
