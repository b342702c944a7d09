"""The listings of one page, in their order, as cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, literal, literal_column, select
from sqlalchemy.orm import Session, contains_eager, lazyload

from helpouts.accounts.models import User
from helpouts.catalog.cards import ListingCard, listing_card
from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.catalog.records import SearchRequest
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
        best = text.best_of_tiers(db, groups, where, points, offset + limit).subquery()
        found: Any = literal_column("listing_id")
        score: Any = literal_column("score")
        position: Any = literal_column("position")
        chosen = select(found, (-score).label("a"), position.label("b")).select_from(best)
        return chosen.order_by(score.desc(), position).limit(limit).offset(offset)
    source, words = text.fitting(db, groups)
    key: Any = {
        "price": L.c.price,
        "rating": L.c.stars_below,
        "next_free": conditions.next_free(now),
    }.get(request.sort, literal(0))
    chosen = select(L.c.listing_id, key.label("a"), L.c.position.label("b")).select_from(source)
    order = [L.c.position] if request.sort not in ("rating", "price", "next_free") else [key, "b"]
    return chosen.where(*where, *words).order_by(*order).limit(limit).offset(offset)


def cards(db: Session, chosen: Any, request: SearchRequest, now: datetime) -> tuple[ListingCard, ...]:
    """The cards of what :func:`ordered` finds.

    Whoever's row may be out of date is asked of the exact engine; one that turns out not to be free at the wanted time
    is left out.
    """
    hit = chosen.subquery()
    rows = db.execute(
        select(
            Listing,
            func.coalesce(User.avatar, "").label("avatar"),
            conditions.next_free(now).label("next_free"),
            L.c.starts,
            L.c.notice,
            L.c.step,
            L.c.free_from,
            conditions.is_unsure(now).label("unsure"),
            conditions.is_available(now).label("available"),
        )
        .join(hit, hit.c.listing_id == Listing.id)
        .join(L, L.c.listing_id == Listing.id)
        .join(Expert, Expert.id == Listing.expert_id)
        .outerjoin(ExpertMember, and_(ExpertMember.expert_id == Expert.id, ExpertMember.role == "owner"))
        .outerjoin(User, User.id == ExpertMember.user_id)
        .options(contains_eager(Listing.expert).options(lazyload(Expert.members), lazyload(Expert.categories)))
        .order_by(hit.c.a, hit.c.b)
    ).all()
    unsure = [row.Listing for row in rows if row.unsure]
    offers = [Offer(item.id, item.expert_id, item.length_minutes) for item in unsure]
    exact = times.of_offers(db, offers, now, lapsing=False) if offers else {}
    found = [_card(row, exact.get(row.Listing.id), request, now) for row in rows]
    return tuple(card for card in found if card is not None)


def _card(row: Row[Any], exact: times.Times | None, request: SearchRequest, now: datetime) -> ListingCard | None:
    start = row.next_free if row.next_free < conditions.NEVER else None
    if exact is not None:
        start = exact.free_from
    card = listing_card(row.Listing, None if start is None else from_minute(start), row.avatar)
    card = replace(card, available_now=bool(row.available))
    if request.free_at is None:
        return card
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
    return replace(card, free_at=_start_in(nearest, step, anchor))


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
