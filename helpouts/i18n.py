"""Languages and time zones of the people we talk to, the same in every process.

The locale in force is a context variable, set per request, per mail and per room message with
:func:`use_locale`.  Catalogues are plain ``.po`` files, of the core and of every plugin, read at start; adding a
language means adding files.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import structlog
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, Translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

log = structlog.get_logger("helpouts.i18n")
DEFAULT_LOCALE = "en"
#: Locales that the site offers, with their own names.
LANGUAGES: dict[str, str] = {"en": "English", "de": "Deutsch"}

_locale: ContextVar[str] = ContextVar("helpouts_locale", default=DEFAULT_LOCALE)
_zone: ContextVar[str] = ContextVar("helpouts_zone", default="UTC")
_packages: list[str] = ["helpouts"]


def add_catalogues(package: str) -> None:
    """Also look for ``translations/LANG/LC_MESSAGES/messages.po`` in this package (a plugin's, the console's)."""
    if package not in _packages:
        _packages.append(package)
        for kept in (_catalogue, _text, _html):
            kept.cache_clear()


@contextmanager
def use_locale(locale: str, zone: str | None = None) -> Iterator[None]:
    """Speak ``locale`` (and show times in ``zone``, an IANA name) inside the block."""
    locale_token = _locale.set(locale if locale in LANGUAGES else DEFAULT_LOCALE)
    zone_token = _zone.set(zone) if zone else None
    try:
        yield
    finally:
        _locale.reset(locale_token)
        if zone_token is not None:
            _zone.reset(zone_token)


def set_locale(locale: str, zone: str | None = None) -> None:
    """Speak ``locale`` for the rest of this context (a web request)."""
    _locale.set(locale if locale in LANGUAGES else DEFAULT_LOCALE)
    _zone.set(zone or "UTC")


def current_locale() -> str:
    """The locale in force, e.g. "de"."""
    return _locale.get()


def current_zone() -> str:
    """The IANA zone in which times are shown now."""
    return _zone.get()


def gettext(message: str, /, **values: Any) -> str:
    """The message in the locale in force, with ``%(name)s`` filled in."""
    text: str = _catalogue(_locale.get()).ugettext(message)
    return text % values if values else text


@pass_eval_context
def in_template(context: EvalContext, message: str, /, **values: Any) -> str:
    """``_`` of Jinja templates: what Jinja's own does (a page calls it sixty times), without looking for gettext first.

    The message is a format also when there are no values, and in HTML the values are escaped.
    """
    if not values:
        return (_html if context.autoescape else _text)(_locale.get(), message)
    text = gettext(message)
    return (Markup(text) if context.autoescape else text) % values  # noqa: S704  # our own catalogues


@lru_cache(maxsize=8192)
def _text(locale: str, message: str) -> str:
    return str(_catalogue(locale).ugettext(message) % {})


@lru_cache(maxsize=8192)
def _html(locale: str, message: str) -> Markup:
    return Markup(_text(locale, message))  # noqa: S704  # our own catalogues


def ngettext(singular: str, plural_form: str, n: int, /, **values: Any) -> str:
    """The form of the message that fits ``n``; ``%(n)s`` is filled in."""
    return plural(singular, plural_form, n) % {"n": n, "num": n, **values}


def plural(singular: str, plural_form: str, n: int) -> str:
    """The form of the message that fits ``n``, not filled in (for templates, which fill it in themselves)."""
    text: str = _catalogue(_locale.get()).ungettext(singular, plural_form, n)
    return text


def lazy_gettext(message: str, /, **values: Any) -> Any:
    """A text that is translated when it is shown, not when it is written."""
    return LazyProxy(gettext, message, enable_cache=False, **values)


def in_language(names: Mapping[str, str], locale: str | None = None) -> str:
    """The text of a ``{language: text}`` mapping for the locale in force, else English, else any."""
    wanted = locale or _locale.get()
    return names.get(wanted) or names.get(DEFAULT_LOCALE) or next(iter(names.values()), "")


def babel_locale() -> Locale:
    """The locale in force for Babel's formatting functions."""
    return _parsed(_locale.get())


@cache
def _parsed(locale: str) -> Locale:
    return Locale.parse(locale)


@cache
def _catalogue(locale: str) -> Translations:
    merged = Translations()
    for package in _packages:
        try:
            source = files(package).joinpath("translations", locale, "LC_MESSAGES", "messages.po")
            if source.is_file():
                merged.merge(_read(source, locale))
        except Exception:
            if package == "helpouts":
                raise
            log.exception("a plugin's translations cannot be read; its texts stay in English", package=package)
    return merged


def _read(source: Traversable, locale: str) -> Translations:
    compiled = io.BytesIO()
    with source.open("rb") as handle:
        write_mo(compiled, read_po(handle, locale=locale))
    compiled.seek(0)
    return Translations(fp=compiled)
