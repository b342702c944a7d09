"""The wait-list: people who wait for free time of a listing, and what they were offered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.db import Base, Json


class WaitlistEntry(Base):
    """Somebody waits for free time of a listing; its life is :data:`helpouts.bookings.states.WAITING`."""

    __tablename__ = "waitlist_entry"
    __table_args__ = (
        CheckConstraint("from_minute >= 0 AND from_minute < until_minute AND until_minute <= 1440", name="minutes"),
        Index(
            "uq_waitlist_entry_open",
            "listing_id",
            "customer_id",
            unique=True,
            sqlite_where=text("state IN ('waiting','offered')"),
            postgresql_where=text("state IN ('waiting','offered')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    #: waiting, offered, booked, left, over
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    #: one of the listing's further lengths; None = its main one
    length_minutes: Mapped[int | None]
    #: what suits: weekdays (0 = Monday, empty = any) and wall minutes in ``zone``, until the end of that day
    weekdays: Mapped[list[int]] = mapped_column(Json, default=list)
    from_minute: Mapped[int] = mapped_column(default=0)
    until_minute: Mapped[int] = mapped_column(default=1440)
    until: Mapped[date]
    zone: Mapped[str] = mapped_column(String(64))
    #: answers to the category's questions, as the form has them
    answers: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: offers that ran out without an answer
    missed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]

    listing: Mapped[Listing] = relationship()
    customer: Mapped[User] = relationship()

    @property
    def minutes(self) -> int:
        """How long the session is to last."""
        return self.length_minutes or self.listing.length_minutes


class WaitlistOffer(Base):
    """A slot that was held for somebody who waits; the booking's own state tells what became of it."""

    __tablename__ = "waitlist_offer"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("waitlist_entry.id", ondelete="CASCADE"), index=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    starts_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    booking: Mapped[Booking] = relationship()
