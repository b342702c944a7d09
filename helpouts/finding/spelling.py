"""What somebody may have meant: beginnings of words, parts of compounds, and slips of the pen.

All words of all listings are known (:class:`~helpouts.finding.models.SearchWord`), which is a small table however many
listings there are.  So what was typed becomes a handful of stems before the index is asked, alike on both databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from helpouts.db.lists import among, room_for, spread
from helpouts.db.prepared import Prepared
from helpouts.finding import words
from helpouts.finding.models import SearchGram, SearchWord

#: Shortest beginning of a word, and shortest part of a compound, that is looked for.
SHORTEST_PREFIX, SHORTEST_PART = 3, 4
#: Words that one beginning, or one end of compounds, stands for.
MOST_ALIKE = 12
#: Words of similar letters that are compared.
MOST_CANDIDATES = 40
_LAST = chr(0x10FFFF)
_WORD: Any = SearchWord.word


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
    for at, word in _look_up(db, typed, groups, prefix):
        if at < 0:
            known.add(word)
        else:
            groups[at] |= set(words.stems(word))
            known.add(words.fold(typed[at]))
    unknown = [at for at, word in enumerate(typed) if not known & {words.fold(word), *words.stems(word)}]
    if not unknown:
        return Meant(tuple(map(frozenset, groups)))
    return _mended(db, typed, groups, unknown)


def _look_up(db: Session, typed: Sequence[str], groups: Sequence[Iterable[str]], prefix: str) -> list[Any]:
    """(-1, a known word) of all that was typed; (index of a typed word, another that it may stand for)."""
    names = sorted({words.fold(word) for word in typed} | {stem for group in groups for stem in group})
    endings = [(at, words.fold(word)[::-1]) for at, word in enumerate(typed)]
    ranges = [(at, ending) for at, ending in endings if len(ending) >= SHORTEST_PART]
    if prefix:
        ranges.append((len(typed) - 1, prefix))
    count = room_for(names)
    values = spread("name", names, count)
    for n, (at, begin) in enumerate(ranges):
        values |= {f"at_{n}": at, f"begin_{n}": begin, f"end_{n}": begin + _LAST}
    return _looking_up(count, len(ranges), bool(prefix)).all(db, values)


@lru_cache(maxsize=256)
def _looking_up(names: int, ranges: int, last_begins: bool) -> Prepared:
    """For so many names and ranges of words, read from their end but for the last one's if that is a beginning."""
    parts: list[Any] = [select(literal_column("-1").label("at"), SearchWord.word).where(among(_WORD, "name", names))]
    for n in range(ranges):
        begins = last_begins and n == ranges - 1
        column, begin = (_WORD if begins else SearchWord.backwards), bindparam(f"begin_{n}", type_=_WORD.type)
        nearest = (
            select(bindparam(f"at_{n}", type_=Integer).label("at"), SearchWord.word)
            .where(column >= begin if begins else column > begin, column < bindparam(f"end_{n}", type_=_WORD.type))
            .where(SearchWord.shown != literal_column("''"))
            .order_by(func.length(SearchWord.word), SearchWord.word)
            .limit(literal_column(str(MOST_ALIKE)))
        )
        parts.append(select(*nearest.subquery().c))
    return Prepared(union_all(*parts))


def _mended(db: Session, typed: list[str], groups: list[set[str]], unknown: list[int]) -> Meant:
    """Unknown words as two known ones, or as the known one that is nearest."""
    splits = {at: _splits(words.fold(typed[at])) for at in unknown}
    halves = sorted({half for pairs in splits.values() for pair in pairs for half in pair})
    grams = {at: words.grams(words.fold(typed[at])) for at in unknown}
    counts = tuple(map(room_for, grams.values()))
    values = spread("half", halves or [""], room_for(halves))
    for n, (at, gram) in enumerate(grams.items()):
        values |= {f"at_{n}": at, **spread(f"gram_{n}", gram, counts[n])}
    parts: dict[str, str] = {}
    near: dict[int, list[tuple[str, str]]] = {}
    for at, word, shown in _alike(room_for(halves), counts).all(db, values):
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


@lru_cache(maxsize=256)
def _alike(halves: int, grams: tuple[int, ...]) -> Prepared:
    """For so many halves of words, and so many letters in a row of each unknown word."""
    known = (SearchWord.word, SearchWord.shown)
    parts: list[Any] = [select(literal_column("-1").label("at"), *known).where(among(_WORD, "half", halves))]
    for n, count in enumerate(grams):
        at = bindparam(f"at_{n}", type_=Integer).label("at")
        near = (
            select(SearchGram.word)
            .where(among(SearchGram.gram, f"gram_{n}", count))
            .group_by(SearchGram.word)
            .order_by(func.count().desc(), SearchGram.word)
            .limit(literal_column(str(MOST_CANDIDATES)))
            .subquery()
        )
        parts.append(select(at, *known).join(near, near.c.word == SearchWord.word))
    return Prepared(union_all(*parts))


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
