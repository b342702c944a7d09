"""Full text: which listings have the words, and where.  One interface, two implementations, chosen by the dialect.

A query is a few groups of stems; a listing fits when it has one stem of each group.  How well it fits is its *tier*:
the index of the first place in :data:`~helpouts.finding.words.PLACES` up to which all groups are found.  Terms carry
their place, so each tier is a boolean expression of terms, and those of one tier come out of the index in the order of
positions: the best can be taken without looking at the rest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, cast, column, literal, literal_column, select, table, text, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session
from sqlalchemy.sql.util import ClauseAdapter

from helpouts.finding import words
from helpouts.finding.models import LISTINGS as L
from helpouts.finding.ranking import end_of_level, level_of

Groups = Sequence[frozenset[str]]
TIERS = range(len(words.PLACES))
#: PostgreSQL: for n hits of a word that h of N listings have, a walk looks at n N / h rows, twice as many when half of
#: them are free; gathering looks at h.  A walk is tried when h squared is more than
#: this times n N, and given up after h rows.
WALKED = 4
#: Hits, in multiples of what is wanted, that cost more to gather than another statement.
MANY = 20
_FTS = table("listing_text", column("rowid"))


def best_of_tiers(groups: Groups, where: Sequence[Any], points: Sequence[int], most: int) -> Any:
    """SQLite: (listing_id, position, score) of the best ``most`` of each tier; score is its points plus the level."""
    return union_all(*(_tier(groups, tier, where, points[tier], most) for tier in TIERS))


def best(
    db: Session,
    groups: Groups,
    where: Sequence[Any],
    points: Sequence[int],
    most: int,
    values: Mapping[str, Any],
) -> list[int]:
    """PostgreSQL: ids of the best ``most`` listings, in their order, from a few looks into the index, mostly one.

    Once the best tiers have given so many, a listing of a worse one has to have a level that makes up for its words;
    its position says whether it has, and mostly none can.

    :param values: the parameters of the conditions in ``where``.
    """
    expected, rows = _expected(db, groups)
    few = math.sqrt(WALKED * most * rows)
    found: dict[int, tuple[int, int]] = {}

    def look(tiers: Iterable[int], patience: Mapping[int, int]) -> Counter[int]:
        least = -sorted(found.values())[most - 1][0] if len(found) >= most else 0
        parts = [
            _part(groups, tier, where, most, patience.get(tier), end_of_level(least - points[tier]))
            for tier in tiers
            if points[tier] + level_of(0) >= least
        ]
        hits = db.execute(union_all(*parts), values).all() if parts else ()
        for tier, position, number in hits:
            found[number] = min((-points[tier] - level_of(position), position), found.get(number, (0, 0)))
        return Counter(tier for tier, _position, _number in hits)

    for tiers in _looks(expected, most):
        patience = {tier: expected[tier] for tier in tiers if expected[tier] > few}
        counted = look(tiers, patience)
        look([tier for tier, walked in patience.items() if counted[tier] < most and walked < rows], {})
    return sorted(found, key=lambda number: found[number])[:most]


def _looks(expected: Sequence[int], most: int) -> list[range]:
    """The best tiers that may suffice; then the others, the last of them for itself if they are many."""
    enough = next((n for n in TIERS if sum(expected[:n]) >= most), len(TIERS))
    alone = len(TIERS) - 1 if sum(expected[enough:]) > MANY * most else len(TIERS)
    return [tiers for tiers in (TIERS[:enough], TIERS[enough:alone], TIERS[max(enough, alone) :]) if tiers]


def _part(groups: Groups, tier: int, where: Sequence[Any], most: int, patience: int | None, end: int) -> Any:
    """(tier, position, listing_id) of the best ``most`` before the end: gathered, or from a walk over so many rows."""
    part = select(literal(tier), L.c.position, L.c.listing_id).where(*where, _has(groups, tier)).limit(most)
    if patience is None:
        # As an expression no index has it: a plan made for any end would read that index to a third, or walk.
        position = L.c.position + literal_column("0")
        return part.where(position < end).order_by(position)
    walked = select(L).where(L.c.position < end).order_by(L.c.position).limit(patience).subquery()
    return ClauseAdapter(walked).traverse(part.order_by(L.c.position))


def fitting(db: Session, groups: Groups) -> tuple[Any, list[Any]]:
    """(what to select from, conditions) of the index joined with the words; no words, no conditions."""
    if not groups:
        return L, []
    if db.get_bind().dialect.name == "sqlite":
        return _joined(), [_match(_written(groups, None, " AND ", " OR ", " NOT "))]
    return L, [_has(groups, None)]


def _tier(groups: Groups, tier: int, where: Sequence[Any], points: int, most: int) -> Select[Any]:
    score = literal(points) + level_of(L.c.position)
    query = select(L.c.listing_id, L.c.position, score.label("score")).select_from(_joined())
    query = query.where(_match(_written(groups, tier, " AND ", " OR ", " NOT ")), *where).order_by(_FTS.c.rowid)
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


def _expected(db: Session, groups: Groups) -> tuple[list[int], int]:
    """How many hits PostgreSQL's statistics expect of each tier, and how many rows there are."""
    # The limit keeps each part whole and in its place, where PostgreSQL would work on several at once.
    probe = "(SELECT 1 FROM listing_search WHERE words @@ CAST(:tier{} AS tsquery) LIMIT 1000000000)"
    everything = "(SELECT 1 FROM listing_search LIMIT 1000000000)"
    probes = " UNION ALL ".join([*(probe.format(tier) for tier in TIERS), everything])
    values = {f"tier{tier}": _tsquery(groups, tier) for tier in TIERS}
    plan: Any = db.scalar(text("EXPLAIN (FORMAT JSON) " + probes), values)
    *expected, rows = [part["Plan Rows"] for part in plan[0]["Plan"]["Plans"]]
    # Words are taken to be independent of each other, which they are not: there are more with all of them.
    return [len(groups) * number for number in expected], rows
