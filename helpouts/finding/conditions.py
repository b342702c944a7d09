"""What a search asks of the rows of the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, false, literal, or_, select

from helpouts.catalog.category import Category
from helpouts.catalog.models import ExpertMember
from helpouts.catalog.records import SearchRequest
from helpouts.finding import masks, traits
from helpouts.finding.models import LISTINGS as L
from helpouts.instant import presence
from helpouts.scheduling.models import TouchedTime
from helpouts.scheduling.zones import to_minute_up

Condition = ColumnElement[bool]
#: Before a category's own key, so that no plugin's facet can be taken for one of the common fields.
FACET_PREFIX = "f_"
#: Most that a wanted time can be wide, to either side.
MOST_AROUND = 180
#: Later than any time.
NEVER = 2**40


def quarters(request: SearchRequest) -> range:
    """The quarters (since 1970) in which a session may begin, for a request with ``free_at``."""
    assert request.free_at is not None
    wanted = to_minute_up(request.free_at)
    around = max(0, min(request.around_minutes, MOST_AROUND))
    first = masks.quarter_at(wanted - around)
    return range(first, max(first, (wanted + around) // masks.QUARTER) + 1)


def ranges(request: SearchRequest, now: datetime) -> dict[str, Condition]:
    """Conditions that have no options with numbers beside them, by the field of the request."""
    found: dict[str, Condition] = {}
    # The cheap ones first: the database looks at them in this order.
    if request.price_min is not None:
        found["price_min"] = L.c.price >= request.price_min
    if request.price_max is not None:
        found["price_max"] = L.c.price <= request.price_max
    if request.free_at is not None:
        found["free_at"] = free(quarters(request), now)
    if request.available_now:
        found["available_now"] = IS_AVAILABLE
    return found


def choices(request: SearchRequest, categories: Mapping[str, Category]) -> dict[str, Condition]:
    """Conditions whose options have numbers, by their group."""
    found: dict[str, Condition] = {}
    if request.subcategory:
        found["subcategory"] = L.c.subcategory == request.subcategory
    if request.price:
        is_free = L.c.traits.contains("|free|", autoescape=True)
        found["price"] = is_free if request.price == "free" else ~is_free
    if request.rating_min:
        found["rating_min"] = L.c.rating >= 100 * request.rating_min
    if request.language:
        found["language"] = traits.speaks(request.language)
    for key, values in facets(request, categories).items():
        found[FACET_PREFIX + key] = or_(*(traits.has_facet(key, value) for value in values))
    return found


def facets(request: SearchRequest, categories: Mapping[str, Category]) -> dict[str, Sequence[str]]:
    """The chosen values of facets that the category has."""
    category = categories.get(request.category)
    declared = [field.key for field in category.listing_fields if field.facet] if category else []
    return {key: tuple(request.facets[key]) for key in declared if request.facets.get(key)}


def on_sale(request: SearchRequest, categories: Mapping[str, Category], *, column: Any = L.c.category) -> Any:
    """Listings of enabled categories, of the wanted one if there is one."""
    if request.category:
        return column == request.category if request.category in categories else false()
    return column.in_(list(categories))


def free(wanted: range, now: datetime) -> Condition:
    """Whether a session can begin in one of the quarters, each wholly between notice and horizon."""
    minute = to_minute_up(now)
    today = minute // masks.DAY
    ways: list[Condition] = []
    for quarter in wanted:
        ahead = quarter * masks.QUARTER - minute
        if ahead < 0 or quarter // 96 >= today + masks.RING:
            continue
        byte, bit = masks.place(quarter)
        ways.append(
            and_(
                L.c.notice <= ahead,
                L.c.horizon >= ahead + masks.QUARTER - 1,
                L.c.known_until > quarter // 96,
                masks.has_bits(L.c.starts, literal(byte), literal(bit)),
            )
        )
    return or_(false(), *ways)


def at(now: datetime) -> dict[str, Any]:
    """The parameters of a statement with one of the conditions below, which are put together once."""
    return {"minute": to_minute_up(now), **presence.moment(now)}


#: The moment, in epoch minutes.
MINUTE: Any = bindparam("minute", type_=BigInteger)


def _next_free() -> ColumnElement[int]:
    earliest = MINUTE + L.c.notice
    first, last, step = L.c.free_from, L.c.free_to, L.c.step
    missing = earliest - first
    following = first + (missing + step - 1) // step * step
    return case((first.is_(None), NEVER), (first >= earliest, first), (last >= earliest, following), else_=NEVER)


#: The next free start in epoch minutes as far as the row knows it, :data:`NEVER` otherwise.
NEXT_FREE = _next_free()
#: Whether one of those who serve the listing takes a session this minute.
IS_AVAILABLE: Any = L.c.expert_id.in_(
    select(ExpertMember.expert_id).where(ExpertMember.user_id.in_(presence.AVAILABLE_USERS))
)
#: Whether the row may be out of date: somebody's time has just changed, or it is due to be looked at.  Not joined: few
#: or none are touched, which SQLite does not know and would look at all members.
IS_UNSURE: Any = or_(
    L.c.due_at <= MINUTE,
    L.c.expert_id.in_(select(ExpertMember.expert_id).where(ExpertMember.user_id.in_(select(TouchedTime.user_id)))),
)
