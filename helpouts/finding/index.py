"""The rows of the index: made from listings, experts, their bookings and free time, and written where they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, contains_eager, lazyload

from helpouts.audit.models import Transition
from helpouts.bookings.models import Booking
from helpouts.catalog.category import Category, standin_category
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.finding import ranking, times, traits, words
from helpouts.finding.models import ListingSearch, SearchGram, SearchWord
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import Offer
from helpouts.scheduling.zones import to_minute_up

#: Listings worked out in one go.
BATCH = 200
_TABLE: Any = ListingSearch.__table__
_COLUMNS = [column.name for column in _TABLE.columns]


def refresh(db: Session, listing_ids: Iterable[int], now: datetime | None = None) -> int:
    """Make the rows of these listings right; returns how many were added, changed or removed."""
    ids = sorted(set(listing_ids))
    return sum(_refresh(db, ids[at : at + BATCH], now or clock.now()) for at in range(0, len(ids), BATCH))


def rows(db: Session, listing_ids: Collection[int], now: datetime) -> dict[int, dict[str, Any]]:
    """By listing, the row that should be there; listings that are not on sale have none."""
    return {row["listing_id"]: row for row, _written in _made(db, listing_ids, now)}


def listings_of_users(db: Session, user_ids: Collection[int]) -> list[int]:
    """Ids of the listings that these people serve, whatever their state."""
    of_user = select(ExpertMember.expert_id).where(ExpertMember.user_id.in_(list(user_ids)))
    return list(db.scalars(select(Listing.id).where(Listing.expert_id.in_(of_user)).order_by(Listing.id)))


def rebuild(db: Session, now: datetime | None = None) -> int:
    """Throw the index away and make it anew from all listings; returns the number of rows."""
    for model in (SearchGram, SearchWord, ListingSearch):
        db.execute(delete(model))
    refresh(db, db.scalars(_on_sale(select(Listing.id).join(Expert))).all(), now)
    if db.get_bind().dialect.name == "postgresql":
        # Searches go by what is expected of a word; the server would look at the new rows some time after the commit.
        db.execute(text("ANALYZE listing_search, search_word, search_gram"))
    return db.scalar(select(func.count()).select_from(ListingSearch)) or 0


def _refresh(db: Session, ids: Sequence[int], now: datetime) -> int:
    made = _made(db, ids, now)
    wanted = {row["listing_id"]: row for row, _written in made}
    existing = {
        row["listing_id"]: dict(row)
        for row in db.execute(select(_TABLE).where(_TABLE.c.listing_id.in_(ids))).mappings()
    }
    gone = [listing_id for listing_id in existing if listing_id not in wanted]
    new = [row for listing_id, row in wanted.items() if listing_id not in existing]
    changed = [row for key, row in wanted.items() if key in existing and _differs(existing[key], row)]
    if gone:
        db.execute(delete(_TABLE).where(_TABLE.c.listing_id.in_(gone)))
    if changed:
        statement = update(_TABLE).where(_TABLE.c.listing_id == bindparam("wanted"))
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _COLUMNS if name != "listing_id"}
        db.connection().execute(
            statement.values(values),
            [{"wanted": row["listing_id"]} | {f"new_{name}": row[name] for name in values} for row in changed],
        )
    if new:
        db.execute(insert(_TABLE), new)
    fresh = {row["listing_id"] for row in new} | {
        row["listing_id"] for row in changed if not same_words(existing[row["listing_id"]]["words"], row["words"])
    }
    learn(db, {word: shown for row, written in made if row["listing_id"] in fresh for word, shown in written.items()})
    return len(gone) + len(new) + len(changed)


def learn(db: Session, written: Mapping[str, str]) -> None:
    """Have these words known (folded word to how it is written), with their stems, for prefixes, parts and slips."""
    shown = {stem: "" for word in written.values() for stem in words.stems(word)} | dict(written)
    known: set[str] = set()
    names = sorted(shown)
    for at in range(0, len(names), 500):
        part = names[at : at + 500]
        known |= set(db.scalars(select(SearchWord.word).where(SearchWord.word.in_(part), SearchWord.shown != "")))
    new = [name for name in names if name not in known]
    if not new:
        return
    dialect: Any = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    put = dialect.insert(SearchWord)
    # A stem that turns out to be a word as well gets its spelling.
    put = put.on_conflict_do_update(
        index_elements=["word"], set_={"shown": put.excluded.shown}, where=SearchWord.shown == ""
    )
    db.connection().execute(put, [{"word": name, "backwards": name[::-1], "shown": shown[name]} for name in new])
    grams = [{"gram": gram, "word": name} for name in new if shown[name] for gram in words.grams(name)]
    if grams:
        db.connection().execute(dialect.insert(SearchGram).on_conflict_do_nothing(), grams)


def _made(db: Session, ids: Collection[int], now: datetime) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """(row, its words as they are written) of each of these listings that is on sale."""
    chosen = _on_sale(select(Listing).join(Expert)).where(Listing.id.in_(list(ids))).order_by(Listing.id)
    loaded = contains_eager(Listing.expert).options(lazyload(Expert.members), lazyload(Expert.categories))
    listings = db.scalars(chosen.options(loaded)).unique().all()
    if not listings:
        return []
    offers = [Offer(item.id, item.expert_id, item.length_minutes) for item in listings]
    free = times.of_offers(db, offers, now)
    kept, missed = _record(db, {listing.expert_id for listing in listings})
    weight = ranking.weights(db)
    registry, minute = runtime_of(db).registry, to_minute_up(now)
    categories = {slug: registry.category(slug) for slug in {listing.category for listing in listings}}
    made = []
    for listing in listings:
        when = free[listing.id]
        facts = ranking.Facts(
            rating_sum=listing.rating_sum,
            rating_count=listing.rating_count,
            minutes_to_free=None if when.free_from is None else max(0, when.free_from - minute),
            kept=kept.get(listing.expert_id, 0),
            missed=missed.get(listing.expert_id, 0),
            age_days=(now - (listing.published_at or listing.created_at)) / timedelta(days=1),
        )
        made.append(_row(listing, categories[listing.category], when, ranking.level(facts, weight)))
    return made


def _row(listing: Listing, category: Category, when: times.Times, level: int) -> tuple[dict[str, Any], dict[str, str]]:
    terms, written = words.terms(_texts(listing, category))
    weighed = ranking.weighed_rating(listing.rating_sum, listing.rating_count)
    by_the_minute = listing.pricing == "per_minute"
    row = {
        "position": ranking.position(level, listing.id),
        "listing_id": listing.id,
        "expert_id": listing.expert_id,
        "category": listing.category,
        "subcategory": listing.subcategory,
        "price": listing.price_minor * listing.length_minutes if by_the_minute else listing.price_minor,
        "rating": round(100 * listing.rating_sum / listing.rating_count) if listing.rating_count else 0,
        "stars_below": round(1000 * (5 - weighed)),
        "traits": traits.written(listing, category),
        "notice": when.notice,
        "horizon": when.horizon,
        "free_from": when.free_from,
        "free_to": when.free_to,
        "step": when.step,
        "due_at": when.due_at,
        "known_until": when.known_until,
        "starts": when.starts,
        "words": terms,
    }
    return row, written


def _texts(listing: Listing, category: Category) -> dict[str, list[str]]:
    """What is looked into, by place; names of field and topic in all their languages."""
    topic = category.subcategory(listing.subcategory)
    labels = [
        label
        for field in category.listing_fields
        for choice in field.choices
        if choice.value in _answers(listing.fields.get(field.key))
        for label in choice.label.values()
    ]
    return {
        "title": [listing.title],
        "subcategory": list(topic.label.values()) if topic else [],
        "expert": [listing.expert.name, listing.expert.headline],
        "category": list((category if category.name else standin_category(listing.category)).name.values()),
        "summary": [listing.summary],
        "description": [listing.description, *labels],
    }


def _answers(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else [answer]


def _record(db: Session, expert_ids: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """By expert: sessions that took place, and those that the host missed or called off."""
    ids = list(expert_ids)
    held = (
        select(Booking.expert_id, func.count())
        .where(Booking.expert_id.in_(ids), Booking.state == "completed")
        .group_by(Booking.expert_id)
    )
    called_off = (Transition.event == "cancel") & (Transition.actor_id == Booking.host_id)
    stayed_away = (Transition.event == "miss") & Transition.reason.startswith("missed by expert")
    failed = (
        select(Booking.expert_id, func.count())
        .join(Transition, Transition.subject_id == Booking.id)
        .where(
            Booking.expert_id.in_(ids),
            Booking.state.in_(("cancelled", "no_show")),
            Transition.machine == "booking",
            or_(called_off, stayed_away),
        )
        .group_by(Booking.expert_id)
    )
    kept = {int(key): int(number) for key, number in db.execute(held)}
    return kept, {int(key): int(number) for key, number in db.execute(failed)}


def _on_sale(query: Any) -> Any:
    return query.where(Listing.state == "live", Expert.state == "active")


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(not same_words(old[name], new[name]) if name == "words" else old[name] != new[name] for name in _COLUMNS)


def same_words(old: str, new: str) -> bool:
    """Whether the terms are the same; PostgreSQL returns them quoted and in an order of its own."""
    return old == new or sorted(old.replace("'", "").split()) == new.split()
