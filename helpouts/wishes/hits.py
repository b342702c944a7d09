"""Noting that a listing fits a saved search, once for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.wishes.models import SavedSearchHit

_BATCH = 400


def note(db: Session, found: Mapping[int, Iterable[int]], *, told: bool = False) -> None:
    """Note the listings that fit, by id of the search; pairs that are known stay as they are.

    :param told: the person has seen them already.
    """
    now = clock.now()
    rows = [
        {"search_id": search_id, "listing_id": listing_id, "found_at": now, "told_at": now if told else None}
        for search_id, listing_ids in found.items()
        for listing_id in listing_ids
    ]
    insert = sqlite.insert if db.get_bind().dialect.name == "sqlite" else postgresql.insert
    for first in range(0, len(rows), _BATCH):
        statement = insert(SavedSearchHit).values(rows[first : first + _BATCH])
        db.execute(statement.on_conflict_do_nothing(index_elements=["search_id", "listing_id"]))
