"""Access tokens, and the answers that are kept so that a repeated request has no second effect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.db import Base, Json


class ApiToken(Base):
    """A program's key to one person's part of the site.  Only its SHA-256 is kept; revoking deletes the row."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    #: what the person calls the program
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: the last four characters, so that people know which is which
    hint: Mapped[str] = mapped_column(String(4))
    #: some of "read" and "book"
    scopes: Mapped[list[str]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


class ApiAnswer(Base):
    """What was answered to a request with an Idempotency-Key, written in the transaction of its effect."""

    __tablename__ = "api_answer"
    __table_args__ = (Index("ix_api_answer_created_at", "created_at"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    #: SHA-256 of method, path and body: the same key with another request is refused
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
