"""What somebody may have meant: beginnings of words, parts of compounds, and slips of the pen.

All words of all listings are known (:class:`~helpouts.finding.models.SearchWord`), which is a small table however many
listings there are.  So what was typed becomes a handful of stems before the index is asked, alike on both databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from helpouts.finding import words
from helpouts.finding.models import SearchGram, SearchWord

#: Shortest beginning of a word, and shortest part of a compound, that is looked for.
SHORTEST_PREFIX, SHORTEST_PART = 3, 4
#: Words that one beginning, or one end of compounds, stands for.
MOST_ALIKE = 12
#: Words of similar letters that are compared.
MOST_CANDIDATES = 40
_LAST = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Meant:
    """A query understood: of each group of stems a listing must have one.

    :param suggestion: the query with slips mended, "" when there were none.
    """

    groups: tuple[frozenset[str], ...]
    suggestion: str = ""


def understand(db: Session, query: str) -> Meant:
    """What the query looks for; one query to the database, a second if a word is unknown."""
    typed = words.asked(query)
    if not typed:
        return Meant(())
    last_is_whole = query.endswith((" ", "\t", "\n"))
    groups = [set(words.stems(word)) for word in typed]
    prefix = words.fold(typed[-1]) if not last_is_whole and len(typed[-1]) >= SHORTEST_PREFIX else ""
    known: set[str] = set()
    for kind, at, word in db.execute(_look_up(typed, groups, prefix)):
        if kind == "same":
            known.add(word)
        else:
            groups[at] |= set(words.stems(word))
            known.add(words.fold(typed[at]))
    unknown = [at for at, word in enumerate(typed) if not known & {words.fold(word), *words.stems(word)}]
    if not unknown:
        return Meant(tuple(map(frozenset, groups)))
    return _mended(db, typed, groups, unknown)


def _look_up(typed: Sequence[str], groups: Sequence[Iterable[str]], prefix: str) -> Any:
    names = {words.fold(word) for word in typed} | {stem for group in groups for stem in group}
    parts: list[Any] = [_rows("same", 0, SearchWord.word.in_(sorted(names)), None)]
    if prefix:
        begins = (SearchWord.word >= prefix) & (SearchWord.word < prefix + _LAST)
        parts.append(_rows("begins", len(typed) - 1, begins, MOST_ALIKE))
    for at, word in enumerate(typed):
        ending = words.fold(word)[::-1]
        if len(ending) >= SHORTEST_PART:
            ends = (SearchWord.backwards > ending) & (SearchWord.backwards < ending + _LAST)
            parts.append(_rows("ends", at, ends, MOST_ALIKE))
    return union_all(*parts)


def _rows(kind: str, at: int, condition: Any, most: int | None) -> Any:
    chosen = select(literal(kind).label("kind"), literal(at).label("at"), SearchWord.word.label("word"))
    if most is None:
        return chosen.where(condition)
    nearest = chosen.where(condition, SearchWord.shown != "").order_by(func.length(SearchWord.word), SearchWord.word)
    inner = nearest.limit(most).subquery()
    return select(inner.c.kind, inner.c.at, inner.c.word)


def _mended(db: Session, typed: list[str], groups: list[set[str]], unknown: list[int]) -> Meant:
    """Unknown words as two known ones, or as the known one that is nearest."""
    splits = {at: _splits(words.fold(typed[at])) for at in unknown}
    halves = sorted({half for pairs in splits.values() for pair in pairs for half in pair})
    columns = (literal(-1).label("at"), SearchWord.word.label("word"), SearchWord.shown, literal(0).label("alike"))
    query: list[Any] = [select(*columns).where(SearchWord.word.in_(halves))]
    for at in unknown:
        alike = func.count().label("alike")
        inner = (
            select(literal(at).label("at"), SearchGram.word, alike)
            .where(SearchGram.gram.in_(words.grams(words.fold(typed[at]))))
            .group_by(SearchGram.word)
            .order_by(alike.desc(), SearchGram.word)
            .limit(MOST_CANDIDATES)
            .subquery()
        )
        query.append(
            select(inner.c.at, inner.c.word, SearchWord.shown, inner.c.alike).join(
                SearchWord, SearchWord.word == inner.c.word
            )
        )
    parts: dict[str, str] = {}
    near: dict[int, list[tuple[str, str]]] = {}
    for at, word, shown, _alike in db.execute(union_all(*query)):
        if at < 0:
            parts[word] = shown
        else:
            near.setdefault(at, []).append((word, shown))
    meant: list[frozenset[str]] = []
    said: list[str] = []
    slipped = False
    for at, word in enumerate(typed):
        if at not in splits:
            meant.append(frozenset(groups[at]))
            said.append(word)
            continue
        pair = next((pair for pair in splits[at] if all(half in parts for half in pair)), None)
        best = _nearest(words.fold(word), near.get(at, []))
        if pair is not None:
            meant += [frozenset(words.stems(parts[half] or half)) for half in pair]
            said.append(word)
        elif best is not None:
            meant.append(frozenset(words.stems(best)))
            said.append(best)
            slipped = True
        else:
            meant.append(frozenset(groups[at]))
            said.append(word)
    return Meant(tuple(meant), " ".join(said) if slipped else "")


def _nearest(word: str, candidates: Iterable[tuple[str, str]]) -> str | None:
    """Of (folded word, as written) the one with the fewest slips: one in a short word, two in a longer one."""
    if len(word) < 3 or not word.isalpha():
        return None
    most = 1 if len(word) <= 4 else 2
    ranked = [
        (slips, name[0] != word[0], abs(len(name) - len(word)), name, shown)
        for name, shown in candidates
        if (slips := words.distance(word, name, most)) <= most and slips < len(name) - 1
    ]
    return min(ranked)[-1] if ranked else None


def _splits(word: str) -> list[tuple[str, str]]:
    """Ways to take a compound apart, with the German joint "s" dropped as well; the most even halves first."""
    found = []
    for at in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        found.append((word[:at], word[at:]))
        if word[at - 1] == "s" and at - 1 >= SHORTEST_PART:
            found.append((word[: at - 1], word[at:]))
    return sorted(found, key=lambda pair: (abs(len(pair[0]) - len(pair[1])), pair))
