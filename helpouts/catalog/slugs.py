"""Readable addresses: "Set up your router" becomes /l/set-up-your-router."""

from __future__ import annotations

import re
import secrets
import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l"})
_LONGEST = 60


def slugify(text: str) -> str:
    """Lower-case ASCII letters, digits and single hyphens, at most 60 characters; "" when nothing is left."""
    spelled = unicodedata.normalize("NFC", text).lower().translate(_SPELLED_OUT)
    ascii_only = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    return slug if len(slug) <= _LONGEST else slug[:_LONGEST].rpartition("-")[0] or slug[:_LONGEST]


def free_slug(db: Session, column: InstrumentedAttribute[str], text: str, fallback: str) -> str:
    """A slug made from ``text`` (``fallback`` when it has no letters we can spell) that nobody in ``column`` has.

    The column's unique constraint has the last word when two people take the same one at the same moment.
    """
    wanted = slugify(text) or fallback
    taken = set(db.scalars(select(column).where(column.like(f"{wanted}%"))))
    if wanted not in taken:
        return wanted
    for number in range(2, 10):
        if (numbered := f"{wanted}-{number}") not in taken:
            return numbered
    return f"{wanted}-{secrets.token_hex(4)}"
