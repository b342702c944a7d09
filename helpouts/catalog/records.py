"""What a search asks and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from helpouts.catalog.cards import ListingCard

PER_PAGE = 24


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What somebody looks for; unknown values simply find nothing.

    :param price: "", "free" or "paid".
    :param price_max: most that a session may cost, minor units.
    :param rating_min: least mean rating in stars, 0 for any.
    :param facets: chosen values of the category's facets, by key; several values of one key widen it.
    :param page: from 1.
    """

    q: str = ""
    category: str = ""
    subcategory: str = ""
    price: str = ""
    price_max: int | None = None
    language: str = ""
    rating_min: int = 0
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = "relevance"
    page: int = 1
    per_page: int = PER_PAGE


@dataclass(frozen=True, slots=True)
class FacetOption:
    """One value that results can be narrowed to, with the number of hits that it leaves."""

    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A group of options; ``key`` is the name of the form field."""

    key: str
    label: str
    options: tuple[FacetOption, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits.  ``nearest`` holds what comes closest when there are none."""

    items: tuple[ListingCard, ...]
    total: int
    #: what the chosen category adds
    facets: tuple[Facet, ...]
    #: the fields, when none is chosen
    fields: tuple[FacetOption, ...]
    #: the topics of the chosen field
    topics: tuple[FacetOption, ...]
    languages: tuple[FacetOption, ...]
    page: int
    pages: int
    nearest: tuple[ListingCard, ...] = ()
