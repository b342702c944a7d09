"""Formatters of list cells: escaped, translated, in the operator's time zone."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from markupsafe import Markup

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.catalog import pages
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.web.db import current_db, current_runtime
from helpouts_admin import words

Formatter = Callable[[Any, Any, Any, str], Any]


def instant(view: Any, context: Any, record: Any, name: str) -> str | Markup:
    """An instant as date and time in the operator's zone; nothing for None."""
    value = getattr(record, name)
    if value is None:
        return ""
    shown = Markup('<time class="nowrap" datetime="{}">{} <span class="muted">{}</span></time>')
    return shown.format(value.isoformat(), formatting.date(value), formatting.time(value))


def state(view: Any, context: Any, record: Any, name: str) -> Markup:
    """A state as a label."""
    return words.badge(getattr(record, name))


def coded(word: str, code: object) -> Markup:
    """A word for people, and below it the code that is stored; the code alone where there is no word for it."""
    small = Markup('<code class="small">{}</code>').format(code)
    return small if word == str(code) else Markup("{}<br>{}").format(word, small)


def plain(view: Any, context: Any, record: Any, name: str) -> str:
    """A word of ours ("company") translated, without a label's colour."""
    return words.word(getattr(record, name))


def category(view: Any, context: Any, record: Any, name: str) -> str:
    """The name of a category by its stored slug, also when its plugin is gone."""
    return category_name(getattr(record, name))


def category_name(slug: str) -> str:
    """The name of a category in the language in force."""
    return in_language(current_runtime().registry.category(slug).name)


def money(amount: str, currency: str = "currency") -> Formatter:
    """Minor units in attribute ``amount``, of the currency in attribute ``currency``."""

    def show(view: Any, context: Any, record: Any, name: str) -> Markup:
        text = formatting.money(getattr(record, amount), getattr(record, currency))
        return Markup('<span class="number">{}</span>').format(text)

    return show


def percent(view: Any, context: Any, record: Any, name: str) -> str:
    """Basis points."""
    return formatting.percent(getattr(record, name))


def languages(view: Any, context: Any, record: Any, name: str) -> str:
    """Codes of languages by their names."""
    return pages.languages(getattr(record, name) or ())


def yes_no(view: Any, context: Any, record: Any, name: str) -> str:
    """A truth value."""
    return _("Yes") if getattr(record, name) else _("No")


def short(length: int = 90) -> Formatter:
    """The beginning of a long text."""

    def show(view: Any, context: Any, record: Any, name: str) -> str:
        text = str(getattr(record, name) or "")
        return text if len(text) <= length else f"{text[: length - 1]}…"

    return show


def category_options() -> list[tuple[str, str]]:
    """The enabled categories, for a filter."""
    enabled = current_runtime().registry.categories(current_db())
    return [(slug, in_language(category.name)) for slug, category in enabled.items()]


def called(path: str) -> Formatter:
    """The name of what ``path`` ("session.booking.host") leads to: a person's, or a text as it stands."""
    find = attrgetter(path)

    def show(view: Any, context: Any, record: Any, name: str) -> str:
        found = find(record)
        return str(found.name or found.email) if isinstance(found, User) else str(found or "")

    return show


def person(attribute: str) -> Formatter:
    """The name of the user whose id is in ``attribute``; a list loads its people before, so this asks nothing."""

    def show(view: Any, context: Any, record: Any, name: str) -> str:
        user = current_db().get(User, getattr(record, attribute))
        return (user.name or user.email) if user else ""

    return show
