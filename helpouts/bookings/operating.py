"""What operators do for people: book, move; soft rules may be set aside with a reason, an overlap by nobody.

Soft rules are notice, horizon, working hours, other calendars, pauses and caps
(:func:`helpouts.scheduling.service.soft_problems`).  Which of them were set aside stands in the audit trail.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.bookings import announce, moving
from helpouts.bookings.drafts import draft
from helpouts.bookings.models import Booking
from helpouts.bookings.placing import place, reserve
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import service as scheduling

#: How long a customer may take to pay for what an operator has booked for them.
TO_PAY = timedelta(hours=24)


def book_for(
    db: Session,
    listing: Listing,
    customer: User,
    starts_at: datetime,
    reason: str,
    operator: Actor,
    *,
    length_minutes: int | None = None,
    waive: bool = False,
) -> Booking:
    """Book for a customer: a free session is confirmed; one that costs is held, and the customer gets a mail to pay it.

    :param waive: soft rules do not count; which ones, is audited.
    :raises Conflict: an overlap, or (without ``waive``) a rule that stands against it, named.
    """
    host_id = listing.expert.owner.id if waive else None
    minutes = length_minutes or listing.length_minutes
    waived = _waived(db, host_id, starts_at, minutes) if host_id else []
    if not waive:
        _explain(db, listing, starts_at, minutes)
    made = draft(
        db,
        listing,
        customer,
        starts_at,
        None,
        zone=customer.zone or "UTC",
        idempotency_key=f"operator:{secrets.token_hex(8)}",
        length_minutes=length_minutes,
        host_id=host_id,
        waive=waive,
    )
    if made.values["amount_minor"]:
        booking = reserve(db, made, operator, min(clock.now() + TO_PAY, starts_at))
        announce.promise(db, booking, "offered")
    else:
        booking = place(db, made, operator)
    record(db, operator, "booking.place", booking, reason, waived=waived)
    return booking


def move_for(
    db: Session, booking: Booking, starts_at: datetime, reason: str, operator: Actor, *, waive: bool = False
) -> Booking:
    """Move a booking for its people, who get a mail with the reason.

    :raises Conflict: an overlap, or (without ``waive``) a time that the host's rules do not allow.
    """
    minutes = booking.minutes
    waived = _waived(db, booking.host_id, starts_at, minutes, booking.id) if waive else []
    before = booking.starts_at
    moving.reschedule(db, booking, starts_at, operator, reason, waive=waive)
    record(db, operator, "booking.move", booking, reason, before=before.isoformat(), waived=waived)
    return booking


def _waived(db: Session, host_id: int, starts_at: datetime, minutes: int, without: int | None = None) -> list[str]:
    """The rules that are set aside; that a time is over is not one of them."""
    codes = [problem.code for problem in scheduling.soft_problems(db, host_id, starts_at, minutes, without=without)]
    if "past" in codes:
        raise HelpoutsError(_l("This time is over."), field="start")
    return codes


def _explain(db: Session, listing: Listing, starts_at: datetime, minutes: int) -> None:
    """Name what stands against a time, for somebody who may set it aside."""
    if scheduling.free_hosts(db, listing, starts_at, length_minutes=minutes):
        return
    problems = scheduling.soft_problems(db, listing.expert.owner.id, starts_at, minutes)
    if problems:
        raise Conflict(" ".join(str(problem) for problem in problems), field="start")
