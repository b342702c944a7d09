"""Requests for an operator in the room."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.db import Base
from helpouts.sessions.models import Session

_STANDING = text("state IN ('open','taken')")


class SupportRequest(Base):
    """One of the two asks an operator into their room (:data:`helpouts.sessions.states.SUPPORT`).

    At most one stands in a session: the index says so, whoever asks at the same moment.
    """

    __tablename__ = "support_request"
    __table_args__ = (
        Index(
            "uq_support_request_standing",
            "session_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    #: read by the other side and by operators
    reason: Mapped[str] = mapped_column(Text)
    #: open, taken, withdrawn, closed
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    #: the last line of the chat that was there before; the operator reads what comes after it
    after_seq: Mapped[int] = mapped_column(default=0)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    taken_at: Mapped[datetime | None]
    #: when the operator was in the room for the first time
    entered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    session: Mapped[Session] = relationship()
    asker: Mapped[User] = relationship(foreign_keys=[asked_by])
    operator: Mapped[User | None] = relationship(foreign_keys=[operator_id])
