"""From a listing to the saved searches that it fits: the search turned round.

The database narrows the searches by what its columns can say (field and topic are indexed); words and facets are
compared here, in memory, a thousand searches at a time.  No search is ever run to find out whether it fits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import Session

from helpouts.catalog.category import Category
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.catalog.queries import FACET_PREFIX
from helpouts.catalog.service import is_open
from helpouts.clock import clock
from helpouts.finding import words
from helpouts.jobs.service import enqueue, handler
from helpouts.runtime import runtime_of
from helpouts.scheduling import changes
from helpouts.scheduling.service import free_slots
from helpouts.wishes import hits
from helpouts.wishes.models import SavedSearch, SavedSearchHit

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Document:
    """What a search may say of a listing, in comparable form; ``stems`` are those of all texts that it looks into."""

    stems: frozenset[str]
    facets: Mapping[str, Any]

    def fits(self, query: Mapping[str, Sequence[str]]) -> bool:
        """Whether the words and facets of a saved search are found here."""
        if not all(self.stems.intersection(words.stems(word)) for word in words.asked(query.get("q", [""])[0])):
            return False
        return all(
            any(_holds(self.facets.get(key.removeprefix(FACET_PREFIX)), value) for value in values)
            for key, values in query.items()
            if key.startswith(FACET_PREFIX)
        )


def document_of(listing: Listing, category: Category) -> Document:
    """The listing with the names of its field and topic in all languages, as the search sees it."""
    topic = category.subcategory(listing.subcategory)
    parts = [
        *(listing.title, listing.summary, listing.description, listing.expert.name, listing.expert.headline),
        *category.name.values(),
        *(topic.label.values() if topic else ()),
    ]
    parts += [
        label
        for field in category.listing_fields
        for choice in field.choices
        if _holds(listing.fields.get(field.key), choice.value)
        for label in choice.label.values()
    ]
    found = {word for part in parts for word in words.split(part)}
    return Document(frozenset(stem for word in found for stem in words.stems(word)), listing.fields)


def published(db: Session, listing: Listing) -> None:
    """Promise to look whom a listing that has just gone live, or reads differently now, is news for."""
    enqueue(db, "wishes.match", {"listing": listing.id})


@handler("wishes.match")
def match(db: Session, payload: Mapping[str, Any]) -> None:
    """Note the listing for every saved search that it fits."""
    listing = db.get(Listing, payload["listing"])
    if listing is not None and is_open(db, listing):
        hits.note(db, {search_id: [listing.id] for search_id in _fitting(db, listing, _candidates(listing))})


@changes.listen
def freed(db: Session, user_ids: Collection[int]) -> None:
    """Somebody's free time has changed: searches that ask for a time may fit now.  Promises the work if any do."""
    waiting = select(SavedSearch.id).where(_asks_for_a_time(), SavedSearch.paused.is_(False)).limit(1)
    if db.scalar(waiting) is not None:
        enqueue(db, "wishes.freed", {"users": sorted(user_ids)})


@handler("wishes.freed")
def match_freed(db: Session, payload: Mapping[str, Any]) -> None:
    """Note the listings of these people for the saved searches whose time they have now."""
    served = select(ExpertMember.expert_id).where(ExpertMember.user_id.in_(payload["users"]))
    for listing in db.scalars(select(Listing).where(Listing.state == "live", Listing.expert_id.in_(served))).unique():
        if is_open(db, listing):
            chosen = _candidates(listing).where(_asks_for_a_time())
            hits.note(db, {search_id: [listing.id] for search_id in _fitting(db, listing, chosen)})


def _asks_for_a_time() -> Any:
    return SavedSearch.free_until > clock.now()


def _candidates(listing: Listing) -> Select[int, Any, datetime | None, datetime | None]:
    """Searches that it fits as far as columns can say, that do not know it yet, and that are not its makers'."""
    price = listing.price_minor * (listing.length_minutes if listing.pricing == "per_minute" else 1)
    stars = listing.rating_sum / listing.rating_count if listing.rating_count else 0
    known = select(SavedSearchHit.id).where(
        SavedSearchHit.search_id == SavedSearch.id, SavedSearchHit.listing_id == listing.id
    )
    return select(SavedSearch.id, SavedSearch.query, SavedSearch.free_from, SavedSearch.free_until).where(
        SavedSearch.category.in_(("", listing.category)),
        SavedSearch.subcategory.in_(("", listing.subcategory)),
        SavedSearch.language.in_(("", *listing.languages)),
        SavedSearch.price.in_(("", "free" if listing.pricing == "free" else "paid")),
        or_(SavedSearch.price_min.is_(None), SavedSearch.price_min <= price),
        or_(SavedSearch.price_max.is_(None), SavedSearch.price_max >= price),
        SavedSearch.rating_min <= stars,
        SavedSearch.paused.is_(False),
        or_(SavedSearch.free_until.is_(None), SavedSearch.free_until > clock.now()),
        SavedSearch.user_id.not_in([member.user_id for member in listing.expert.members]),
        ~known.exists(),
    )


def _fitting(
    db: Session, listing: Listing, chosen: Select[int, Any, datetime | None, datetime | None]
) -> Iterator[int]:
    document = document_of(listing, runtime_of(db).registry.category(listing.category))
    timed: list[tuple[int, datetime, datetime]] = []
    for search_id, query, begin, end in _in_batches(db, chosen):
        if not document.fits(query):
            continue
        if begin is None or end is None:
            yield search_id
        else:
            timed.append((search_id, begin, end))
    yield from _free_then(db, listing, timed)


def _in_batches(db: Session, chosen: Select[Any, Any, Any, Any]) -> Iterator[Row[Any, Any, Any, Any]]:
    last = 0
    while True:
        rows = db.execute(chosen.where(SavedSearch.id > last).order_by(SavedSearch.id).limit(BATCH)).all()
        yield from rows
        if len(rows) < BATCH:
            return
        last = rows[-1][0]


def _free_then(db: Session, listing: Listing, timed: list[tuple[int, datetime, datetime]]) -> Iterator[int]:
    """Those of the searches in whose stretch of time a session of the listing can begin; asks the engine once."""
    if not timed:
        return
    begin = max(min(start for _id, start, _end in timed), clock.now())
    starts = free_slots(db, listing, begin, max(end for _id, _start, end in timed) + timedelta(minutes=1))
    for search_id, first, last in timed:
        if any(first <= start <= last for start in starts):
            yield search_id


def _holds(answer: Any, value: str) -> bool:
    if isinstance(answer, bool):
        return answer
    return value in answer if isinstance(answer, list) else answer == value
