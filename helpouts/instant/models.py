"""Tables of help right now: the switch and the heartbeat of experts, requests, and the offers that ring."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.db import Base

#: States in which a request still looks for an expert; a customer has one such request at most.
OPEN_STATES = ("looking", "ringing", "waiting")
_OPEN = text("state IN ('looking','ringing','waiting')")
_RINGING = text("state = 'ringing'")


class AvailableSwitch(Base):
    """The switch "available now" of one person who serves listings: a wish, which counts while a device is there."""

    __tablename__ = "available_switch"
    __table_args__ = (Index("ix_available_switch_on", "is_on", "user_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    is_on: Mapped[bool]
    changed_at: Mapped[datetime]
    #: when a device of this person was last asked to ring: who was asked longest ago is asked first
    last_rung_at: Mapped[datetime | None]
    #: rings in a row that nobody answered
    missed: Mapped[int] = mapped_column(default=0)


class DevicePresence(Base):
    """Somebody has a device connected to a live node; it counts until the instant that the node last promised."""

    __tablename__ = "device_presence"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    node: Mapped[str] = mapped_column(String(80), primary_key=True)
    until: Mapped[datetime]


class DeskTicket(Base):
    """Lets one browser open its desk's WebSocket once, within a minute.  Only the hash is kept."""

    __tablename__ = "desk_ticket"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class InstantRequest(Base):
    """Somebody wants help now: from one listing, or from whoever fits in a field.

    The booking holds the money from the first moment on; its host and listing are only a guess until somebody accepts.
    """

    __tablename__ = "instant_request"
    __table_args__ = (
        CheckConstraint("most_minor >= 0", name="most"),
        Index("uq_instant_request_open", "customer_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_instant_request_line", "state", "asked_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    #: the listing that was asked for; None for a request in a field
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    category: Mapped[str] = mapped_column(String(40))
    #: "" for the whole field
    subcategory: Mapped[str] = mapped_column(String(60), default="")
    #: the most that the customer pays, minor units of ``currency``
    most_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    #: whether other experts of the field may be asked when the chosen one does not answer or is busy
    others: Mapped[bool]
    #: looking, ringing, waiting, accepted, withdrawn, unanswered, lapsed (see :mod:`helpouts.instant.states`)
    state: Mapped[str] = mapped_column(String(12), default="looking")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: the customer counts as there until then; each sign of life moves it
    heard_until: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    customer: Mapped[User] = relationship(lazy="joined")
    booking: Mapped[Booking] = relationship(lazy="joined")
    listing: Mapped[Listing | None] = relationship(lazy="joined")


class InstantOffer(Base):
    """One expert is asked to take one request; rings on all their devices until ``until``."""

    __tablename__ = "instant_offer"
    __table_args__ = (
        Index("uq_instant_offer_person", "user_id", unique=True, sqlite_where=_RINGING, postgresql_where=_RINGING),
        Index("uq_instant_offer_request", "request_id", unique=True, sqlite_where=_RINGING, postgresql_where=_RINGING),
        Index("ix_instant_offer_asked", "request_id", "user_id"),
        Index("ix_instant_offer_state", "state", "until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("instant_request.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    #: what would be served
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    #: ringing, accepted, declined, missed, stopped (see :mod:`helpouts.instant.states`)
    state: Mapped[str] = mapped_column(String(10), default="ringing")
    rung_at: Mapped[datetime] = mapped_column(default=clock.now)
    until: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    request: Mapped[InstantRequest] = relationship(lazy="joined")
    listing: Mapped[Listing] = relationship(lazy="joined")
    user: Mapped[User] = relationship(lazy="joined")
