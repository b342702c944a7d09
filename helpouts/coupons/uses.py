"""Uses of coupons: which one a booking has, and giving it back when the booking comes to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, lazyload

from helpouts.clock import clock
from helpouts.coupons.models import Coupon, CouponUse

#: Objects of the session are not looked at: who has one of these refreshes it.
_APART = {"synchronize_session": False}


def use_of(db: Session, booking_id: int) -> CouponUse | None:
    """The use of a coupon by this booking, with its coupon, also one that was given back since."""
    return db.scalar(select(CouponUse).where(CouponUse.booking_id == booking_id))


def uses_of(db: Session, coupon: Coupon, most: int) -> list[CouponUse]:
    """The newest uses of a coupon, with their bookings and customers."""
    people = joinedload(CouponUse.booking).lazyload("*"), joinedload(CouponUse.customer).lazyload("*")
    query = select(CouponUse).where(CouponUse.coupon_id == coupon.id).options(*people, lazyload(CouponUse.coupon))
    return list(db.scalars(query.order_by(CouponUse.id.desc()).limit(most)))


def give_back(db: Session, booking_ids: Sequence[int]) -> None:
    """These bookings, which nobody pays for, use no coupon any more; their prices stay as they are."""
    standing = CouponUse.booking_id.in_(booking_ids), CouponUse.returned_at.is_(None)
    coupons = db.scalars(select(CouponUse.coupon_id).where(*standing)).all()
    if not coupons:
        return
    # A coupon is always locked before its uses.
    db.execute(select(Coupon.id).where(Coupon.id.in_(coupons)).order_by(Coupon.id).with_for_update())
    ended = update(CouponUse).where(*standing).values(returned_at=clock.now()).returning(CouponUse.coupon_id)
    for coupon_id, count in Counter(db.scalars(ended, execution_options=_APART)).items():
        fewer = update(Coupon).where(Coupon.id == coupon_id).values(used=Coupon.used - count)
        db.execute(fewer, execution_options=_APART)
