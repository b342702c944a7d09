"""From texts to search terms, alike for both databases: folded, stemmed in English and German, marked with their place.

A term is the number of a place and a stem, such as ``1router``: the best place in which the listing has that stem.  So
one look into the index tells who has a word *where*, and asking for the best places first costs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

import snowballstemmer  # type: ignore[import-untyped]  # it has no annotations

#: Where a word was found, from the place that counts most.
PLACES = ("title", "subcategory", "expert", "category", "summary", "description")
#: Most characters that are read of one text, of a query, and of one word.
LONGEST_TEXT, LONGEST_QUERY, LONGEST_WORD = 6000, 200, 40
MOST_WORDS = 8
#: Words that say nothing about what is looked for; folded.
_STOPS = """
a an and are as at be by can do for from get has have how i if in into is it its me my of on or our so that the their
them then there they this to up us was we what when where which who why will with you your
aber als am an auch auf aus bei bin bis da das dass dein dem den der des die dir du durch ein eine einem einen einer
eines er es euch euer fur hat ich ihr ihre im in ist ja kann man mein meine mich mir mit nach nicht noch nur ob oder
ohne sein seine sich sie sind so um und uns unser von vom vor war was wenn wer wie wir wo zu zum zur uber
"""
STOP_WORDS = frozenset(_STOPS.split())
# A word is letters and digits, with the marks that belong to them in the scripts of India, Thailand, Arabia.
_WORD = re.compile("(?:[^\\W_][\u0300-\u036f\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0980-\u0dff\u0e31-\u0e4e]*)+")
_ENGLISH, _GERMAN = snowballstemmer.stemmer("english"), snowballstemmer.stemmer("german")


def split(text: str) -> list[str]:
    """The words of a text, in lower case, in their order."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST_TEXT].replace("\x00", " ")).lower()
    return [word[:LONGEST_WORD] for word in _WORD.findall(plain)]


@lru_cache(maxsize=100_000)
def fold(word: str) -> str:
    """The word without accents and umlauts: "Gerät" and "gerat" are one."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(mark for mark in apart if not "\u0300" <= mark <= "\u036f"))


@lru_cache(maxsize=100_000)
def stems(word: str) -> tuple[str, ...]:
    """What is left of a lower-case word without its endings, in English and in German; "ae" is "ä" to the latter."""
    found = dict.fromkeys((_ENGLISH.stemWord(fold(word)), fold(_GERMAN.stemWord(word))))
    return tuple(stem for stem in found if stem)


def is_stop(word: str) -> bool:
    """Whether the word is left out of index and queries."""
    return fold(word) in STOP_WORDS


@lru_cache(maxsize=100_000)
def encoded(stem: str) -> str:
    """The stem in letters and digits of ASCII, which neither database takes apart or understands as an operator."""
    return stem if stem.isascii() and stem.isalnum() else "u" + stem.encode().hex()


def term(place: int, stem: str) -> str:
    """The term for a stem in the place of that index in :data:`PLACES`."""
    return f"{place + 1}{encoded(stem)}"


def terms(texts: Mapping[str, Iterable[str]]) -> tuple[str, dict[str, str]]:
    """(terms with spaces between them, folded word to how it is written) of the texts by place."""
    best: dict[str, int] = {}
    written: dict[str, str] = {}
    for place, name in enumerate(PLACES):
        for text in texts.get(name, ()):
            for word in split(text):
                if not is_stop(word):
                    written.setdefault(fold(word), word)
                    for stem in stems(word):
                        best.setdefault(stem, place)
    return " ".join(sorted(term(place, stem) for stem, place in best.items())), written


def asked(query: str) -> list[str]:
    """The distinct words that a query looks for, in its order; never fails, whatever was typed."""
    found = (word for word in split(query[:LONGEST_QUERY]) if not is_stop(word))
    return list(dict.fromkeys(found))[:MOST_WORDS]


def grams(word: str) -> tuple[str, ...]:
    """Three letters in a row each, with the beginning and the end marked: "tap" is "^ta", "tap", "ap$"."""
    marked = f"^{word}$"
    return tuple(dict.fromkeys(marked[at : at + 3] for at in range(max(1, len(marked) - 2))))


def distance(one: str, other: str, most: int) -> int:
    """Letters to add, drop, change or swap to come from one word to the other; ``most`` + 1 for anything beyond."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row, last = row, [i, *([0] * len(other))], before
        for j, b in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
