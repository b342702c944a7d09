"""Using a coupon for a booking whose time is held, and taking it out again.

A use is counted by the statement that asks whether one is left, so two checkouts at the same moment never take the
last one twice; what is once for each customer is a unique index.
"""

from __future__ import annotations

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.bookings.placing import lock
from helpouts.bookings.writing import take_turns
from helpouts.coupons.codes import normal
from helpouts.coupons.models import Coupon, CouponUse
from helpouts.coupons.uses import use_of
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import rounding


def reduced(coupon: Coupon, price_minor: int) -> int:
    """The price per session or minute with the coupon, minor units; never below 0, half rounded to even."""
    if coupon.percent is not None:
        return rounding.half_even(price_minor * (100 - coupon.percent), 100)
    return max(0, price_minor - (coupon.amount_minor or 0))


def apply(db: Session, booking: Booking, code: str) -> CouponUse:
    """Take a coupon off the price of a held booking.

    :raises HelpoutsError: with the reason, field "code"; nothing was changed once the caller rolls back.
    :raises Conflict: the booking is not held any more, or has a coupon.
    """
    _begin(db, booking)
    if use_of(db, booking.id) is not None:
        raise Conflict(_l("This booking has a coupon. Take it out first."), field="code")
    coupon = db.scalar(select(Coupon).where(Coupon.code == normal(code)).execution_options(populate_existing=True))
    if coupon is None:
        raise HelpoutsError(_l("There is no such coupon. Check how its code is written."), field="code")
    _check_meant(coupon, booking)
    _check_customer(db, coupon, booking)
    if not _counted(db, coupon):
        db.refresh(coupon)
        _check_meant(coupon, booking)
        raise HelpoutsError(_l("All uses of this coupon are taken."), field="code")
    price, amount = booking.price_minor, booking.amount_minor
    booking.price_minor = reduced(coupon, price)
    if booking.price_minor == price:
        raise HelpoutsError(_l("This coupon changes nothing at so low a price."), field="code")
    booking.amount_minor = booking.price_minor * (booking.minutes if booking.pricing == "per_minute" else 1)
    use = CouponUse(
        coupon=coupon,
        booking_id=booking.id,
        customer_id=booking.customer_id,
        once=coupon.once_each or coupon.newcomers_only,
        price_minor=price,
        amount_minor=amount,
        discount_minor=price - booking.price_minor,
    )
    db.add(use)
    try:
        db.flush()
    except IntegrityError:
        raise _used_before() from None
    return use


def take_out(db: Session, booking: Booking) -> None:
    """Give a held booking its full price back, and the coupon its use; without a coupon nothing is changed."""
    _begin(db, booking)
    use = use_of(db, booking.id)
    if use is None:
        return
    booking.price_minor, booking.amount_minor = use.price_minor, use.amount_minor
    fewer = update(Coupon).where(Coupon.id == use.coupon_id).values(used=Coupon.used - 1)
    db.execute(fewer, execution_options={"synchronize_session": False})
    db.delete(use)
    db.flush()


def _begin(db: Session, booking: Booking) -> None:
    """Take people and booking for this transaction, in the order in which others take them."""
    take_turns(db, booking.host_id, booking.customer_id)
    lock(db, booking)
    if booking.state == "expired":
        raise Conflict(_l("Your reservation has run out. Please choose a time again."))
    if booking.state != "held":
        raise Conflict(_l("The price of this booking is settled; it cannot be changed any more."))


def _check_meant(coupon: Coupon, booking: Booking) -> None:
    """Whether the coupon is for what was booked, and stands."""
    reason: object = None
    if coupon.expert_id != booking.expert_id:
        reason = _l("This coupon is for sessions with somebody else.")
    elif coupon.listing is not None and coupon.listing_id != booking.listing_id:
        reason = _l("This coupon is for another session: “%(title)s”.", title=coupon.listing.title)
    elif coupon.state != "active":
        reason = _l("This coupon is paused at the moment.")
    elif coupon.is_over and coupon.last_day is not None:
        reason = _l("This coupon was valid until %(date)s.", date=coupon.last_day_label)
    elif coupon.amount_minor is not None and booking.pricing != "fixed":
        reason = _l("This coupon is for sessions with a fixed price.")
    elif coupon.amount_minor is not None and coupon.currency != booking.currency:
        reason = _l("This coupon is for prices in %(currency)s.", currency=coupon.currency)
    if reason is not None:
        raise HelpoutsError(reason, field="code")


def _check_customer(db: Session, coupon: Coupon, booking: Booking) -> None:
    earlier = select(Booking.id).where(
        Booking.customer_id == booking.customer_id,
        Booking.expert_id == booking.expert_id,
        Booking.confirmed_at.is_not(None),
        Booking.state != "cancelled",
    )
    if coupon.newcomers_only and db.scalar(earlier.limit(1)) is not None:
        raise HelpoutsError(_l("This coupon is for people who book with this expert for the first time."), field="code")
    before = select(CouponUse.id).where(
        CouponUse.coupon_id == coupon.id,
        CouponUse.customer_id == booking.customer_id,
        CouponUse.returned_at.is_(None),
    )
    if coupon.once_each and db.scalar(before.limit(1)) is not None:
        raise _used_before()


def _counted(db: Session, coupon: Coupon) -> bool:
    """Count a use, if one is left and nobody has paused the coupon in this moment."""
    left = or_(Coupon.most_uses.is_(None), Coupon.used < Coupon.most_uses)
    counted = update(Coupon).where(Coupon.id == coupon.id, Coupon.state == "active", left).values(used=Coupon.used + 1)
    done = db.execute(counted, execution_options={"synchronize_session": False})
    assert isinstance(done, CursorResult)
    return bool(done.rowcount)


def _used_before() -> HelpoutsError:
    return HelpoutsError(_l("You have used this coupon before; it counts once for each customer."), field="code")
