"""What customers say after a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.db import Base


class Review(Base):
    """One review of one booking, by its customer; the expert may reply once."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        Index("ix_review_newest", "state", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(Text, default="")
    #: "published" or "hidden" (by an operator, with a reason in the audit trail)
    state: Mapped[str] = mapped_column(String(12), default="published")
    reply: Mapped[str] = mapped_column(Text, default="")
    replied_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    author: Mapped[User] = relationship(lazy="joined")
