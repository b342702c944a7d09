"""How many listings a search finds, and how many each option beside it would leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, literal_column, select, union_all
from sqlalchemy.orm import Session

from helpouts.catalog.category import Category
from helpouts.catalog.naming import language_name
from helpouts.catalog.records import LANGUAGES, Facet, FacetOption, SearchRequest
from helpouts.finding import conditions, text, traits
from helpouts.finding.conditions import FACET_PREFIX
from helpouts.finding.models import LISTINGS as L
from helpouts.finding.traits import Traits
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language

Test = Callable[[Traits], bool]


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of hits, of those available now, and the groups of options by key."""

    total: int
    available_now: int
    groups: Mapping[str, Facet]


def count(
    db: Session, request: SearchRequest, categories: Mapping[str, Category], groups: text.Groups, now: datetime
) -> Counts:
    """Count everything in one query.

    An option's number leaves out the choice made in its own group: it is what choosing that option would show.
    """
    source, words = text.fitting(db, groups)
    # Without a field the traits alone are read, which an index holds in order; fields that are off are left out below.
    field = [conditions.on_sale(request, categories)] if request.category else []
    where = [*field, *conditions.ranges(request, now).values(), *words]
    everybody = _by_traits(source, where, 0)
    here = _by_traits(source, [*where, conditions.IS_AVAILABLE], 1)
    rows = [
        (traits.read(row[0]), int(row[1]), int(row[2]))
        for row in db.execute(union_all(everybody, here), conditions.at(now))
    ]
    rows = [row for row in rows if row[0].category in categories]
    chosen = _chosen(request, categories)
    found: dict[str, Facet] = {}
    for key, (label, options, picked) in _offered(request, categories).items():
        others = [test for name, test in chosen.items() if name != key]
        left = [(has, number) for has, number, now_only in rows if not now_only and all(test(has) for test in others)]
        counted = tuple(
            FacetOption(value, name, sum(number for has, number in left if test(has)), value in picked)
            for value, name, test in options
        )
        shown = tuple(option for option in counted if option.count or option.selected)
        if shown:
            found[key] = Facet(key, label, shown)
    fits = [(number, now_only) for has, number, now_only in rows if all(test(has) for test in chosen.values())]
    return Counts(
        total=sum(number for number, now_only in fits if not now_only),
        available_now=sum(number for number, now_only in fits if now_only),
        groups=found,
    )


def _by_traits(source: Any, where: Sequence[Any], available: int) -> Any:
    # With conditions, SQLite would still follow the index of the traits, from row to row; the joined text prevents it.
    text = L.c.traits.concat(literal_column("''")) if where else L.c.traits
    counted = select(text, func.count(), literal(available)).select_from(source)
    return counted.where(*where).group_by(text)


def _chosen(request: SearchRequest, categories: Mapping[str, Category]) -> dict[str, Test]:
    """The choices of :func:`conditions.choices`, asked of traits."""
    found: dict[str, Test] = {}
    if request.subcategory:
        found["subcategory"] = lambda has: has.subcategory == request.subcategory
    if request.price:
        found["price"] = lambda has: (has.price == "free") == (request.price == "free")
    if request.rating_min:
        found["rating_min"] = lambda has: has.stars >= request.rating_min
    if request.language:
        found["language"] = lambda has: request.language in has.languages
    for key, values in conditions.facets(request, categories).items():
        wanted = frozenset(f"{key}={value}" for value in values)
        found[FACET_PREFIX + key] = lambda has, wanted=wanted: bool(wanted & has.facets)  # type: ignore[misc]  # a default binds it now
    return found


def _offered(
    request: SearchRequest, categories: Mapping[str, Category]
) -> dict[str, tuple[str, list[tuple[str, str, Test]], Sequence[str]]]:
    """(label, options, chosen values) by group."""
    found: dict[str, tuple[str, list[tuple[str, str, Test]], Sequence[str]]] = {}
    category = categories.get(request.category)
    if category is None:
        fields = [(slug, in_language(c.name), _is("category", slug)) for slug, c in categories.items()]
        found["category"] = (_("Field"), fields, [request.category])
    else:
        topics = [(sub.slug, in_language(sub.label), _is("subcategory", sub.slug)) for sub in category.subcategories]
        found["subcategory"] = (_("Topic"), topics, [request.subcategory])
        for field in category.listing_fields:
            if field.facet:
                values = [(c.value, in_language(c.label)) for c in field.choices] or [("yes", _("Yes"))]
                options = [(value, label, _has(f"{field.key}={value}")) for value, label in values]
                picked = request.facets.get(field.key, ())
                found[FACET_PREFIX + field.key] = (in_language(field.label), options, picked)
    other = [request.language] if request.language and request.language not in LANGUAGES else []
    spoken = [(code, language_name(code), _speaks(code)) for code in (*LANGUAGES, *other)]
    found["language"] = (_("Language"), spoken, [request.language])
    prices = [("free", _("Free"), _is("price", "free")), ("paid", _("For a fee"), _is("price", "paid"))]
    found["price"] = (_("Price"), prices, [request.price])
    stars = [(str(least), _("%(stars)s stars or more", stars=least), _rated(least)) for least in (4, 3)]
    found["rating_min"] = (_("Rating"), stars, [str(request.rating_min)])
    return found


def _is(name: str, value: str) -> Test:
    return lambda has: getattr(has, name) == value


def _has(facet: str) -> Test:
    return lambda has: facet in has.facets


def _speaks(code: str) -> Test:
    return lambda has: code in has.languages


def _rated(least: int) -> Test:
    return lambda has: has.stars >= least
