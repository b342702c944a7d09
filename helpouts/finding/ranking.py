"""The order in which listings are shown, and what operators can turn.  docs/finding.md says why.

What does not depend on the words becomes a *level* from 0 to 255, and the level and the listing's number a *position*:
the whole order as one integer, the best first.  Words add points for the place in which they were found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from helpouts import site

LEVELS = 256
SHIFT = 40
#: What the place of a word counts, as a share of the weight of words; by the index in :data:`words.PLACES`.
PLACE_SHARES = (1.0, 0.65, 0.5, 0.4, 0.3, 0.12)
#: Ratings are drawn towards this many votes of this many stars, so that one happy friend does not win.
PRIOR_VOTES, PRIOR_STARS = 3, 4
#: A new expert's head start is used up by so many sessions, or so many days.
NEW_SESSIONS, NEW_DAYS = 5, 60
#: Sessions that an expert is believed to have kept before any is known.
PRIOR_KEPT = 4
#: (minutes until the next free start at most, what that counts): coarse, so that positions seldom change.
SOON = ((1440, 1.0), (3 * 1440, 0.7), (7 * 1440, 0.4), (30 * 1440, 0.15))
#: The weights of a listing's quality, by the names of their settings.
PARTS = ("rank_rating", "rank_soon", "rank_reliability", "rank_fresh", "rank_new")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the order knows of a listing.

    :param minutes_to_free: until the next free start; None when there is none.
    :param kept: sessions of the expert that took place.
    :param missed: sessions that the expert missed or called off.
    :param age_days: since it went on sale.
    """

    rating_sum: int
    rating_count: int
    minutes_to_free: int | None
    kept: int
    missed: int
    age_days: float


def weighed_rating(rating_sum: int, rating_count: int) -> float:
    """The mean rating in stars, drawn towards the prior."""
    return (rating_sum + PRIOR_VOTES * PRIOR_STARS) / (rating_count + PRIOR_VOTES)


def weights(db: Session) -> dict[str, int]:
    """The operators' weights."""
    return {name: int(site.get(db, name)) for name in ("rank_text", *PARTS)}


def level(facts: Facts, weight: Mapping[str, int]) -> int:
    """Quality from 0 to 255: the mean of the parts, each between 0 and 1, by the weights."""
    soon = 0.0
    if facts.minutes_to_free is not None:
        soon = next((worth for most, worth in SOON if facts.minutes_to_free <= most), 0.05)
    unused = max(0.0, 1 - facts.kept / NEW_SESSIONS) * max(0.0, 1 - facts.age_days / NEW_DAYS)
    parts = {
        "rank_rating": (weighed_rating(facts.rating_sum, facts.rating_count) - 1) / 4,
        "rank_soon": soon,
        "rank_reliability": (facts.kept + PRIOR_KEPT) / (facts.kept + PRIOR_KEPT + 2 * facts.missed),
        "rank_fresh": 1 / (1 + max(0.0, facts.age_days) / 180),
        "rank_new": unused,
    }
    total = sum(weight[name] for name in PARTS)
    if not total:
        return 0
    return round((LEVELS - 1) * sum(weight[name] * worth for name, worth in parts.items()) / total)


def position(level: int, listing_id: int) -> int:
    """The place in the whole order: first by level, the best first, then by number."""
    return (LEVELS - 1 - level) << SHIFT | listing_id


def level_of(position: Any) -> Any:
    """The level of a position: of a number, or of a column."""
    return LEVELS - 1 - position // 2**SHIFT


def end_of_level(level: int) -> int:
    """The first position that is worse than all of the level."""
    return (LEVELS - level) << SHIFT if level < LEVELS else 0


def points(weight: Mapping[str, int]) -> tuple[int, ...]:
    """What words are worth by place, on the scale of levels."""
    total = sum(weight[name] for name in PARTS)
    worth = (LEVELS - 1) * weight["rank_text"] / total if total else LEVELS
    return tuple(round(worth * share) for share in PLACE_SHARES)
