"""What a search asks for, in words: chips that can be taken away one by one, and the name of a saved search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpouts import formatting
from helpouts.catalog.category import Category
from helpouts.catalog.queries import FACET_PREFIX, language_name
from helpouts.catalog.records import SearchRequest
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing asked for, ``label`` in words; without it the parameters ``drops`` go: (name, value or None: all)."""

    label: str
    drops: tuple[tuple[str, str | None], ...]

    def without(self, args: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """The parameters of the search without this chip, from its first page."""
        gone = dict(self.drops)
        kept = {
            name: [value for value in values if value and not (name in gone and gone[name] in (None, value))]
            for name, values in args.items()
            if name != "page"
        }
        return {name: values for name, values in kept.items() if values}


def chips_of(search: SearchRequest, categories: Mapping[str, Category], currency: str) -> list[Chip]:
    """What narrows this search, words left out, in the visitor's language and zone."""
    found = _field(search, categories.get(search.category))
    if search.available_now:
        found.append(Chip(_("Available now"), (("now", None),)))
    if search.free_at is not None:
        when = formatting.day_time(search.free_at)
        around = formatting.minutes(search.around_minutes) if search.around_minutes else ""
        label = _("Free %(time)s, ± %(around)s", time=when, around=around) if around else _("Free %(time)s", time=when)
        found.append(Chip(label, (("date", None), ("time", None), ("around", None))))
    if search.price:
        found.append(Chip(_("Free") if search.price == "free" else _("For a fee"), (("price", None),)))
    if search.price_min is not None:
        found.append(
            Chip(_("From %(price)s", price=formatting.money(search.price_min, currency)), (("price_min", None),))
        )
    if search.price_max is not None:
        found.append(
            Chip(_("Up to %(price)s", price=formatting.money(search.price_max, currency)), (("price_max", None),))
        )
    if search.rating_min:
        found.append(Chip(_("%(stars)s stars and more", stars=search.rating_min), (("rating_min", None),)))
    if search.language:
        found.append(Chip(language_name(search.language), (("language", None),)))
    return found


def name_of(search: SearchRequest, categories: Mapping[str, Category], currency: str, most: int) -> str:
    """A name for the search, made of what it asks for."""
    said = [_("“%(words)s”", words=search.q)] if search.q else []
    said += [chip.label for chip in chips_of(search, categories, currency)]
    name = " · ".join(said) or _("Everything")
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _field(search: SearchRequest, category: Category | None) -> list[Chip]:
    if category is None:
        return []
    found = [Chip(in_language(category.name), (("category", None), ("sub", None), *_facet_names(search)))]
    topic = category.subcategory(search.subcategory)
    if topic is not None:
        found.append(Chip(in_language(topic.label), (("sub", None),)))
    for field in category.listing_fields:
        labels: dict[str, Any] = {choice.value: in_language(choice.label) for choice in field.choices}
        found += [
            Chip(f"{in_language(field.label)}: {labels.get(value, _('Yes'))}", ((FACET_PREFIX + field.key, value),))
            for value in search.facets.get(field.key, ())
            if field.facet and (value in labels or field.type == "boolean")
        ]
    return found


def _facet_names(search: SearchRequest) -> tuple[tuple[str, None], ...]:
    return tuple((FACET_PREFIX + key, None) for key in search.facets)
