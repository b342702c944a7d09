"""Experts and what they offer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.db import Base, Json
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l


class Length(NamedTuple):
    """A length that a listing is offered in, with its price: per session, or per minute where that is the pricing."""

    minutes: int
    price_minor: int


class Expert(Base):
    """An expert: one person, or a company whose members share its listings."""

    __tablename__ = "expert"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    #: "individual" or "company"
    kind: Mapped[str] = mapped_column(String(12), default="individual")
    name: Mapped[str] = mapped_column(String(120))
    headline: Mapped[str] = mapped_column(String(160), default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    #: BCP 47 tags, e.g. ["de", "en"]
    languages: Mapped[list[str]] = mapped_column(Json, default=list)
    #: active, suspended (see :mod:`helpouts.catalog.states`)
    state: Mapped[str] = mapped_column(String(16), default="active")
    rating_sum: Mapped[int] = mapped_column(default=0)
    rating_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    members: Mapped[list[ExpertMember]] = relationship(back_populates="expert")
    categories: Mapped[list[ExpertCategory]] = relationship()

    @property
    def owner(self) -> User:
        """The member who made the profile."""
        return next(member.user for member in self.members if member.role == "owner")


class ExpertMember(Base):
    """A person who serves for an expert; an individual expert has exactly one, the owner."""

    __tablename__ = "expert_member"
    __table_args__ = (UniqueConstraint("expert_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    #: "owner", "manager" or "member"
    role: Mapped[str] = mapped_column(String(12), default="owner")

    expert: Mapped[Expert] = relationship(back_populates="members")
    user: Mapped[User] = relationship(lazy="joined")


class ExpertCategory(Base):
    """A category that an invitation opened for an expert, with who vetted it and when."""

    __tablename__ = "expert_category"
    __table_args__ = (UniqueConstraint("expert_id", "category"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id", ondelete="CASCADE"))
    category: Mapped[str] = mapped_column(String(40))
    granted_at: Mapped[datetime] = mapped_column(default=clock.now)


class Listing(Base):
    """One offer of an expert.  Amounts are minor units of ``currency``."""

    __tablename__ = "listing"
    __table_args__ = (
        CheckConstraint("pricing IN ('free','fixed','per_minute')", name="pricing"),
        CheckConstraint("(pricing = 'free') = (price_minor = 0)", name="free_is_zero"),
        CheckConstraint("price_minor >= 0 AND length_minutes BETWEEN 5 AND 480", name="bounds"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    category: Mapped[str] = mapped_column(String(40), index=True)
    subcategory: Mapped[str] = mapped_column(String(60), default="")
    title: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str] = mapped_column(String(240), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    requirements: Mapped[str] = mapped_column(Text, default="")
    languages: Mapped[list[str]] = mapped_column(Json, default=list)
    #: answers to the category's listing fields, by key
    fields: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: "free", "fixed" (price per session) or "per_minute" (price per connected minute, capped by the length)
    pricing: Mapped[str] = mapped_column(String(12), default="fixed")
    price_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    #: the main length; the price above is meant for it
    length_minutes: Mapped[int] = mapped_column(default=30)
    #: further lengths, [[minutes, price_minor], ...], ascending; the price is None unless it is a price per session
    more_lengths: Mapped[list[list[int | None]]] = mapped_column(Json, default=list)
    #: which member serves: "any" (who had the fewest minutes lately) or "priority" (the first who is free)
    serving: Mapped[str] = mapped_column(String(12), default="any")
    #: whether customers may ask for a member by name
    host_choice: Mapped[bool] = mapped_column(default=False)
    #: "flexible", "moderate" or "strict"
    cancellation_policy: Mapped[str] = mapped_column(String(12), default="moderate")
    #: draft, in_review, live, declined, suspended, retired (see :mod:`helpouts.catalog.states`)
    state: Mapped[str] = mapped_column(String(16), default="draft", index=True)
    #: an edit of a live listing that waits for review, as {field: value}; None when there is none
    pending: Mapped[dict[str, Any] | None] = mapped_column(Json)
    rating_sum: Mapped[int] = mapped_column(default=0)
    rating_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    expert: Mapped[Expert] = relationship(lazy="joined")

    __mapper_args__ = {"version_id_col": version}

    def offered(self) -> tuple[Length, ...]:
        """The lengths that can be booked, with their prices: the main one first."""
        main = Length(self.length_minutes, self.price_minor)
        more = (
            Length(minutes or 0, self.price_minor if price is None else price)
            for minutes, price in self.more_lengths or ()
        )
        return (main, *more)

    def price_of(self, minutes: int) -> int:
        """What a session of that length costs, in minor units: per session, or per minute.

        :raises HelpoutsError: if the listing is not offered in that length; the field is "length".
        """
        for length in self.offered():
            if length.minutes == minutes:
                return length.price_minor
        raise HelpoutsError(_l("This session is not offered in that length: choose one from the list."), field="length")


class ListingMember(Base):
    """A member who serves a listing; a listing without any is served by all members of its expert."""

    __tablename__ = "listing_member"

    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    #: the lowest number is asked first where the listing is served by priority
    priority: Mapped[int] = mapped_column(default=0)
