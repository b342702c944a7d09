"""What a search asks and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from helpouts.catalog.cards import ListingCard

PER_PAGE = 24
#: Languages offered as a filter when some hit has them.
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "tr", "uk", "ru", "ar", "fa", "hi", "zh", "ja")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What somebody looks for; unknown values simply find nothing.

    :param price: "", "free" or "paid".
    :param price_min: least that a session may cost, minor units.
    :param price_max: most that a session may cost, minor units.
    :param free_at: only those with whom a session can begin in the quarter of an hour that begins at this instant, or
        next after it (docs/finding.md says exactly what that means).
    :param around_minutes: with ``free_at``: so much earlier or later will do, too.
    :param available_now: only those who take a session this minute.
    :param rating_min: least mean rating in stars, 0 for any.
    :param facets: chosen values of the category's facets, by key; several values of one key widen it.
    :param page: from 1.
    """

    q: str = ""
    category: str = ""
    subcategory: str = ""
    price: str = ""
    price_min: int | None = None
    price_max: int | None = None
    free_at: datetime | None = None
    around_minutes: int = 0
    available_now: bool = False
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
    """One page of hits.  ``nearest`` holds what comes closest when there are none.

    ``suggestion`` is not empty when a word was taken for a slip of the pen: it is what was looked for instead ("Did you
    mean …"); ``items`` are then its hits.  ``relaxed`` names what was let go of to find ``nearest``: names of fields of
    :class:`SearchRequest` ("free_at", "price_max", "q" …), and ``relaxed_label`` says the same in words.
    """

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
    suggestion: str = ""
    relaxed: tuple[str, ...] = ()
    relaxed_label: str = ""
    #: "free" and "paid"
    prices: tuple[FacetOption, ...] = ()
    #: least stars: "4", "3"
    ratings: tuple[FacetOption, ...] = ()
    #: hits that take a session this minute
    available_now: int = 0
