"""What the form of a request has to say: who is there, what it costs, and what else one can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import plural
from helpouts.instant import line, matching
from helpouts.instant.presence import present_users
from helpouts.scheduling import service as scheduling

#: Above every price; the currency of a request in a field is that of its offers.
NO_LIMIT = 2**31 - 1
MOST_CAPS = 6


@dataclass(frozen=True, slots=True)
class Outlook:
    """How it stands for a wish now: somebody is "free", all are "busy" (with the place), or it is "empty"."""

    state: str
    place: line.Place | None = None


def outlook(db: Session, wish: matching.Wish) -> Outlook:
    """Whether it would ring at once."""
    now = clock.now()
    if next(matching.candidates(db, wish, now), None) is not None:
        return Outlook("free")
    place = line.place_at_end(db, wish, now)
    return Outlook("empty") if place is None else Outlook("busy", place)


def wish_for(listing: Listing, customer_id: int = 0, *, others: bool = False) -> matching.Wish:
    """What a request from that listing would look for."""
    return matching.Wish(
        customer_id,
        listing.id,
        listing.category,
        listing.subcategory,
        matching.cost_of(listing),
        listing.currency,
        others,
    )


def caps(db: Session, category: str, subcategory: str, customer_id: int) -> list[tuple[str, str]]:
    """(value, label) of sensible upper limits for a field, from the prices of those who are there; dearest first.

    A value is "CURRENCY:MINOR".
    """
    now = clock.now()
    cost = matching.cost()
    conditions = [Listing.category == category, Listing.state == "live", Expert.state == "active"]
    if subcategory:
        conditions.append(Listing.subcategory == subcategory)
    query = (
        select(cost.label("cost"), Listing.currency, func.count(func.distinct(ExpertMember.user_id)))
        .select_from(Listing)
        .join(ExpertMember, ExpertMember.expert_id == Listing.expert_id)
        .join(Expert, Expert.id == Listing.expert_id)
        .where(*conditions, ExpertMember.user_id.in_(present_users(now)), ExpertMember.user_id != customer_id)
        .group_by(cost, Listing.currency)
        .order_by(cost)
    )
    found = [(minor, currency, people) for minor, currency, people in db.execute(query)]
    if not found:
        return []
    currencies: dict[str, int] = {}
    for minor, currency, people in found:
        currencies[currency] = currencies.get(currency, 0) + (people if minor else 0)
    usual = max(currencies, key=lambda name: currencies[name])
    steps = sorted({minor for minor, currency, _people in found if currency == usual or not minor})
    labels = []
    for minor in steps[-MOST_CAPS:]:
        people = sum(count for other, currency, count in found if other <= minor and (currency == usual or not other))
        who = plural("%(num)s offer", "%(num)s offers", people) % {"num": people}
        amount = formatting.money(minor, usual) if minor else _("Free help only")
        labels.append((f"{usual}:{minor}", f"{amount} · {who}"))
    return labels[::-1]


def alternatives(db: Session, listing: Listing | None, category: str, subcategory: str, customer_id: int) -> Any:
    """(next free start of the listing or None, other listings that are available now): for when nobody answers."""
    now: datetime = clock.now()
    start = scheduling.next_free(db, [listing])[listing.id] if listing is not None else None
    currency = listing.currency if listing is not None else "EUR"
    wish = matching.Wish(customer_id, None, category, subcategory, NO_LIMIT, currency, True)
    others = []
    for candidate in matching.candidates(db, wish, now):
        if listing is None or candidate.listing.id != listing.id:
            others.append(candidate.listing)
        if len(others) == 3:
            break
    return start, others
