"""The collections of the front page and of an expert's page; the search itself is :mod:`helpouts.finding.search`.

Every function takes a number of queries that does not depend on how much there is to find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, func, literal_column, select
from sqlalchemy.orm import Session, contains_eager, lazyload

from helpouts.accounts.models import User
from helpouts.catalog.cards import (
    CategoryTile,
    ListingCard,
    ReviewCard,
    category_tile,
    listing_card,
    listing_path,
    short_name,
)
from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.catalog.naming import language_name
from helpouts.catalog.records import LANGUAGES, Facet, FacetOption, SearchPage, SearchRequest
from helpouts.db.lists import one_of, spread
from helpouts.db.prepared import Prepared
from helpouts.finding.conditions import FACET_PREFIX
from helpouts.finding.models import ListingSearch
from helpouts.finding.search import SORTS, search, soonest
from helpouts.finding.upkeep import catch_up
from helpouts.i18n import in_language
from helpouts.reviews.models import Review
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import next_free

Condition = ColumnElement[bool]
#: Beyond so many listings of a category nobody counts, so that the front page stays as quick on a large site.
MOST_COUNTED = 500

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
    categories = runtime_of(db).registry.categories(db).values()
    return {
        "categories": category_tiles(db),
        "listings": soonest(db, 6),
        "reviews": recent_reviews(db, 3),
        "popular": [in_language(category.subcategories[0].label) for category in categories if category.subcategories],
    }


def listings_of(db: Session, expert: Expert) -> list[ListingCard]:
    """What an expert has on sale."""
    categories = runtime_of(db).registry.categories(db)
    chosen = _select([*_on_sale(categories), Listing.expert_id == expert.id])
    return list(_cards(db, chosen.order_by(Listing.published_at, Listing.id)))


def category_counts(db: Session) -> dict[str, int]:
    """The number of listings on sale in every enabled category, by slug; nobody counts beyond :data:`MOST_COUNTED`."""
    db.flush()
    catch_up(db)
    slugs = list(runtime_of(db).registry.categories(db))
    if not slugs:
        return {}
    found = _counted(len(slugs)).first(db, {"most": MOST_COUNTED + 1, **spread("category", slugs, len(slugs))})
    return dict(zip(slugs, found, strict=True))


@cache
def _counted(categories: int) -> Prepared:
    def number(at: int) -> Any:
        index = ListingSearch.__table__.c
        some = select(index.position).where(index.category == bindparam(f"category_{at}", type_=index.category.type))
        some = some.limit(bindparam("most", type_=BigInteger))
        return select(func.count()).select_from(some.subquery()).scalar_subquery()

    return Prepared(select(*(number(at).label(f"category_{at}") for at in range(categories))))


def category_tiles(db: Session, *, counted: bool = True) -> list[CategoryTile]:
    """The enabled categories, with the numbers of their listings if wanted."""
    counts = category_counts(db) if counted else {}
    return [
        category_tile(category, min(number, MOST_COUNTED), many=number > MOST_COUNTED)
        for slug, category in runtime_of(db).registry.categories(db).items()
        for number in (counts.get(slug, 0),)
    ]


def recent_reviews(db: Session, limit: int = 3, *, least_stars: int = 4) -> list[ReviewCard]:
    """The latest published reviews with a text, of listings on sale."""
    values = {"categories": list(runtime_of(db).registry.categories(db)), "stars": least_stars, "most": limit}
    return [_review_card(row) for row in _RECENT.all(db, values)]


def reviews_of(
    db: Session, *, listing_id: int | None = None, expert_id: int | None = None, limit: int = 20
) -> list[ReviewCard]:
    """The published reviews of a listing or of an expert, latest first."""
    if listing_id is not None:
        rows = _OF_LISTING.all(db, {"listing": listing_id, "most": limit})
    else:
        rows = _OF_EXPERT.all(db, {"expert": expert_id, "most": limit})
    return [_review_card(row) for row in rows]


_review, _listing, _expert = Review.__table__.c, Listing.__table__.c, Expert.__table__.c
_REVIEWS = (
    select(
        *(_review[name] for name in ("stars", "text", "reply", "created_at")),
        User.name.label("author"),
        _listing.title.label("listing"),
        _listing.slug.label("slug"),
        _expert.name.label("expert"),
    )
    .join_from(Review.__table__, User.__table__, User.id == _review.author_id)
    .join(Listing.__table__, _listing.id == _review.listing_id)
    .join(Expert.__table__, _expert.id == _listing.expert_id)
    .order_by(_review.created_at.desc(), _review.id.desc())
    .limit(bindparam("most", type_=BigInteger))
)
_PUBLISHED: ColumnElement[str] = literal_column("'published'")
# The joined text keeps SQLite from walking all reviews by their age to find those of one listing.
_OF_ONE = _REVIEWS.where(_review.state.concat(literal_column("''")) == _PUBLISHED)
_OF_LISTING = Prepared(_OF_ONE.where(_review.listing_id == bindparam("listing")))
_OF_EXPERT = Prepared(_OF_ONE.where(_review.expert_id == bindparam("expert")))
_RECENT = Prepared(
    _REVIEWS.where(
        _review.state == _PUBLISHED,
        _listing.state == literal_column("'live'"),
        _expert.state == literal_column("'active'"),
        one_of(_listing.category, "categories"),
        _review.stars >= bindparam("stars"),
        _review.text != literal_column("''"),
    )
)


def _review_card(row: Any) -> ReviewCard:
    return ReviewCard(
        stars=row.stars,
        text=row.text,
        author_name=short_name(row.author),
        reply=row.reply,
        created_at=row.created_at,
        listing_title=row.listing,
        listing_url=listing_path(row.slug),
        expert_name=row.expert,
    )


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
    return tuple(listing_card(listing, listing.expert, free[listing.id], avatar) for listing, avatar in rows)
