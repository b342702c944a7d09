"""Whether the index is what it should be, for ``helpouts doctor`` and for tests."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.finding import index
from helpouts.finding.models import ListingSearch

#: What depends on the moment of making: compared only through the next free start that follows from it.
_PASSING = ("due_at", "position", "free_from", "free_to", "step", "known_until", "starts")


def drift(db: Session, sample: int = 500) -> list[str]:
    """What differs between the index and what it is made of, in words; listings by number, ``sample`` of them compared.

    Rows that are due, or whose people have just changed their time, are the worker's to mend and differ here, too.
    """
    now = clock.now()
    on_sale = select(Listing.id).join(Expert).where(Listing.state == "live", Expert.state == "active")
    wanted = set(db.scalars(on_sale))
    there = set(db.scalars(select(ListingSearch.listing_id)))
    found = [f"listing {number} is not in the index" for number in sorted(wanted - there)[:20]]
    found += [f"listing {number} is in the index but not on sale" for number in sorted(there - wanted)[:20]]
    both = sorted(wanted & there)
    compared = both[:: max(1, len(both) // sample)][:sample]
    table = ListingSearch.__table__
    for at in range(0, len(compared), index.BATCH):
        part = compared[at : at + index.BATCH]
        right = index.rows(db, part, now)
        for row in db.execute(select(table).where(table.c.listing_id.in_(part))).mappings():
            made = right[row["listing_id"]]
            differing = [
                name
                for name in made
                if name not in _PASSING
                and not (name == "words" and index.same_words(row[name], made[name]))
                and row[name] != made[name]
            ]
            if row["known_until"] < made["known_until"] - 1:
                differing.append("known_until")
            elif row["known_until"] == made["known_until"] and _later(row["starts"], made["starts"]):
                differing.append("starts")
            if differing:
                found.append(f"listing {row['listing_id']}: {', '.join(differing)}")
    return found


def _later(old: bytes, new: bytes) -> bool:
    """Whether free time differs that is still to come: what has passed since is in the old ring only."""
    return any(after & ~before & 63 for before, after in zip(old, new, strict=True))


def size(db: Session) -> int:
    """The number of rows."""
    return db.scalar(select(func.count()).select_from(ListingSearch)) or 0
