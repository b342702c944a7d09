"""Finding: search and browse, and the collections of the front page.

Every function takes a number of queries that does not depend on how much there is to find.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from babel import Locale
from sqlalchemy import Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager, lazyload

from helpouts.accounts.models import User
from helpouts.catalog import filters
from helpouts.catalog.cards import (
    CategoryTile,
    ListingCard,
    ReviewCard,
    category_tile,
    listing_card,
    review_card,
)
from helpouts.catalog.category import Category
from helpouts.catalog.filters import Condition
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.catalog.records import Facet, FacetOption, SearchPage, SearchRequest
from helpouts.i18n import babel_locale, in_language
from helpouts.i18n import gettext as _
from helpouts.reviews.models import Review
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import Offer, next_free

SORTS = ("relevance", "rating", "next_free", "price")
#: Before a category's own key, so that no plugin's facet can be taken for one of the common fields.
FACET_PREFIX = "f_"
#: Sorting by the next free time looks at this many pages of the best-rated hits; the rest follows by rating.
SOONEST_PAGES = 20
#: Languages offered as a filter when some hit has them.
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "tr", "uk", "ru", "ar", "fa", "hi", "zh", "ja")

__all__ = [
    "SORTS",
    "Facet",
    "FacetOption",
    "SearchPage",
    "SearchRequest",
    "category_counts",
    "category_tiles",
    "featured",
    "front_page",
    "language_name",
    "listings_of",
    "recent_reviews",
    "reviews_of",
    "search",
]


def search(db: Session, request: SearchRequest) -> SearchPage:
    """Live listings of active experts in enabled categories that fit the request; at most eight queries."""
    categories = runtime_of(db).registry.categories(db)
    words = filters.words_of(request.q)
    conditions, score = filters.relevance(words, categories)
    base = [*_on_sale(categories), *conditions]
    narrowing = _narrowing(request, categories)
    total, facets = _count(db, request, categories, base, narrowing)
    groups = {facet.key: facet for facet in facets}
    options: dict[str, Any] = {
        "facets": tuple(facet for facet in facets if facet.key.startswith(FACET_PREFIX)),
        "fields": groups["category"].options if "category" in groups else (),
        "topics": groups["subcategory"].options if "subcategory" in groups else (),
        "languages": groups["language"].options if "language" in groups else (),
    }
    per_page = max(1, min(request.per_page, 100))
    pages = max(1, math.ceil(total / per_page))
    page = max(1, min(request.page, pages))
    if not total:
        return SearchPage((), 0, page=1, pages=1, nearest=_nearest(db, words, categories), **options)
    best = (filters.weighed_rating().desc(), Listing.rating_count.desc(), Listing.id)
    order: dict[str, Sequence[Any]] = {
        "relevance": (score.desc(), *best) if words else best,
        "price": (filters.session_price(), *best),
    }
    where = [*base, *narrowing.values()]
    offset = (page - 1) * per_page
    if request.sort == "next_free" and page <= SOONEST_PAGES:
        items = _soonest(db, where, best, offset, per_page)
    else:
        chosen = _select(where).order_by(*order.get(request.sort, best)).limit(per_page).offset(offset)
        items = _cards(db, chosen)
    return SearchPage(items, total, page=page, pages=pages, **options)


def featured(db: Session, limit: int = 6) -> list[ListingCard]:
    """The best-rated listings on sale."""
    categories = runtime_of(db).registry.categories(db)
    best = (filters.weighed_rating().desc(), Listing.rating_count.desc(), Listing.id)
    return list(_cards(db, _select(_on_sale(categories)).order_by(*best).limit(limit)))


def front_page(db: Session) -> dict[str, Any]:
    """What the front page shows: fields with counts, who is free next, recent voices, and what people ask for."""
    free = search(db, SearchRequest(sort="next_free", per_page=6)).items
    categories = runtime_of(db).registry.categories(db).values()
    return {
        "categories": category_tiles(db),
        "listings": [card for card in free if card.next_free_at],
        "reviews": recent_reviews(db, 3),
        "popular": [in_language(category.subcategories[0].label) for category in categories if category.subcategories],
    }


def listings_of(db: Session, expert: Expert) -> list[ListingCard]:
    """What an expert has on sale."""
    categories = runtime_of(db).registry.categories(db)
    chosen = _select([*_on_sale(categories), Listing.expert_id == expert.id])
    return list(_cards(db, chosen.order_by(Listing.published_at, Listing.id)))


def category_counts(db: Session) -> dict[str, int]:
    """The number of listings on sale in every enabled category, by slug."""
    categories = runtime_of(db).registry.categories(db)
    counted = (
        select(Listing.category, func.count())
        .join(Expert, Expert.id == Listing.expert_id)
        .where(*_on_sale(categories))
        .group_by(Listing.category)
    )
    found = {str(row[0]): int(row[1]) for row in db.execute(counted)}
    return {slug: found.get(slug, 0) for slug in categories}


def category_tiles(db: Session, *, counted: bool = True) -> list[CategoryTile]:
    """The enabled categories, with the numbers of their listings if wanted."""
    counts = category_counts(db) if counted else {}
    return [
        category_tile(category, counts.get(slug, 0))
        for slug, category in runtime_of(db).registry.categories(db).items()
    ]


def recent_reviews(db: Session, limit: int = 3, *, least_stars: int = 4) -> list[ReviewCard]:
    """The latest published reviews with a text, of listings on sale."""
    categories = runtime_of(db).registry.categories(db)
    chosen = _reviews([*_on_sale(categories), Review.stars >= least_stars, Review.text != ""], limit)
    return [review_card(review, author, listing) for review, author, listing in db.execute(chosen)]


def reviews_of(
    db: Session, *, listing_id: int | None = None, expert_id: int | None = None, limit: int = 20
) -> list[ReviewCard]:
    """The published reviews of a listing or of an expert, latest first."""
    where = [
        Review.listing_id == listing_id if listing_id is not None else true(),
        Review.expert_id == expert_id if expert_id is not None else true(),
    ]
    return [review_card(review, author, listing) for review, author, listing in db.execute(_reviews(where, limit))]


def language_name(code: str) -> str:
    """The language's name in the visitor's language."""
    name = babel_locale().languages.get(code) or Locale("en").languages.get(code) or code
    return str(name[0].upper() + name[1:])


def _on_sale(categories: Mapping[str, Category]) -> list[Condition]:
    return [Listing.state == "live", Expert.state == "active", Listing.category.in_(list(categories))]


def _narrowing(request: SearchRequest, categories: Mapping[str, Category]) -> dict[str, Condition]:
    found: dict[str, Condition] = {}
    if request.category:
        found["category"] = Listing.category == request.category
    if request.subcategory:
        found["subcategory"] = Listing.subcategory == request.subcategory
    if request.price:
        found["price"] = Listing.pricing == "free" if request.price == "free" else Listing.pricing != "free"
    if request.price_max is not None:
        found["price_max"] = filters.session_price() <= request.price_max
    if request.language:
        found["language"] = filters.in_list(Listing.languages, request.language)
    if request.rating_min:
        found["rating"] = and_(
            Listing.rating_count > 0, Listing.rating_sum >= request.rating_min * Listing.rating_count
        )
    category = categories.get(request.category)
    for declared in category.listing_fields if category else ():
        values = request.facets.get(declared.key)
        if declared.facet and values:
            found[FACET_PREFIX + declared.key] = or_(*(_has(declared.key, value, declared.type) for value in values))
    return found


def _has(key: str, value: str, kind: str) -> Condition:
    column = Listing.fields[key]
    return filters.is_true(column) if kind == "boolean" else filters.in_list(column, value)


def _count(
    db: Session,
    request: SearchRequest,
    categories: Mapping[str, Category],
    base: list[Condition],
    narrowing: Mapping[str, Condition],
) -> tuple[int, tuple[Facet, ...]]:
    """The number of hits and of those behind every option, in one query.

    An option's number leaves out the choice made in its own group: it is what choosing that option would show.
    """
    groups: list[tuple[str, str, list[tuple[str, str, Condition]], Sequence[str]]] = []
    category = categories.get(request.category)
    if category is None:
        options = [(slug, in_language(c.name), Listing.category == slug) for slug, c in categories.items()]
        groups.append(("category", _("Field"), options, [request.category]))
    else:
        below = [(sub.slug, in_language(sub.label), Listing.subcategory == sub.slug) for sub in category.subcategories]
        groups.append(("subcategory", _("Topic"), below, [request.subcategory]))
        for declared in category.listing_fields:
            if declared.facet:
                choices = [(c.value, in_language(c.label)) for c in declared.choices] or [("yes", _("Yes"))]
                values = [(v, label, _has(declared.key, v, declared.type)) for v, label in choices]
                groups.append(
                    (
                        FACET_PREFIX + declared.key,
                        in_language(declared.label),
                        values,
                        request.facets.get(declared.key, ()),
                    )
                )
    codes = [*LANGUAGES, *([request.language] if request.language and request.language not in LANGUAGES else [])]
    spoken = [(code, language_name(code), filters.in_list(Listing.languages, code)) for code in codes]
    groups.append(("language", _("Language"), spoken, [request.language]))
    columns = [filters.count_if(and_(true(), *narrowing.values()))]
    for key, _label, group, _chosen in groups:
        others = [condition for name, condition in narrowing.items() if name != key]
        columns += [filters.count_if(and_(condition, *others)) for _v, _l, condition in group]
    numbers = iter(
        db.execute(
            select(*columns).select_from(Listing).join(Expert, Expert.id == Listing.expert_id).where(*base)
        ).one()
    )
    total = int(next(numbers))
    facets = []
    for key, label, group, chosen in groups:
        counted = [FacetOption(v, text, int(next(numbers)), v in chosen) for v, text, _c in group]
        shown = tuple(option for option in counted if option.count or option.selected)
        if shown:
            facets.append(Facet(key, label, shown))
    return total, tuple(facets)


def _select(where: Sequence[Condition]) -> Select[Listing, str]:
    """Listings with their experts and the owner's picture, and nothing else that would be loaded along."""
    return (
        select(Listing, func.coalesce(User.avatar, ""))
        .join(Expert, Expert.id == Listing.expert_id)
        .outerjoin(ExpertMember, and_(ExpertMember.expert_id == Expert.id, ExpertMember.role == "owner"))
        .outerjoin(User, User.id == ExpertMember.user_id)
        .options(
            contains_eager(Listing.expert).options(lazyload(Expert.members), lazyload(Expert.categories)),
        )
        .where(*where)
    )


def _cards(
    db: Session, chosen: Select[Listing, str], known: Mapping[int, datetime | None] | None = None
) -> tuple[ListingCard, ...]:
    rows = db.execute(chosen).all()
    free = next_free(db, [listing for listing, _avatar in rows]) if known is None else known
    return tuple(listing_card(listing, free[listing.id], avatar) for listing, avatar in rows)


def _soonest(
    db: Session, where: Sequence[Condition], best: Sequence[Any], offset: int, per_page: int
) -> tuple[ListingCard, ...]:
    chosen = (
        select(Listing.id, Listing.expert_id, Listing.length_minutes)
        .join(Expert, Expert.id == Listing.expert_id)
        .where(*where)
        .order_by(*best)
        .limit(per_page * SOONEST_PAGES)
    )
    offers = [Offer(*row) for row in db.execute(chosen)]
    free = next_free(db, offers)
    ranked = sorted(offers, key=lambda offer: at.timestamp() if (at := free[offer.id]) else math.inf)
    wanted = [offer.id for offer in ranked[offset : offset + per_page]]
    cards = {card.id: card for card in _cards(db, _select([Listing.id.in_(wanted)]), free)}
    return tuple(cards[listing_id] for listing_id in wanted)


def _nearest(
    db: Session, words: list[str], categories: Mapping[str, Category], limit: int = 6
) -> tuple[ListingCard, ...]:
    """Listings that have some of the words, or their beginnings; filters and all but on-sale are let go."""
    stems = filters.stems_of(words)
    conditions, score = filters.relevance(stems, categories)
    any_of = or_(*conditions) if conditions else true()
    best = (filters.weighed_rating().desc(), Listing.id)
    return _cards(db, _select([*_on_sale(categories), any_of]).order_by(score.desc(), *best).limit(limit))


def _reviews(where: Sequence[Condition], limit: int) -> Select[Review, User, Listing]:
    return (
        select(Review, User, Listing)
        .join(User, User.id == Review.author_id)
        .join(Listing, Listing.id == Review.listing_id)
        .join(Expert, Expert.id == Listing.expert_id)
        .options(
            contains_eager(Review.author).options(lazyload(User.roles)),
            lazyload(User.roles),
            contains_eager(Listing.expert).options(lazyload(Expert.members), lazyload(Expert.categories)),
        )
        .where(Review.state == "published", *where)
        .order_by(Review.created_at.desc(), Review.id.desc())
        .limit(limit)
    )
