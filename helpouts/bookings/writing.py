"""The rows of a booking: written so that a slot is never sold twice, and each is noticed by those whom it concerns."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, bindparam, literal_column, or_, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from helpouts.accounts.models import User
from helpouts.bookings.lapse import expire
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.db.later import write_new_later
from helpouts.db.lists import one_of
from helpouts.db.prepared import Prepared
from helpouts.errors import Conflict
from helpouts.i18n import lazy_gettext as _l

DEADLOCK = "40P01"
_row = Booking.__table__.c
LIVE = _row.state.in_([literal_column(f"'{state}'") for state in LIVE_STATES])
#: Live bookings of either person, in whichever part, that overlap the time.
_WAY = Prepared(
    select(
        _row.id,
        and_(_row.state == literal_column("'held'"), _row.held_until < bindparam("now")).label("over"),
        _row.host_id,
        _row.customer_id,
    ).where(
        or_(
            _row.host_id.in_([bindparam("one"), bindparam("two")]),
            _row.customer_id.in_([bindparam("one"), bindparam("two")]),
        ),
        LIVE,
        _row.starts_at < bindparam("until"),
        _row.ends_at > bindparam("since"),
        _row.id != bindparam("itself"),
    )
)
_TURN = Prepared(select(User.id).where(one_of(User.id, "people")).order_by(User.id).with_for_update(key_share=True))


def take_turns(db: Session, *user_ids: int) -> None:
    """Bookings of the same person go one after the other (PostgreSQL; SQLite has one writer anyway).

    The guard alone would be right but not kind: two transactions that wait in its index for each other's rows are a
    deadlock, and PostgreSQL may end the one that was first.
    """
    if db.get_bind().dialect.name != "sqlite":
        _TURN.all(db, {"people": set(user_ids)})


def clear_way(
    db: Session, host_id: int, customer_id: int, starts_at: datetime, ends_at: datetime, itself: int = 0
) -> None:
    """Let holds lapse that are over and would be in the way of host and customer at that time.

    :param itself: a booking that is to be moved there.
    :raises Conflict: one of the two has another session then, in whichever part.
    """
    times = {"since": starts_at, "until": ends_at, "itself": itself, "one": host_id, "two": customer_id}
    found = _WAY.all(db, {**times, "now": clock.now()})
    for row in found:
        if not row.over:
            raise taken(host_id not in (row.host_id, row.customer_id))
    expire(db, [row.id for row in found])


def write(db: Session, booking: Booking, listing: Listing, customer: User) -> Booking:
    """Write a new booking's row.

    :raises Conflict: the time is taken, or the same request was written in this moment.
    """
    try:
        written = write_new_later(db, booking, or_nothing=True)
    except DBAPIError as error:
        raise refused(error) from None
    if written is None:  # PostgreSQL: a constraint stood against it
        raise taken(False)
    if listing in db:
        set_committed_value(booking, "listing", listing)
        set_committed_value(booking, "expert", listing.expert)
        hosts = {member.user_id: member.user for member in listing.expert.members}
        set_committed_value(booking, "host", hosts[booking.host_id])
    if customer in db:
        set_committed_value(booking, "customer", customer)
    return booking


def refused(error: DBAPIError) -> Exception:
    """What the database's refusal of a booking means to people; the error itself when it means nothing."""
    text = str(error.orig)
    if isinstance(error, IntegrityError) and "overlap" in text:
        return taken("customer_overlap" in text)
    if isinstance(error, IntegrityError) and "idempotency_key" in text:
        return taken(False)
    return taken(False) if getattr(error.orig, "sqlstate", None) == DEADLOCK else error


def taken(by_customer: bool) -> Conflict:
    """The refusal of a time that is not free: because of the customer's own sessions, or of somebody faster."""
    if by_customer:
        return Conflict(_l("You have another session at that time. Please choose another."), field="start")
    return Conflict(_l("Somebody was faster: this time has just been taken. Please choose another."), field="start")
