"""Saved searches, what they have found, posted requests and the experts' answers."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.db import Base, Json


class SavedSearch(Base):
    """A search that somebody wants to hear from.

    ``query`` is the search as its address says it.  The columns below it are the same, in the form in which a new
    listing is compared with ten thousand of them: ``category`` and ``subcategory`` are indexed, "" stands for any.
    """

    __tablename__ = "saved_search"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_saved_search_category_subcategory", "category", "subcategory"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    #: {parameter: [value, ...]} of the search page, without order and page number
    query: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: a digest of ``query``: nobody saves the same search twice
    key: Mapped[str] = mapped_column(String(64))
    category: Mapped[str] = mapped_column(String(40), default="")
    subcategory: Mapped[str] = mapped_column(String(60), default="")
    language: Mapped[str] = mapped_column(String(3), default="")
    #: "", "free" or "paid"
    price: Mapped[str] = mapped_column(String(8), default="")
    #: least and most that a session may cost, minor units
    price_min: Mapped[int | None]
    price_max: Mapped[int | None]
    rating_min: Mapped[int] = mapped_column(default=0)
    #: the stretch in which a session must begin, when the search asks for a time
    free_from: Mapped[datetime | None]
    free_until: Mapped[datetime | None] = mapped_column(index=True)
    paused: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    mailed_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


class SavedSearchHit(Base):
    """A listing that fits a saved search: known when it was saved, waiting for the next mail, or mailed.

    There is one row for a pair for ever, so that nobody is told of the same listing twice.
    """

    __tablename__ = "saved_search_hit"
    __table_args__ = (
        UniqueConstraint("search_id", "listing_id"),
        Index("ix_saved_search_hit_told_at_search_id", "told_at", "search_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id", ondelete="CASCADE"))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), index=True)
    found_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: None while it waits for the next mail
    told_at: Mapped[datetime | None]


class HelpRequest(Base):
    """What somebody needs and has not found; the experts of the field read and answer it."""

    __tablename__ = "help_request"
    __table_args__ = (
        CheckConstraint("timing IN ('now','week','dates','any')", name="timing"),
        CheckConstraint("budget_minor IS NULL OR budget_minor >= 0", name="budget"),
        Index("ix_help_request_state_category", "state", "category"),
        Index("ix_help_request_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: secrets.token_urlsafe(12))
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    category: Mapped[str] = mapped_column(String(40))
    subcategory: Mapped[str] = mapped_column(String(60), default="")
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    #: BCP 47 tag of the language in which to talk, "" for any
    language: Mapped[str] = mapped_column(String(3), default="")
    #: most that the session may cost, minor units of ``currency``; None says nothing, 0 asks for help for nothing
    budget_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    #: "now", "week" (within seven days), "dates" (the two days below) or "any"
    timing: Mapped[str] = mapped_column(String(8), default="any")
    #: first and last day in the customer's zone at posting
    day_from: Mapped[date | None]
    day_until: Mapped[date | None]
    #: open, answered, closed, withdrawn, expired, removed (see :mod:`helpouts.wishes.states`)
    state: Mapped[str] = mapped_column(String(12), default="open")
    #: what an operator said when removing it
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]

    customer: Mapped[User] = relationship(lazy="joined")
    answers: Mapped[list[RequestAnswer]] = relationship(back_populates="request", order_by="RequestAnswer.id")


class RequestAnswer(Base):
    """An expert's answer: one of their listings, perhaps at a proposed time, or some words; once per expert."""

    __tablename__ = "request_answer"
    __table_args__ = (UniqueConstraint("request_id", "expert_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("help_request.id", ondelete="CASCADE"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    #: the member who wrote it
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    starts_at: Mapped[datetime | None]
    text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    request: Mapped[HelpRequest] = relationship(back_populates="answers")
    expert: Mapped[Expert] = relationship(lazy="joined")
    listing: Mapped[Listing | None] = relationship()
