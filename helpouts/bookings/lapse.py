"""Holds whose time is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.bookings.states import BOOKING
from helpouts.clock import clock
from helpouts.coupons.uses import give_back
from helpouts.jobs.service import handler
from helpouts.scheduling import changes

_row = Booking.__table__.c


def expire_lapsed(db: Session, *user_ids: int) -> int:
    """Let the holds of these people (all people, when none is named) lapse whose time is over; how many."""
    over = and_(_row.state == "held", _row.held_until < clock.now())
    query = select(_row.id).where(over).order_by(_row.id)
    if user_ids:
        query = query.where(or_(_row.host_id.in_(user_ids), _row.customer_id.in_(user_ids)))
    return expire(db, db.scalars(query).all())


def expire(db: Session, booking_ids: Sequence[int]) -> int:
    """Let these holds lapse that still are holds; how many."""
    if not booking_ids:
        return 0
    holds = select(Booking).where(Booking.id.in_(booking_ids), Booking.state == "held").order_by(Booking.id)
    locked = holds.with_for_update(of=Booking).execution_options(populate_existing=True)
    lapsed = db.scalars(locked).unique().all()
    for booking in lapsed:
        BOOKING.apply(db, booking, "lapse", SYSTEM, "the hold ran out")
        changes.touch(db, [booking.host_id, booking.customer_id])
    give_back(db, [booking.id for booking in lapsed])
    db.flush()
    return len(lapsed)


@handler("booking.lapse", every_seconds=60)
def lapse(db: Session, _payload: Mapping[str, Any]) -> None:
    """Let all holds lapse whose time is over (correctness does not wait for it; lists do)."""
    expire_lapsed(db)
