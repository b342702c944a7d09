"""The listings of one page, in their order, as cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, and_, any_, bindparam, func, literal, literal_column, select, union_all
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.catalog.cards import ExpertValues, ListingCard, listing_card
from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.catalog.records import SearchRequest
from helpouts.db.lists import among, room_for, spread
from helpouts.db.prepared import Prepared
from helpouts.finding import conditions, masks, ranking, text, times
from helpouts.finding.models import LISTINGS as L
from helpouts.scheduling.service import Offer
from helpouts.scheduling.zones import from_minute, to_minute, to_minute_up


def ordered(
    db: Session,
    request: SearchRequest,
    categories: Mapping[str, Category],
    groups: text.Groups,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> Any:
    """A query for (listing_id, a, b) of so many hits, ordered by a, b, listing_id: the whole order of a search."""
    where = [
        conditions.on_sale(request, categories),
        *conditions.ranges(request, now).values(),
        *conditions.choices(request, categories).values(),
    ]
    if groups and request.sort not in ("rating", "price", "next_free"):
        points = ranking.points(ranking.weights(db))
        if db.get_bind().dialect.name != "sqlite":
            # Not by the index of fields, which has most of all rows: without statistics the planner takes it for small.
            column = L.c.category.concat(literal_column("''"))
            where[0] = conditions.on_sale(request, categories, column=column)
            best = text.best(db, groups, where, points, offset + limit, conditions.at(now))
            return _in_this_order(best[offset:])
        tiers = text.best_of_tiers(groups, where, points, offset + limit).subquery()
        found: Any = literal_column("listing_id")
        score: Any = literal_column("score")
        position: Any = literal_column("position")
        chosen = select(found, (-score).label("a"), position.label("b")).select_from(tiers)
        return chosen.order_by(score.desc(), position).limit(limit).offset(offset)
    source, words = text.fitting(db, groups)
    key: Any = {
        "price": L.c.price,
        "rating": L.c.stars_below,
        "next_free": conditions.NEXT_FREE,
    }.get(request.sort, literal(0))
    chosen = select(L.c.listing_id, key.label("a"), L.c.position.label("b")).select_from(source)
    order = [L.c.position] if request.sort not in ("rating", "price", "next_free") else [key, "b"]
    return chosen.where(*where, *words).order_by(*order).limit(limit).offset(offset)


def _in_this_order(listing_ids: Sequence[int]) -> Any:
    """A query as :func:`ordered` makes it; PostgreSQL's."""
    ids = literal(listing_ids, ARRAY(BigInteger))
    place: Any = func.array_position(ids, L.c.listing_id.cast(BigInteger))
    return (
        select(L.c.listing_id, place.label("a"), L.c.position.label("b"))
        .where(L.c.listing_id == any_(ids))
        .order_by("a")
    )


def soonest(db: Session, categories: Mapping[str, Category], now: datetime, limit: int) -> tuple[ListingCard, ...]:
    """The cards of the best that are free within a day; of later ones only where those are too few."""
    if not categories:
        return ()
    count = room_for(list(categories))
    values = {"limit": limit, **conditions.at(now), **spread("category", list(categories), count)}
    return _exact(db, _soonest(count).all(db, values), SearchRequest(), now)


def cards(db: Session, chosen: Any, request: SearchRequest, now: datetime) -> tuple[ListingCard, ...]:
    """The cards of what :func:`ordered` finds."""
    return _exact(db, db.execute(_in_full(chosen), conditions.at(now)).all(), request, now)


def _in_full(chosen: Any) -> Any:
    """A query for all that the cards of the chosen listings show."""
    hit = chosen.subquery()
    return _CARDS.join(hit, hit.c.listing_id == L.c.listing_id).order_by(hit.c.a, hit.c.b)


_listing, _expert, _owner = Listing.__table__, Expert.__table__, ExpertMember.__table__.alias("owner")
_user: Any = User.__table__
_CARDS = (
    select(
        *(_listing.c[name] for name in ("id", "expert_id", "title", "slug", "summary", "category", "pricing")),
        *(_listing.c[name] for name in ("price_minor", "currency", "length_minutes", "rating_sum", "rating_count")),
        func.coalesce(_user.c.avatar, literal_column("''")).label("avatar"),
        conditions.NEXT_FREE.label("next_free"),
        *(L.c[name] for name in ("starts", "notice", "step", "free_from")),
        conditions.IS_UNSURE.label("unsure"),
        conditions.IS_AVAILABLE.label("available"),
        *(_expert.c[name].label(f"expert_{name}") for name in ExpertValues._fields),
    )
    .select_from(L)
    .join(_listing, _listing.c.id == L.c.listing_id)
    .join(_expert, _expert.c.id == _listing.c.expert_id)
    .outerjoin(_owner, and_(_owner.c.expert_id == _expert.c.id, _owner.c.role == literal_column("'owner'")))
    .outerjoin(_user, _user.c.id == _owner.c.user_id)
)


@cache
def _soonest(count: int) -> Prepared:
    """For so many categories."""
    free, tomorrow, limit = conditions.NEXT_FREE, conditions.MINUTE + masks.DAY, bindparam("limit", type_=BigInteger)
    found = select(L.c.listing_id, L.c.position.label("b")).where(among(L.c.category, "category", count))
    found = found.order_by(L.c.position)
    # Walked in the order of quality, which ends with the last one that is wanted: on a large site after a few.
    within = found.add_columns(literal_column("0").label("a")).where(free <= tomorrow).limit(limit).cte()
    missing = select(limit - func.count()).select_from(within).scalar_subquery()
    after = found.add_columns(literal_column("1").label("a")).where(free > tomorrow, free < conditions.NEVER)
    return Prepared(_in_full(union_all(select(within), select(after.limit(missing).subquery()))))


def _exact(db: Session, rows: Sequence[Any], request: SearchRequest, now: datetime) -> tuple[ListingCard, ...]:
    """The cards; whoever's row may be out of date is asked of the exact engine.

    One that turns out not to be free at the wanted time is left out.
    """
    offers = [Offer(row.id, row.expert_id, row.length_minutes) for row in rows if row.unsure]
    exact = times.of_offers(db, offers, now, lapsing=False) if offers else {}
    found = [_card(row, exact.get(row.id), request, now) for row in rows]
    return tuple(card for card in found if card is not None)


def _card(row: Any, exact: times.Times | None, request: SearchRequest, now: datetime) -> ListingCard | None:
    start = row.next_free if row.next_free < conditions.NEVER else None
    if exact is not None:
        start = exact.free_from
    free_at = None
    if request.free_at is not None:
        ring, notice, step, anchor = (
            (exact.starts, exact.notice, exact.step, exact.free_from)
            if exact is not None
            else (row.starts, row.notice, row.step, row.free_from)
        )
        wanted = to_minute(request.free_at)
        earliest = to_minute_up(now) + notice
        open_quarters = [
            quarter
            for quarter in conditions.quarters(request)
            if quarter * masks.QUARTER >= earliest and masks.holds(ring, quarter)
        ]
        if not open_quarters:
            return None
        nearest = min(open_quarters, key=lambda quarter: (abs(quarter * masks.QUARTER - wanted), quarter))
        free_at = _start_in(nearest, step, anchor)
    return listing_card(
        row,
        ExpertValues._make(row[-len(ExpertValues._fields) :]),
        None if start is None else from_minute(start),
        row.avatar,
        available_now=bool(row.available),
        free_at=free_at,
    )


def _start_in(quarter: int, step: int, anchor: int | None) -> datetime | None:
    """The start in the quarter, where the grid leaves only one."""
    first = quarter * masks.QUARTER
    if step % masks.QUARTER == 0:
        return from_minute(first)
    if anchor is None or step < masks.QUARTER:
        return None
    start = first + (anchor - first) % step
    return from_minute(start) if start < first + masks.QUARTER else None


def any_of(groups: Sequence[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """One group for all words: a listing needs only one of them."""
    return (frozenset().union(*groups),) if groups else ()


def exists(db: Session, request: SearchRequest, categories: Mapping[str, Category], groups: Any, now: datetime) -> Any:
    """A condition: whether the search finds anything, whatever the order."""
    source, words = text.fitting(db, groups)
    where = [
        conditions.on_sale(request, categories),
        *conditions.ranges(request, now).values(),
        *conditions.choices(request, categories).values(),
    ]
    return select(L.c.listing_id).select_from(source).where(*where, *words).limit(1).scalar_subquery()
