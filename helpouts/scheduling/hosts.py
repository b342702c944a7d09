"""Who serves a listing: which members may, and in which order they are asked.

A listing is served by the members it names, or by all members of its expert; in both cases by those who have an
account in use and hours of their own.  Its rule says who is taken of those who are free:

* ``any`` (fair): who has the fewest minutes of the expert's sessions that began in the last 30 days or are booked
  ahead; of equals the one whose last session ended longest ago, those without any first.
* ``priority``: the first in the listing's order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing, ListingMember
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import stored
from helpouts.scheduling.loading import COUNTED_STATES, unlapsed
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.stored import Hours

#: How far back work is counted.
FAIRNESS = timedelta(days=30)


class Served(Protocol):
    """What needs to be known of a listing."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def expert_id(self) -> int:
        """The id of its expert."""


def hosts(db: Session, listings: Iterable[Served]) -> dict[int, list[Hours]]:
    """The hours of those who serve, by listing id: in the listing's order, else the owner first.

    One query; one more when an expert has several members.
    """
    wanted = {listing.id: listing.expert_id for listing in listings}
    members = stored.serving(db, wanted.values())
    shared = [listing_id for listing_id, expert_id in wanted.items() if len(members.get(expert_id, ())) > 1]
    chosen = _chosen(db, shared) if shared else {}
    return {
        listing_id: _picked(members.get(expert_id, []), chosen.get(listing_id))
        for listing_id, expert_id in wanted.items()
    }


def in_order(db: Session, listing: Listing, user_ids: Sequence[int], now: datetime) -> list[int]:
    """Members who are free, as :func:`hosts` gave them, in the order in which they should be taken."""
    if len(user_ids) < 2 or listing.serving == "priority":
        return list(user_ids)
    sessions = (
        Booking.host_id.in_(user_ids),
        Booking.expert_id == listing.expert_id,
        Booking.state.in_(COUNTED_STATES),
        unlapsed(now),
    )
    minutes: dict[int, float] = defaultdict(float)
    times = select(Booking.host_id, Booking.starts_at, Booking.ends_at)
    for host, starts_at, ends_at in db.execute(times.where(*sessions, Booking.ends_at > now - FAIRNESS)):
        if starts_at >= now - FAIRNESS:
            minutes[host] += (ends_at - starts_at).total_seconds() / 60
    ended = select(Booking.host_id, func.max(Booking.ends_at)).where(*sessions).group_by(Booking.host_id)
    last: dict[int, datetime] = dict(db.execute(ended).all())
    long_ago = datetime.min.replace(tzinfo=now.tzinfo)
    return sorted(user_ids, key=lambda user_id: (minutes[user_id], last.get(user_id, long_ago)))


def choices(db: Session, listing: Listing, people: Sequence[Hours] | None = None) -> list[User]:
    """The people whom a customer may ask for by name; none when the listing does not offer that choice.

    :param people: what :func:`hosts` says of the listing, where it has been asked already.
    """
    if not listing.host_choice:
        return []
    rows = [row for row in (hosts(db, [listing])[listing.id] if people is None else people) if works(row)]
    if len(rows) < 2:
        return []
    ids = [row.user_id for row in rows]
    users = {user.id: user for user in db.scalars(select(User).where(User.id.in_(ids)))}
    return [users[user_id] for user_id in ids]


def asked_for(db: Session, listing: Listing, user_id: int | None) -> int | None:
    """The person whom a customer asks for by name, None for whoever is free.

    :raises HelpoutsError: the listing does not offer this person.
    """
    if user_id is not None and user_id not in {user.id for user in choices(db, listing)}:
        raise HelpoutsError(_l("This person cannot be asked for by name: choose from the list."), field="host")
    return user_id


def works(row: ScheduleRow | Hours) -> bool:
    """Whether there are any hours at all."""
    return bool(row.weekly or any(override.windows for override in row.overrides))


def _chosen(db: Session, listing_ids: Sequence[int]) -> dict[int, list[int]]:
    chosen: dict[int, list[int]] = defaultdict(list)
    query = (
        select(ListingMember.listing_id, ListingMember.user_id)
        .where(ListingMember.listing_id.in_(listing_ids))
        .order_by(ListingMember.priority, ListingMember.user_id)
    )
    for listing_id, user_id in db.execute(query):
        chosen[listing_id].append(user_id)
    return chosen


def _picked(rows: list[Hours], user_ids: list[int] | None) -> list[Hours]:
    if user_ids is None:
        return rows
    by_user = {row.user_id: row for row in rows}
    return [by_user[user_id] for user_id in user_ids if user_id in by_user]
