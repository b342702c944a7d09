"""Everything that a booking needs and that can be read before the transaction that writes it.

A database with one writer at a time (SQLite) is as fast as its writing transactions are short.  So a caller may make
the :class:`Draft` with a reading session and hand it to :func:`helpouts.bookings.placing.place`, which sees at one
glance whether anything that matters has changed since.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, joinedload, lazyload

from helpouts import site
from helpouts.accounts.models import User
from helpouts.bookings import quick
from helpouts.bookings.intake import check_answers
from helpouts.bookings.models import Booking
from helpouts.bookings.writing import LIVE
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.db.once import known
from helpouts.db.prepared import Prepared
from helpouts.errors import Conflict, NotAllowed, NotFound, Unavailable
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import service as money
from helpouts.runtime import runtime_of
from helpouts.scheduling.models import ScheduleRow

#: Bookings so near can matter to a start: buffers, and the caps of its day and week.
NEAR = timedelta(days=8)
_row = Booking.__table__.c
_ZONE = Prepared(select(ScheduleRow.__table__.c.zone).where(ScheduleRow.__table__.c.user_id == bindparam("host")))
#: What a draft rests on: the listing and expert as they are, the host's hours, the host's bookings around the start.
_SEEN = Prepared(
    select(
        Listing.__table__.c.version,
        Listing.__table__.c.state,
        Expert.__table__.c.state,
        select(ScheduleRow.__table__.c.version)
        .where(ScheduleRow.__table__.c.user_id == bindparam("host"))
        .scalar_subquery(),
        select(func.count() * 1_000_003 + func.coalesce(func.sum(_row.ical_sequence), 0))
        .where(
            _row.host_id == bindparam("host"),
            LIVE,
            _row.ends_at > bindparam("since"),
            _row.starts_at < bindparam("until"),
        )
        .scalar_subquery(),
        select(func.coalesce(func.max(_row.id), 0)).where(_row.host_id == bindparam("host")).scalar_subquery(),
    )
    .join_from(Listing.__table__, Expert.__table__, Listing.__table__.c.expert_id == Expert.__table__.c.id)
    .where(Listing.__table__.c.id == bindparam("listing"))
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking that could be written.

    :ivar values: the row, as a held booking, but for ``held_until``.
    :ivar seen: what it rests on (:func:`seen`).
    :ivar wish: the arguments it was made from, to make it again.
    :ivar settings: what was read of the site's settings and plugins.
    """

    listing: Listing
    customer: User
    values: dict[str, Any]
    hold_minutes: int
    seen: tuple[Any, ...]
    wish: dict[str, Any]
    settings: Mapping[Any, Any]


def check_bookable(db: Session, listing: Listing) -> Any:
    """The listing's category, when the listing can be booked now.

    :raises Unavailable: with the reason, when it cannot.
    """
    category = runtime_of(db).registry.categories(db).get(listing.category)
    if category is None:
        name = in_language(runtime_of(db).registry.category(listing.category).name)
        raise Unavailable(_l("Bookings in “%(name)s” are paused at the moment. Please come back later.", name=name))
    if listing.state != "live" or listing.expert.state != "active":
        raise Unavailable(_l("This listing cannot be booked at the moment."))
    if listing.pricing != "free" and not money.ready_to_be_paid(db, owner_of(listing)):
        raise Unavailable(_l("This expert cannot take payments at the moment."))
    return category


def draft(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    answers: Mapping[str, Any] | None,
    *,
    zone: str,
    idempotency_key: str,
    length_minutes: int | None = None,
    host_id: int | None = None,
    waive: bool = False,
    watch: bool = True,
) -> Draft:
    """Check everything that can be checked before the booking is written.

    :param answers: to the category's questions; None when nobody was there to ask.
    :param length_minutes: one of the listing's lengths; its main one by default.
    :param host_id: the member who shall serve; by default the first that the listing's serving rule names.
    :param waive: the host's soft rules do not count (:func:`helpouts.scheduling.service.soft_problems`).
    :param watch: whether :func:`seen` is asked; not needed within the transaction that writes.
    :raises Conflict: the time is not free.
    :raises Unavailable: the listing cannot be booked now.
    :raises NotAllowed: it is the customer's own listing.
    :raises HelpoutsError: for an answer that does not fit, with its field.
    """
    category = check_bookable(db, listing)
    intake = [] if answers is None else check_answers(category.intake, answers)
    if customer.id in hosts_of(listing):
        raise NotAllowed(_l("You cannot book your own listing."))
    minutes = length_minutes or listing.length_minutes
    price = listing.price_of(minutes)
    free = quick.free_hosts(db, listing, starts_at, length_minutes=minutes, host_id=host_id)
    if not free and waive and starts_at > clock.now():
        free = [host_id or owner_of(listing)]
    if not free or (host_id is not None and host_id not in hosts_of(listing)):
        raise Conflict(_l("This time is not free any more. Please choose another."), field="start")
    fee = category.fee_bp if category.fee_bp is not None else site.get(db, "fee_bp")
    values = {
        "public_id": secrets.token_urlsafe(16),
        "listing_id": listing.id,
        "expert_id": listing.expert_id,
        "host_id": free[0],
        "customer_id": customer.id,
        "kind": "scheduled",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=minutes),
        "title": listing.title,
        "category": listing.category,
        "pricing": listing.pricing,
        "price_minor": price,
        "currency": listing.currency,
        "amount_minor": price * (minutes if listing.pricing == "per_minute" else 1),
        "fee_bp": 0 if listing.pricing == "free" else fee,
        "cancellation_policy": listing.cancellation_policy,
        "customer_zone": zone,
        "host_zone": zone_of(db, free[0]),
        "intake": intake,
        "idempotency_key": key_of(customer.id, idempotency_key),
    }
    wish = {
        "starts_at": starts_at,
        "answers": answers,
        "zone": zone,
        "idempotency_key": idempotency_key,
        "length_minutes": length_minutes,
        "host_id": host_id,
        "waive": waive,
    }
    found = seen(db, values) if watch else ()
    return Draft(listing, customer, values, site.get(db, "hold_minutes"), found, wish, known(db))


def seen(db: Session, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """A mark that differs once the listing, the host's hours or the host's bookings near that time have changed."""
    parameters = {
        "listing": values["listing_id"],
        "host": values["host_id"],
        "since": values["starts_at"] - NEAR,
        "until": values["ends_at"] + NEAR,
    }
    return tuple(_SEEN.run(db, parameters).one())


def hosts_of(listing: Listing) -> Collection[int]:
    """User ids of everybody who serves for the listing's expert."""
    return {member.user_id for member in listing.expert.members}


def owner_of(listing: Listing) -> int:
    """User id of the person who made the expert's profile: whose readiness to be paid counts."""
    return next(member.user_id for member in listing.expert.members if member.role == "owner")


def find(db: Session, listing_id: int, customer_id: int) -> tuple[Listing, User]:
    """A listing and a customer with no more of their relations than a booking looks at.

    :raises NotFound: there is no such listing or person.
    """
    expert = joinedload(Listing.expert)
    lean = (
        expert.lazyload(Expert.categories),
        expert.joinedload(Expert.members).lazyload(ExpertMember.user),
    )
    listing = db.scalars(select(Listing).where(Listing.id == listing_id).options(*lean)).unique().one_or_none()
    customer = db.get(User, customer_id, options=[lazyload(User.roles)])
    if listing is None or customer is None:
        raise NotFound(_l("There is no such listing."))
    return listing, customer


def zone_of(db: Session, user_id: int) -> str:
    """The zone in which a host's hours are meant; UTC for one without hours."""
    return _ZONE.run(db, {"host": user_id}).scalar() or "UTC"


def key_of(customer_id: int, idempotency_key: str) -> str:
    """How a client's key is kept: keys of different customers never meet."""
    return f"{customer_id}:{idempotency_key}"[:80]
