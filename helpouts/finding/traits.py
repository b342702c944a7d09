"""What the numbers beside the filters are counted by: a listing's traits in one text, equal for equal listings.

The database counts how many listings share each text; what an option leaves is added up here, over a few hundred texts
instead of all listings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, false

from helpouts.catalog.category import Category
from helpouts.catalog.models import Listing
from helpouts.finding.models import LISTINGS as L

_MARKS = str.maketrans(dict.fromkeys("|,;=", " "))


@dataclass(frozen=True, slots=True)
class Traits:
    """A text taken apart."""

    category: str
    subcategory: str
    price: str
    stars: int
    languages: frozenset[str]
    facets: frozenset[str]


def written(listing: Listing, category: Category) -> str:
    """The traits of a listing; ``stars`` is the mean of its ratings rounded down, 0 without any."""
    stars = listing.rating_sum // listing.rating_count if listing.rating_count else 0
    languages = "".join(f"{_clean(code)}," for code in sorted(listing.languages))
    facets = sorted(
        f"{_clean(field.key)}={_clean(value)}"
        for field in category.listing_fields
        if field.facet
        for value in _values(listing.fields.get(field.key))
    )
    parts = (_clean(listing.category), _clean(listing.subcategory), "free" if listing.pricing == "free" else "paid")
    return "|".join((*parts, str(stars), f",{languages}", ";" + "".join(f"{facet};" for facet in facets)))


@lru_cache(maxsize=20_000)
def read(text: str) -> Traits:
    """A written text in its parts."""
    category, subcategory, price, stars, languages, facets = text.split("|")
    return Traits(
        *(category, subcategory, price, int(stars)),
        languages=frozenset(languages.split(",")) - {""},
        facets=frozenset(facets.split(";")) - {""},
    )


def speaks(code: str) -> ColumnElement[bool]:
    """Whether the listing is given in the language."""
    if not code.isalnum():
        return false()
    spoken: ColumnElement[bool] = L.c.traits.contains(f",{code},", autoescape=True)
    return spoken


def has_facet(key: str, value: str) -> ColumnElement[bool]:
    """Whether the listing has this value of a facet; "yes" for a mark that is set."""
    if value != _clean(value):
        return false()
    given: ColumnElement[bool] = L.c.traits.contains(f";{_clean(key)}={value};", autoescape=True)
    return given


def _values(answer: Any) -> list[str]:
    if answer is True:
        return ["yes"]
    if answer is None or answer is False:
        return []
    values = answer if isinstance(answer, list) else [answer]
    return [str(value) for value in values if not isinstance(value, Mapping)]


def _clean(text: str) -> str:
    return text.translate(_MARKS)
