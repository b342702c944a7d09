"""The words of a query as plain text, for those who compare texts themselves."""

from __future__ import annotations

MOST_WORDS = 8


def words_of(text: str) -> list[str]:
    """The words that are looked for: distinct, lower case, at most :data:`MOST_WORDS`."""
    words = [word.strip(".,;:!?\"'()[]{}<>„“”‚‘’«»") for word in text[:200].lower().replace("\x00", " ").split()]
    return list(dict.fromkeys(word for word in words if word))[:MOST_WORDS]
