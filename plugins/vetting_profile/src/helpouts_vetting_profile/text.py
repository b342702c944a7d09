"""Comparing texts and mail addresses."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")
SHINGLE = 3


def words(text: str) -> list[str]:
    """The words of a text without case and accents, so that "Wi-Fi!" and "wi fi" are alike."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """All runs of three words; the whole text when it is shorter."""
    found = words(text)
    return frozenset(tuple(found[i : i + SHINGLE]) for i in range(max(1, len(found) - SHINGLE + 1)))


def similarity(one: str, other: str) -> int:
    """How alike two texts are, in percent: the Jaccard index of their word triples (Broder 1997)."""
    if not words(one) or not words(other):
        return 0
    a, b = shingles(one), shingles(other)
    return round(100 * len(a & b) / len(a | b))


def mailbox(email: str) -> tuple[str, str]:
    """(local part, domain) of an address without case and without the "+tag" (RFC 5233)."""
    local, _, domain = email.strip().casefold().rpartition("@")
    return local.partition("+")[0], domain
