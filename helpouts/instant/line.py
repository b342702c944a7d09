"""The line: the place of a request, and how long it may take.

The estimate is an upper bound that is honest about what it knows: every running session is taken to last to its booked
end, every session of those before to last its whole length, the pauses of the experts are kept, and nobody ahead is
assumed to give up.  Sessions that end early make it shorter; only experts who leave can make it longer.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.instant import matching
from helpouts.instant.models import InstantOffer, InstantRequest


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands: ``number`` 1 is next; ``ready_at`` is when an expert should have time for it.

    :ivar experts: user ids of the busy experts in whose line it is.
    """

    number: int
    ready_at: datetime
    experts: tuple[int, ...]

    def minutes(self, now: datetime) -> int:
        """The wait in whole minutes from ``now``, rounded up, at least 1."""
        return max(1, -int((now - self.ready_at).total_seconds() // 60))


def place_of(db: Session, request: InstantRequest, now: datetime | None = None) -> Place | None:
    """The place of a waiting request; None when it is not in a line (or nobody is left whose line it could be)."""
    now = now or clock.now()
    if request.state != "waiting":
        return None
    servers = matching.busy(db, matching.wish_of(request), now)
    if not servers:
        return None
    return estimate(db, matching.wish_of(request), servers, _before(db, request), now)


def place_at_end(db: Session, wish: matching.Wish, now: datetime) -> Place | None:
    """Where somebody who asks now would stand; None when nobody fits, busy or not."""
    servers = matching.busy(db, wish, now)
    ahead = select(InstantRequest).where(InstantRequest.state.in_(("waiting", "ringing")))
    if not servers:
        return None
    return estimate(db, wish, servers, list(db.scalars(ahead.order_by(InstantRequest.asked_at)).unique()), now)


def estimate(
    db: Session, wish: matching.Wish, servers: list[matching.Candidate], before: list[InstantRequest], now: datetime
) -> Place:
    """Let those before take the experts one after the other, each the one who is free first."""
    mine = {server.user_id for server in servers}
    free = [(_free_at(db, server, now), server.user_id, server.listing.length_minutes) for server in servers]
    heapq.heapify(free)
    number = 1
    for request in before:
        rivals = {candidate.user_id for candidate in matching.busy(db, matching.wish_of(request), now)}
        if request.customer_id == wish.customer_id or not rivals & mine:
            continue
        number += request.state == "waiting"
        if request.state == "waiting":  # what rings is in the time of its expert already
            at, user_id, minutes = heapq.heappop(free)
            heapq.heappush(free, (at + timedelta(minutes=minutes), user_id, minutes))
    return Place(number, free[0][0], tuple(sorted(mine)))


def _free_at(db: Session, server: matching.Candidate, now: datetime) -> datetime:
    """When the person can begin: bookings and pauses kept, and the session that rings counted as if accepted."""
    minutes = server.listing.length_minutes
    rings = select(InstantOffer).where(InstantOffer.user_id == server.user_id, InstantOffer.state == "ringing")
    offer = db.scalar(rings)
    begin = now if offer is None else offer.until + timedelta(minutes=offer.listing.length_minutes)
    return matching.free_at(db, server.user_id, minutes, begin)


def _before(db: Session, request: InstantRequest) -> list[InstantRequest]:
    earlier = or_(
        InstantRequest.asked_at < request.asked_at,
        (InstantRequest.asked_at == request.asked_at) & (InstantRequest.id < request.id),
    )
    query = select(InstantRequest).where(InstantRequest.state.in_(("waiting", "ringing")), earlier)
    return list(db.scalars(query.order_by(InstantRequest.asked_at, InstantRequest.id)).unique())
