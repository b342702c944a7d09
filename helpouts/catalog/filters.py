"""The SQL behind a search: what a listing must fulfil to be shown, and how well it fits the words.

Portable between SQLite and PostgreSQL: words are found with LIKE, lists in JSON columns through their text, in which
every value stands between quotation marks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, String, and_, case, cast, false, func, literal, or_

from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, Listing

MOST_WORDS = 8
#: What a hit of a word counts, by place.
WEIGHTS = {"title": 8, "subcategory": 5, "expert": 4, "category": 3, "summary": 3, "description": 1}
#: Ratings are drawn towards this many votes of this many stars, so that one happy friend does not win.
PRIOR_VOTES, PRIOR_STARS = 3, 4

Condition = ColumnElement[bool]


def words_of(text: str) -> list[str]:
    """The words that are looked for: distinct, lower case, at most :data:`MOST_WORDS`."""
    words = [word.strip(".,;:!?\"'()[]{}<>„“”‚‘’«»") for word in text[:200].lower().replace("\x00", " ").split()]
    return list(dict.fromkeys(word for word in words if word))[:MOST_WORDS]


def stems_of(words: list[str]) -> list[str]:
    """Words without their endings, for the nearest matches when nothing fits exactly; short words are left out."""
    return list(dict.fromkeys(word[: max(5, len(word) - 2)] for word in words if len(word) >= 4))


def contains(column: Any, word: str) -> Condition:
    """Whether the column contains the word, whatever the case.

    SQLite folds only ASCII letters, so words with others are also looked for capitalised and in capitals.
    """
    forms = {word} if word.isascii() else {word, word.capitalize(), word.upper()}
    return or_(*(column.icontains(form, autoescape=True) for form in sorted(forms)))


def places(word: str, categories: Mapping[str, Category]) -> dict[str, Condition]:
    """Where the word is found, by the names of :data:`WEIGHTS`."""
    named = [slug for slug, category in categories.items() if _in_names(word, category.name)]
    below = [
        and_(Listing.category == slug, Listing.subcategory == sub.slug)
        for slug, category in categories.items()
        for sub in category.subcategories
        if _in_names(word, sub.label)
    ]
    return {
        "title": contains(Listing.title, word),
        "subcategory": or_(false(), *below),
        "expert": or_(contains(Expert.name, word), contains(Expert.headline, word)),
        "category": Listing.category.in_(named),
        "summary": contains(Listing.summary, word),
        "description": contains(Listing.description, word),
    }


def relevance(words: list[str], categories: Mapping[str, Category]) -> tuple[list[Condition], ColumnElement[int]]:
    """For each word the condition that it is found anywhere, and how well all of them fit together."""
    conditions: list[Condition] = []
    score: ColumnElement[int] = literal(0)
    for word in words:
        found = places(word, categories)
        conditions.append(or_(*found.values()))
        for place, condition in found.items():
            score = score + case((condition, WEIGHTS[place]), else_=0)
    return conditions, score


def in_list(column: Any, value: str) -> Condition:
    """Whether a JSON list, or a single JSON text, holds the value."""
    return cast(column, String).contains(f'"{value}"', autoescape=True)


def is_true(column: Any) -> Condition:
    """Whether a JSON value is true."""
    return cast(column, String).in_(("true", "1"))


def weighed_rating() -> ColumnElement[Any]:
    """The mean rating, drawn towards the prior."""
    total = cast(Listing.rating_sum, Float) + PRIOR_VOTES * PRIOR_STARS
    return total / (Listing.rating_count + PRIOR_VOTES)


def session_price() -> ColumnElement[int]:
    """The most that a session can cost, in minor units."""
    return case(
        (Listing.pricing == "per_minute", Listing.price_minor * Listing.length_minutes), else_=Listing.price_minor
    )


def count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """The number of rows that fulfil a condition, as a column of an aggregate query."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _in_names(word: str, names: Mapping[str, str]) -> bool:
    return len(word) >= 3 and any(word in name.lower() for name in names.values())
