"""What pages show of listings and experts: frozen records, filled from a constant number of queries.

Texts in the visitor's language (prices, times) are properties, made when they are shown.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row

from helpouts import formatting
from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language


def listing_path(slug: str) -> str:
    """The address of a listing's page."""
    return f"/l/{slug}"


def expert_path(slug: str) -> str:
    """The address of an expert's page."""
    return f"/e/{slug}"


def picture(svg: str) -> str:
    """An avatar as an address that an ``<img>`` takes; "" when there is none."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" if svg else ""


def picture_path(slug: str, svg: str) -> str:
    """The address of an expert's picture, with a digest of it, so that browsers may keep it; "" without a picture."""
    return f"/e/{slug}/picture.svg?v={zlib.crc32(svg.encode()):08x}" if svg else ""


def mean(total: int, count: int) -> float | None:
    """The mean of ``count`` stars that add up to ``total``, to one decimal; None without any."""
    return round(total / count, 1) if count else None


@dataclass(frozen=True, slots=True)
class Credential:
    """Something that was checked, and when."""

    label: str
    checked_label: str


class ExpertValues(NamedTuple):
    """What the card of an expert is made from; the model's object has the same names."""

    name: str
    slug: str
    headline: str
    languages: Sequence[str]
    kind: str
    rating_sum: int
    rating_count: int


@dataclass(frozen=True, slots=True)
class ExpertCard:
    """An expert as cards and pages show them."""

    name: str
    slug: str
    headline: str
    languages: tuple[str, ...]
    is_company: bool
    rating: float | None
    review_count: int
    avatar_url: str = ""
    verified_badges: tuple[Credential, ...] = ()

    @property
    def url(self) -> str:
        """The address of the expert's page."""
        return expert_path(self.slug)


@dataclass(frozen=True, slots=True)
class ListingCard:
    """A listing as cards show it.  ``price_minor`` is minor units of ``currency``."""

    id: int
    title: str
    slug: str
    summary: str
    category: str
    expert: ExpertCard
    pricing: str
    price_minor: int
    currency: str
    length_minutes: int
    rating: float | None
    review_count: int
    next_free_at: datetime | None
    available_now: bool = False
    #: where somebody free around an instant was looked for: the start nearest to it
    free_at: datetime | None = None

    @property
    def url(self) -> str:
        """The address of the listing's page."""
        return listing_path(self.slug)

    @property
    def is_free(self) -> bool:
        """Whether the session costs nothing."""
        return self.pricing == "free"

    @property
    def price_label(self) -> str:
        """The price in the visitor's language."""
        return formatting.price(self.pricing, self.price_minor, self.currency)

    @property
    def length_label(self) -> str:
        """How long a session takes, at most when it is paid by the minute."""
        length = formatting.minutes(self.length_minutes)
        return _("up to %(length)s", length=length) if self.pricing == "per_minute" else length

    @property
    def next_free_label(self) -> str:
        """The next bookable start in the visitor's zone, "" when there is none."""
        return soon(self.next_free_at) if self.next_free_at else ""


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """A published review."""

    stars: int
    text: str
    author_name: str
    reply: str
    created_at: datetime
    listing_title: str = ""
    listing_url: str = ""
    expert_name: str = ""

    @property
    def created_label(self) -> str:
        """How long ago it was written."""
        return formatting.ago(self.created_at, clock.now())


@dataclass(frozen=True, slots=True)
class CategoryTile:
    """An enabled category with the number of its live listings; ``many`` says that there are more than that."""

    slug: str
    name: str
    tagline: str
    icon: str
    listing_count: int = 0
    many: bool = False


def soon(instant: datetime) -> str:
    """A start in the visitor's zone: "today, 15:30" or "Tue, 24 Nov, 15:30"."""
    now = clock.now()
    if formatting.date(instant) == formatting.date(now):
        return _("today, %(time)s", time=formatting.time(instant))
    return formatting.day_time(instant)


def expert_card(expert: Expert | ExpertValues, avatar: str = "", verified: tuple[Credential, ...] = ()) -> ExpertCard:
    """The card of an expert; ``avatar`` is the SVG of its owner."""
    return ExpertCard(
        name=expert.name,
        slug=expert.slug,
        headline=expert.headline,
        languages=tuple(expert.languages),
        is_company=expert.kind == "company",
        rating=mean(expert.rating_sum, expert.rating_count),
        review_count=expert.rating_count,
        avatar_url=picture_path(expert.slug, avatar),
        verified_badges=verified,
    )


def listing_card(
    listing: Listing | Row[Any],
    expert: Expert | ExpertValues,
    next_free_at: datetime | None,
    avatar: str = "",
    *,
    available_now: bool = False,
    free_at: datetime | None = None,
) -> ListingCard:
    """The card of a listing, or of a row with its columns, of that expert."""
    return ListingCard(
        id=listing.id,
        title=listing.title,
        slug=listing.slug,
        summary=listing.summary,
        category=listing.category,
        expert=expert_card(expert, avatar),
        pricing=listing.pricing,
        price_minor=listing.price_minor,
        currency=listing.currency,
        length_minutes=listing.length_minutes,
        rating=mean(listing.rating_sum, listing.rating_count),
        review_count=listing.rating_count,
        next_free_at=next_free_at,
        available_now=available_now,
        free_at=free_at,
    )


def short_name(name: str) -> str:
    """A customer's name as strangers see it: "Maria K."."""
    first, _space, rest = name.strip().partition(" ")
    return f"{first} {rest.split()[-1][0].upper()}." if rest.split() else first or _("A customer")


def category_tile(category: Category, count: int = 0, *, many: bool = False) -> CategoryTile:
    """The tile of a category in the visitor's language."""
    name, tagline = in_language(category.name), in_language(category.tagline)
    return CategoryTile(category.slug, name, tagline, category.icon, count, many)
