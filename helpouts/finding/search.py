"""The search: what a page of hits holds.  How it is defined to the letter is in docs/finding.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.catalog.cards import ListingCard
from helpouts.catalog.category import Category
from helpouts.catalog.records import SearchPage, SearchRequest
from helpouts.clock import clock
from helpouts.finding import conditions, counts, hits, spelling, text
from helpouts.finding.conditions import FACET_PREFIX
from helpouts.finding.upkeep import catch_up
from helpouts.i18n import gettext as _
from helpouts.runtime import runtime_of

SORTS = ("relevance", "rating", "next_free", "price")
MOST_PER_PAGE = 100
NEAREST = 6


def search(db: Session, request: SearchRequest) -> SearchPage:
    """Listings on sale in enabled categories that fit the request, from a number of queries that does not grow."""
    db.flush()
    catch_up(db)
    now = clock.now()
    categories = runtime_of(db).registry.categories(db)
    meant = spelling.understand(db, request.q)
    counted = counts.count(db, request, categories, meant.groups, now)
    groups = counted.groups
    options: dict[str, Any] = {
        "facets": tuple(facet for key, facet in groups.items() if key.startswith(FACET_PREFIX)),
        "fields": groups["category"].options if "category" in groups else (),
        "topics": groups["subcategory"].options if "subcategory" in groups else (),
        "languages": groups["language"].options if "language" in groups else (),
        "prices": groups["price"].options if "price" in groups else (),
        "ratings": groups["rating_min"].options if "rating_min" in groups else (),
        "available_now": counted.available_now,
        "suggestion": meant.suggestion,
    }
    if not counted.total:
        nearest, relaxed = _nearest(db, request, categories, meant.groups, now)
        label = _label(relaxed)
        return SearchPage((), 0, page=1, pages=1, nearest=nearest, relaxed=relaxed, relaxed_label=label, **options)
    per_page = max(1, min(request.per_page, MOST_PER_PAGE))
    pages = math.ceil(counted.total / per_page)
    page = max(1, min(request.page, pages))
    chosen = hits.ordered(db, request, categories, meant.groups, now, per_page, (page - 1) * per_page)
    items = hits.cards(db, chosen, request, now)
    return SearchPage(items, counted.total, page=page, pages=pages, **options)


def soonest(db: Session, limit: int) -> tuple[ListingCard, ...]:
    """The best of those who are free within a day, else later, by their next free time."""
    db.flush()
    catch_up(db)
    now, categories = clock.now(), runtime_of(db).registry.categories(db)
    found = hits.soonest(db, categories, now, limit)
    return tuple(sorted((card for card in found if card.next_free_at), key=lambda card: card.next_free_at or now))


def _nearest(
    db: Session, request: SearchRequest, categories: Mapping[str, Category], groups: text.Groups, now: datetime
) -> tuple[tuple[ListingCard, ...], tuple[str, ...]]:
    """What is found when one filter is let go, else all of them, else all but one of the words; and what was let go."""
    ways = list(_ways(request, groups))
    if not ways:
        return (), ()
    found = db.execute(
        select(*(hits.exists(db, way, categories, words, now) for _l, way, words in ways)), conditions.at(now)
    ).one()
    for (relaxed, way, words), hit in zip(ways, found, strict=True):
        if hit is not None:
            chosen = hits.ordered(db, way, categories, words, now, NEAREST)
            return hits.cards(db, chosen, way, now), relaxed
    return (), ()


def _ways(request: SearchRequest, groups: text.Groups) -> Iterator[tuple[tuple[str, ...], SearchRequest, text.Groups]]:
    plain = SearchRequest(q=request.q)
    active = [
        name
        for name in ("available_now", "free_at", "language", "price_max", "price_min", "price", "rating_min")
        if getattr(request, name) != getattr(plain, name)
    ]
    active += [name for name in ("facets", "subcategory", "category") if getattr(request, name)]
    for name in active:
        without = {name: getattr(plain, name)}
        if name == "category":
            without |= {"facets": {}, "subcategory": ""}
        yield (name,), replace(request, page=1, **without), groups
    if len(active) > 1:
        yield tuple(active), plain, groups
    if len(groups) > 1:
        yield (*active, "q"), plain, hits.any_of(groups)


def _label(relaxed: tuple[str, ...]) -> str:
    """What was let go of, in words."""
    if len(relaxed) > 1 or relaxed == ("q",):
        return _("some of the words, without filters") if "q" in relaxed else _("without filters")
    labels = {
        "available_now": _("not available right now"),
        "free_at": _("at other times"),
        "language": _("in other languages"),
        "price_max": _("at other prices"),
        "price_min": _("at other prices"),
        "price": _("at other prices"),
        "rating_min": _("with other ratings"),
        "facets": _("without the details of the field"),
        "subcategory": _("in other topics"),
        "category": _("in other fields"),
    }
    return labels[relaxed[0]] if relaxed else ""
