"""Which experts fit a request, and in which order they are asked.

The order is fair, and the same for everybody: first those who serve the listing that was asked for; then who was asked
longest ago (those who never were come first), then who has been available for longest.  Of several listings of one
person the cheapest that fits is offered.  Whoever has declined or missed a request is not asked again for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, or_, select
from sqlalchemy.orm import Session

from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.instant.models import AvailableSwitch, InstantOffer, InstantRequest
from helpouts.instant.presence import available_users, present_users
from helpouts.payments import service as money
from helpouts.scheduling import service as scheduling

#: Sessions are never shorter; the exact length is checked for each expert.
SHORTEST_MINUTES = 5
#: People looked at for one request at a time; far more than one request ever rings through.
MOST = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request looks for; ``most_minor`` is the most it may cost, in ``currency``."""

    customer_id: int
    listing_id: int | None
    category: str
    subcategory: str
    most_minor: int
    currency: str
    others: bool
    request_id: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who could take it, with the listing that would be served."""

    user_id: int
    listing: Listing


def wish_of(request: InstantRequest) -> Wish:
    """The same as plain values."""
    return Wish(
        request.customer_id,
        request.listing_id,
        request.category,
        request.subcategory,
        request.most_minor,
        request.currency,
        request.others,
        request.id,
    )


def cost() -> ColumnElement[int]:
    """The most that a session of a listing can cost, minor units, in SQL."""
    return case(
        (Listing.pricing == "per_minute", Listing.price_minor * Listing.length_minutes), else_=Listing.price_minor
    )


def cost_of(listing: Listing) -> int:
    """The most that a session of the listing can cost, minor units."""
    return listing.price_minor * (listing.length_minutes if listing.pricing == "per_minute" else 1)


def candidates(db: Session, wish: Wish, now: datetime) -> Iterator[Candidate]:
    """Who can be asked at this moment, in order; each person once."""
    ringing = exists().where(InstantOffer.user_id == ExpertMember.user_id, InstantOffer.state == "ringing")
    free = ExpertMember.user_id.in_(available_users(now, SHORTEST_MINUTES))
    for candidate in _fitting(db, wish, free, ~ringing):
        if _has_time(db, candidate, now) and _can_serve(db, candidate):
            yield candidate


def busy(db: Session, wish: Wish, now: datetime) -> list[Candidate]:
    """Who would fit but is in a session, about to begin one, or being rung: the people whose line it could be.

    Somebody in a session counts with the switch on, even when no device of theirs is connected at this moment.
    """
    ringing = exists().where(InstantOffer.user_id == ExpertMember.user_id, InstantOffer.state == "ringing")
    in_session = exists().where(
        Booking.host_id == ExpertMember.user_id,
        or_(
            Booking.state == "in_session",
            and_(Booking.state == "confirmed", Booking.starts_at <= now, Booking.ends_at > now),
        ),
    )
    here = or_(ExpertMember.user_id.in_(present_users(now)), and_(AvailableSwitch.is_on.is_(True), in_session))
    found = _fitting(db, wish, here, or_(ringing, in_session, ExpertMember.user_id.not_in(available_users(now, 60))))
    return [candidate for candidate in found if _can_serve(db, candidate)]


def _fitting(db: Session, wish: Wish, *conditions: ColumnElement[bool]) -> list[Candidate]:
    refused = exists().where(
        InstantOffer.request_id == wish.request_id,
        InstantOffer.user_id == ExpertMember.user_id,
        InstantOffer.state.in_(("declined", "missed")),
    )
    chosen = case((Listing.id == (wish.listing_id or 0), 0), else_=1)
    query = (
        select(ExpertMember.user_id, Listing)
        .join(Listing, Listing.expert_id == ExpertMember.expert_id)
        .join(Expert, Expert.id == ExpertMember.expert_id)
        .outerjoin(AvailableSwitch, AvailableSwitch.user_id == ExpertMember.user_id)
        .where(
            _in_field(wish),
            Listing.state == "live",
            Expert.state == "active",
            or_(Listing.pricing == "free", and_(cost() <= wish.most_minor, Listing.currency == wish.currency)),
            ExpertMember.user_id != wish.customer_id,
            ~refused,
            *conditions,
        )
        .order_by(
            chosen,
            AvailableSwitch.last_rung_at.asc().nulls_first(),
            AvailableSwitch.changed_at,
            ExpertMember.user_id,
            cost(),
            Listing.id,
        )
        .limit(MOST)
    )
    seen: dict[int, Candidate] = {}
    for user_id, listing in db.execute(query).unique():
        seen.setdefault(user_id, Candidate(user_id, listing))
    return list(seen.values())


def _in_field(wish: Wish) -> ColumnElement[bool]:
    field = [Listing.category == wish.category]
    if wish.subcategory:
        field.append(Listing.subcategory == wish.subcategory)
    if wish.listing_id is None:
        return and_(*field)
    own = Listing.id == wish.listing_id
    return or_(own, and_(*field)) if wish.others else own


def free_at(db: Session, user_id: int, minutes: int, now: datetime) -> datetime:
    """When the person can begin a session of that length, bookings and the pause between sessions kept.

    Calendars from elsewhere are not asked: whoever switches "available now" on has said it themselves.
    """
    row = scheduling.schedule_of(db, user_id)
    pause = timedelta(minutes=max(row.buffer_before, row.buffer_after))
    begin = now
    for starts_at, ends_at in booked(db, user_id, now - pause, now + timedelta(days=1)):
        if starts_at - pause >= begin + timedelta(minutes=minutes):
            break
        begin = max(begin, ends_at + pause)
    return begin


def booked(db: Session, user_id: int, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The person's live bookings that touch the time, in either part, in order; lapsed holds take none."""
    mine = or_(Booking.host_id == user_id, Booking.customer_id == user_id)
    running = and_(Booking.state == "in_session", Booking.starts_at <= end)
    standing = or_(Booking.state == "confirmed", and_(Booking.state == "held", Booking.held_until > clock.now()))
    during = and_(Booking.starts_at < end, Booking.ends_at > start)
    query = select(Booking.starts_at, Booking.ends_at, Booking.state).where(mine, or_(running, and_(standing, during)))
    soon = start + timedelta(minutes=1)  # a session that overruns ends, for all we know, at any moment
    return sorted(
        (starts_at, max(ends_at, soon) if state == "in_session" else ends_at)
        for starts_at, ends_at, state in db.execute(query)
    )


def _has_time(db: Session, candidate: Candidate, now: datetime) -> bool:
    return free_at(db, candidate.user_id, candidate.listing.length_minutes, now) <= now


def _can_serve(db: Session, candidate: Candidate) -> bool:
    try:
        bookings.check_bookable(db, candidate.listing)
    except HelpoutsError:
        return False
    return candidate.listing.pricing == "free" or money.ready_to_be_paid(db, candidate.user_id)
