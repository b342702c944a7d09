"""Bookings: who meets whom, when, for how much; series and moves.

What the database refuses is in :mod:`helpouts.bookings.guard`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.db import Base, Json

#: States in which a booking takes the time of both people.
LIVE_STATES = ("held", "confirmed", "in_session")


class Booking(Base):
    """One meeting.  Price, fee and policy are a snapshot of the listing on the day of booking."""

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("host_id <> customer_id", name="two_people"),
        CheckConstraint("amount_minor >= 0 AND fee_bp BETWEEN 0 AND 10000", name="amounts"),
        Index("ix_booking_host_time", "host_id", "ends_at", "starts_at"),
        Index("ix_booking_customer_time", "customer_id", "ends_at", "starts_at"),
        Index(
            "ix_booking_of_series",
            "series_id",
            sqlite_where=text("series_id IS NOT NULL"),
            postgresql_where=text("series_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs and as the calendar UID's local part
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    #: the person who serves (the expert's member)
    host_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    #: requested (help now), held, confirmed, in_session,
    #: completed, cancelled, expired, no_show (see :mod:`helpouts.bookings.states`)
    state: Mapped[str] = mapped_column(String(16), default="held", index=True)
    #: "scheduled" or "instant"
    kind: Mapped[str] = mapped_column(String(10), default="scheduled")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    #: while held: when the hold lapses
    held_until: Mapped[datetime | None]
    title: Mapped[str] = mapped_column(String(120))
    category: Mapped[str] = mapped_column(String(40))
    pricing: Mapped[str] = mapped_column(String(12))
    #: price per session or per minute, minor units of currency
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    #: the most that the session can cost: what is held, minor units of currency
    amount_minor: Mapped[int]
    #: the platform's fee in basis points of what is captured (2000 = 20 %)
    fee_bp: Mapped[int]
    cancellation_policy: Mapped[str] = mapped_column(String(12))
    customer_zone: Mapped[str] = mapped_column(String(64))
    host_zone: Mapped[str] = mapped_column(String(64))
    #: answers to the category's intake questions, [{"key", "label", "answer"}]
    intake: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    ical_sequence: Mapped[int] = mapped_column(default=0)
    #: how often it was moved by its two people
    moves: Mapped[int] = mapped_column(default=0, server_default="0")
    #: the series it was booked with, if any
    series_id: Mapped[int | None] = mapped_column(ForeignKey("booking_series.id"))
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    confirmed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: what a client sent with the request; the same key from the same customer is the same booking
    idempotency_key: Mapped[str | None] = mapped_column(String(80), unique=True)

    listing: Mapped[Listing] = relationship(lazy="joined")
    expert: Mapped[Expert] = relationship(lazy="joined")
    host: Mapped[User] = relationship(foreign_keys=[host_id], lazy="joined")
    customer: Mapped[User] = relationship(foreign_keys=[customer_id], lazy="joined")

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)

    @property
    def is_settled_on(self) -> bool:
        """Whether the host is more than a guess: a request for help now has one only once somebody accepts."""
        return self.kind != "instant" or self.confirmed_at is not None


class BookingSeries(Base):
    """Sessions that were booked together, one every week or every second one, at the same time on the host's clock."""

    __tablename__ = "booking_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    every_weeks: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: what a client sent with the request; the same key from the same customer is the same series
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)


class BookingMove(Base):
    """A booking was moved to another time, or somebody proposes to (:data:`helpouts.bookings.states.MOVE`)."""

    __tablename__ = "booking_move"
    __table_args__ = (
        CheckConstraint("starts_at <> old_starts_at", name="elsewhere"),
        Index(
            "uq_booking_move_open",
            "booking_id",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    #: proposed, done, declined, withdrawn
    state: Mapped[str] = mapped_column(String(10), default="proposed")
    #: who asked for it: "customer", "expert" or "operator", and which person
    side: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    old_starts_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]


class BookingExtension(Base):
    """More minutes for a session that runs: asked for by one side, agreed to by the other.

    Its life is :data:`helpouts.bookings.states.EXTENSION`.
    """

    __tablename__ = "booking_extension"
    __table_args__ = (
        CheckConstraint("minutes > 0 AND amount_minor >= 0", name="amounts"),
        Index(
            "uq_booking_extension_open",
            "booking_id",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    #: proposed, done, declined, withdrawn
    state: Mapped[str] = mapped_column(String(10), default="proposed")
    #: who asked for it: "customer" or "expert", and which person
    side: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    minutes: Mapped[int]
    #: what is held for it on top, minor units of the booking's currency
    amount_minor: Mapped[int]
    old_ends_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
