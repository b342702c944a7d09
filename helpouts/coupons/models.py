"""Coupons, and the bookings that they made cheaper."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.db import Base


class Coupon(Base):
    """What an expert takes off the price for whoever knows the code: a part of it, or an amount.

    Nothing of it changes but its state and the number of uses, so that what was promised stays.
    """

    __tablename__ = "coupon"
    __table_args__ = (
        CheckConstraint("(percent IS NULL) <> (amount_minor IS NULL)", name="percent_or_amount"),
        CheckConstraint("percent IS NULL OR percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("amount_minor IS NULL OR amount_minor > 0", name="amount"),
        CheckConstraint("used >= 0 AND (most_uses IS NULL OR used <= most_uses)", name="uses"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unique for the whole site, in capitals
    code: Mapped[str] = mapped_column(String(24), unique=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id", ondelete="CASCADE"), index=True)
    #: the only listing that it is for; None for all of the expert's
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    #: percent off the price, 1 to 100
    percent: Mapped[int | None]
    #: or minor units of ``currency`` off a fixed price
    amount_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    #: the last day on which it can be used, on the clocks of ``zone``
    last_day: Mapped[date | None]
    zone: Mapped[str] = mapped_column(String(64))
    #: how many bookings it may make cheaper, and how many it has
    most_uses: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    once_each: Mapped[bool] = mapped_column(default=False)
    #: only for people who have not booked with this expert before
    newcomers_only: Mapped[bool] = mapped_column(default=False)
    #: active, paused, stopped (see :mod:`helpouts.coupons.states`)
    state: Mapped[str] = mapped_column(String(10), default="active")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    expert: Mapped[Expert] = relationship(lazy="joined")
    listing: Mapped[Listing | None] = relationship(lazy="joined")

    @property
    def is_over(self) -> bool:
        """Whether its last day is over where the expert is."""
        return self.last_day is not None and clock.now().astimezone(ZoneInfo(self.zone)).date() > self.last_day

    @property
    def last_day_label(self) -> str:
        """The last day for people, "" when there is none."""
        return "" if self.last_day is None else formatting.date(datetime.combine(self.last_day, time(), UTC), "UTC")

    @property
    def off_label(self) -> str:
        """What it takes off, for people: "20%", "€10.00"."""
        if self.percent is not None:
            return formatting.percent(self.percent * 100)
        return formatting.money(self.amount_minor or 0, self.currency)

    @property
    def is_used_up(self) -> bool:
        """Whether all its uses are taken."""
        return self.most_uses is not None and self.used >= self.most_uses


class CouponUse(Base):
    """A booking that a coupon made cheaper, with what it would have cost.  Amounts are in the booking's currency."""

    __tablename__ = "coupon_use"
    __table_args__ = (
        Index(
            "uq_coupon_use_once",
            "coupon_id",
            "customer_id",
            unique=True,
            sqlite_where=text("once AND returned_at IS NULL"),
            postgresql_where=text("once AND returned_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    coupon_id: Mapped[int] = mapped_column(ForeignKey("coupon.id"), index=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    #: whether the customer may have no second one of this coupon
    once: Mapped[bool]
    #: price and most that it would have cost without the coupon, and what is off the price; minor units
    price_minor: Mapped[int]
    amount_minor: Mapped[int]
    discount_minor: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: when the booking came to nothing, so that the use counts no more
    returned_at: Mapped[datetime | None]

    coupon: Mapped[Coupon] = relationship(lazy="joined")
    booking: Mapped[Booking] = relationship(lazy="raise_on_sql")
    customer: Mapped[User] = relationship(lazy="raise_on_sql")
