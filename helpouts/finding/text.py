"""Full text: which listings have the words, and where.  One interface, two implementations, chosen by the dialect.

A query is a few groups of stems; a listing fits when it has one stem of each group.  How well it fits is its *tier*:
the index of the first place in :data:`~helpouts.finding.words.PLACES` up to which all groups are found.  Terms carry
their place, so each tier is a boolean expression of terms, and those of one tier come out of the index in the order of
positions: the best can be taken without looking at the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, cast, column, literal, literal_column, select, table, text, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from helpouts.finding import words
from helpouts.finding.models import LISTINGS as L
from helpouts.finding.ranking import level_of

Groups = Sequence[frozenset[str]]
TIERS = range(len(words.PLACES))
#: PostgreSQL: for n hits of a word that h of N listings have, a walk looks at n N / h rows, more as few are free;
#: gathering looks at h.  They cost the same when h squared is this times N.
WALKED = 300
_FTS = table("listing_text", column("rowid"))


def best_of_tiers(db: Session, groups: Groups, where: Sequence[Any], points: Sequence[int], most: int) -> Any:
    """(listing_id, position, score) of the best ``most`` of each tier; score is points of the tier plus the level."""
    is_sqlite = db.get_bind().dialect.name == "sqlite"
    gathered = set() if is_sqlite else _few(db, groups)
    return union_all(
        *(_tier(is_sqlite, groups, tier, where, points[tier], most, gathered=tier in gathered) for tier in TIERS)
    )


def fitting(db: Session, groups: Groups) -> tuple[Any, list[Any]]:
    """(what to select from, conditions) of the index joined with the words; no words, no conditions."""
    if not groups:
        return L, []
    if db.get_bind().dialect.name == "sqlite":
        return _joined(), [_match(_written(groups, None, " AND ", " OR ", " NOT "))]
    return L, [_has(groups, None)]


def _tier(
    is_sqlite: bool, groups: Groups, tier: int, where: Sequence[Any], points: int, most: int, *, gathered: bool
) -> Select[Any]:
    def chosen(source: Any) -> Select[Any]:
        score = literal(points) + level_of(source.position)
        return select(source.listing_id, source.position, score.label("score"))

    if is_sqlite:
        query = chosen(L.c).select_from(_joined())
        query = query.where(_match(_written(groups, tier, " AND ", " OR ", " NOT ")), *where).order_by(_FTS.c.rowid)
    elif gathered:
        # OFFSET 0 keeps the planner from pushing order and limit inside, which would make it walk.
        found = chosen(L.c).where(*where, _has(groups, tier)).offset(literal_column("0")).subquery()
        query = select(literal_column("*")).select_from(found).order_by(literal_column("position"))
    else:
        query = chosen(L.c).where(*where, _has(groups, tier)).order_by(L.c.position)
    # SQLite wants a limited part of a union in brackets.  The star spares SQLAlchemy listing the columns again.
    return select(literal_column("*")).select_from(query.limit(most).subquery())


def _written(groups: Groups, tier: int | None, both: str, either: str, but: str) -> str:
    """The boolean expression in the language of either database, which differ in their operators only."""

    def at(group: frozenset[str], places: Sequence[int]) -> str:
        return "(" + either.join(f'"{words.term(place, stem)}"' for stem in sorted(group) for place in places) + ")"

    last = TIERS[-1] if tier is None else tier
    reached = both.join(at(group, range(last + 1)) for group in groups)
    if tier is None or tier == 0:
        return reached
    here = either.join(at(group, (tier,)) for group in groups)
    before = both.join(at(group, range(tier)) for group in groups)
    if len(groups) == 1:
        return f"{here}{but}({before})" if len(groups[0]) > 1 else here
    return f"(({here}){both}{reached}){but}({before})"


def _match(expression: str) -> Any:
    return literal_column("listing_text").op("MATCH")(expression)


def _joined() -> Any:
    # The plus keeps SQLite from asking the text for each row: it goes from the text to the rows.
    return _FTS.join(L, L.c.position == literal_column("+listing_text.rowid"))


def _has(groups: Groups, tier: int | None) -> Any:
    return L.c.words.op("@@")(cast(_tsquery(groups, tier), TSQUERY))


def _tsquery(groups: Groups, tier: int | None) -> str:
    return _written(groups, tier, " & ", " | ", " & !").replace('"', "'")


def _few(db: Session, groups: Groups) -> set[int]:
    """Tiers of which PostgreSQL's statistics expect so few hits that gathering them is quicker than walking."""
    # The limit keeps each part whole and in its place, where PostgreSQL would work on several at once.
    probe = "(SELECT 1 FROM listing_search WHERE words @@ CAST(:tier{} AS tsquery) LIMIT 1000000000)"
    everything = "(SELECT 1 FROM listing_search LIMIT 1000000000)"
    probes = " UNION ALL ".join([*(probe.format(tier) for tier in TIERS), everything])
    values = {f"tier{tier}": _tsquery(groups, tier) for tier in TIERS}
    plan: Any = db.scalar(text("EXPLAIN (FORMAT JSON) " + probes), values)
    *expected, rows = [part["Plan Rows"] for part in plan[0]["Plan"]["Plans"]]
    return {tier for tier in TIERS if expected[tier] <= math.sqrt(WALKED * rows)}
