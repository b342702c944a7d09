"""The collections of the front page and of an expert's page; the search itself is :mod:`helpouts.finding.search`.

Every function takes a number of queries that does not depend on how much there is to find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.orm import Session, contains_eager, lazyload

from helpouts.accounts.models import User
from helpouts.catalog.cards import (
    CategoryTile,
    ListingCard,
    ReviewCard,
    category_tile,
    listing_card,
    review_card,
)
from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.catalog.naming import language_name
from helpouts.catalog.records import LANGUAGES, Facet, FacetOption, SearchPage, SearchRequest
from helpouts.finding.conditions import FACET_PREFIX
from helpouts.finding.models import ListingSearch
from helpouts.finding.search import SORTS, first, search
from helpouts.finding.upkeep import catch_up
from helpouts.i18n import in_language
from helpouts.reviews.models import Review
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import next_free

Condition = ColumnElement[bool]

__all__ = [
    "FACET_PREFIX",
    "LANGUAGES",
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


def featured(db: Session, limit: int = 6) -> list[ListingCard]:
    """The best-rated listings on sale."""
    return list(search(db, SearchRequest(sort="rating", per_page=limit)).items)


def front_page(db: Session) -> dict[str, Any]:
    """What the front page shows: fields with counts, who is free next, recent voices, and what people ask for."""
    free = first(db, SearchRequest(sort="next_free", per_page=6))
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
    db.flush()
    catch_up(db)
    counted = select(ListingSearch.category, func.count()).group_by(ListingSearch.category)
    found = {str(row[0]): int(row[1]) for row in db.execute(counted)}
    return {slug: found.get(slug, 0) for slug in runtime_of(db).registry.categories(db)}


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


def _on_sale(categories: Mapping[str, Category]) -> list[Condition]:
    return [Listing.state == "live", Expert.state == "active", Listing.category.in_(list(categories))]


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


def _cards(db: Session, chosen: Select[Listing, str]) -> tuple[ListingCard, ...]:
    rows = db.execute(chosen).all()
    free = next_free(db, [listing for listing, _avatar in rows])
    return tuple(listing_card(listing, free[listing.id], avatar) for listing, avatar in rows)


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
