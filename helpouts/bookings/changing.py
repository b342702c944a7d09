"""Calling a booking off, by either side or an operator; the policy decides what that costs."""

from __future__ import annotations

from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.bookings import announce
from helpouts.bookings.models import Booking
from helpouts.bookings.placing import lock
from helpouts.bookings.policy import cancellation_charge
from helpouts.bookings.states import BOOKING
from helpouts.calendars.invitations import changed
from helpouts.clock import clock
from helpouts.coupons.uses import give_back
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import service as money
from helpouts.scheduling import changes

LONGEST_REASON = 1000


def charge_now(booking: Booking, actor: Actor) -> int:
    """What cancelling would cost the customer at this moment, minor units."""
    if actor.kind != "customer":
        return 0
    return cancellation_charge(
        booking.cancellation_policy,
        booking.pricing,
        booking.price_minor,
        booking.amount_minor,
        booking.starts_at,
        clock.now(),
    )


def cancel(db: Session, booking: Booking, reason: str, actor: Actor, *, waived: bool = False) -> Booking:
    """Cancel a confirmed booking, or give up a held one; the policy decides what is charged.

    :param waived: nothing is charged, whoever cancels: the other side could not keep to the time.
    :raises Conflict: it has begun, is over or was cancelled already.
    """
    if len(reason) > LONGEST_REASON:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=LONGEST_REASON), field="reason")
    lock(db, booking)
    changes.touch(db, [booking.host_id, booking.customer_id])
    if booking.state == "held":
        BOOKING.apply(db, booking, "abandon", actor, reason)
        give_back(db, [booking.id])
        return booking
    charge = 0 if waived else charge_now(booking, actor)
    BOOKING.apply(db, booking, "cancel", actor, reason)
    booking.cancel_reason, booking.closed_at = reason, clock.now()
    changed(booking)
    if booking.amount_minor:
        money.release_booking(db, booking, charge, actor)
    if not charge:
        give_back(db, [booking.id])
    announce.promise(db, booking, "cancelled", charge=charge, by=actor.user_id, reason=reason)
    return booking
