"""A listing in words, and what an edit of it changes, word by word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from markupsafe import Markup, escape

from helpouts import formatting
from helpouts.catalog.category import Category, CategoryField
from helpouts.catalog.pages import languages
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts_admin import words

_WORDS = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an edit that waits; what goes and what comes is marked."""

    label: str
    before: Markup
    after: Markup


def answer(field: CategoryField, value: Any) -> str:
    """An answer to a category's question, in words."""
    labels = {choice.value: in_language(choice.label) for choice in field.choices}
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(labels.get(str(item), str(item)) for item in value)
    return labels.get(str(value), "" if value is None else str(value))


def answers(category: Category, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The category's own fields as (label, answer); what is stored but not declared any more comes last."""
    declared = {field.key: field for field in category.listing_fields}
    known = [(in_language(field.label), answer(field, values[key])) for key, field in declared.items() if key in values]
    return known + [(key, str(value)) for key, value in values.items() if key not in declared]


def in_words(category: Category, listing: Any) -> dict[str, tuple[str, str]]:
    """What a listing says, by field: (label, text)."""
    sub = category.subcategory(listing.subcategory)
    return {
        "title": (_("Title"), listing.title),
        "subcategory": (_("Special field"), in_language(sub.label) if sub else listing.subcategory),
        "summary": (_("Summary"), listing.summary),
        "description": (_("Description"), listing.description),
        "requirements": (_("What the customer needs"), listing.requirements),
        "price": (_("Price"), formatting.price(listing.pricing, listing.price_minor, listing.currency)),
        "length": (_("Length"), formatting.minutes(listing.length_minutes)),
        "languages": (_("Languages"), languages(listing.languages)),
        "policy": (_("Cancellation"), words.word(listing.cancellation_policy)),
        **{f"field:{label}": (label, text) for label, text in answers(category, listing.fields)},
    }


def differences(category: Category, now: Any, then: Any) -> list[Difference]:
    """What an edit changes, field by field."""
    old, new = in_words(category, now), in_words(category, then)
    keys = [*old, *(key for key in new if key not in old)]
    pairs = [(key, old.get(key, ("", ""))[1], new.get(key, ("", ""))[1]) for key in keys]
    return [
        Difference((old.get(key) or new[key])[0], *marked(before, after))
        for key, before, after in pairs
        if before != after
    ]


def marked(before: str, after: str) -> tuple[Markup, Markup]:
    """Both texts, escaped, with ``<del>`` around the words that go and ``<ins>`` around those that come."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    left, right = Markup(), Markup()
    for change, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, came = escape("".join(old[a:b])), escape("".join(new[c:d]))
        left += gone if change == "equal" or not gone else Markup("<del>{}</del>").format(gone)
        right += came if change == "equal" or not came else Markup("<ins>{}</ins>").format(came)
    return left, right
