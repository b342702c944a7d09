"""Recordings of sessions: who agreed, what was kept, who has seen it."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.clock import clock
from helpouts.db import Base
from helpouts.sessions.models import Session


class RecordingConsent(Base):
    """One person's agreement to being recorded in one session, until withdrawn.  Rows are never changed back."""

    __tablename__ = "recording_consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: said to be 18 or older, when no birth date is kept
    declared_adult: Mapped[bool] = mapped_column(default=False)
    withdrawn_at: Mapped[datetime | None]


class Recording(Base):
    """What was recorded of a session, from both consents to the first withdrawal or the end."""

    __tablename__ = "recording"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: secrets.token_hex(12))
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    #: running, preparing, ready, failed, deleted (see :mod:`helpouts.sessions.states`)
    state: Mapped[str] = mapped_column(String(16), default="running", index=True)
    transport: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    stopped_at: Mapped[datetime | None]
    #: withdrawn, over, storage
    stop_reason: Mapped[str] = mapped_column(String(40), default="")
    #: the film (:mod:`helpouts.storage.service`), "" while there is none
    reference: Mapped[str] = mapped_column(String(255), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    delete_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str] = mapped_column(Text, default="")

    session: Mapped[Session] = relationship(lazy="joined")


class RecordingSegment(Base):
    """Some seconds of packets in the storage, kept until the film is made."""

    __tablename__ = "recording_segment"
    __table_args__ = (UniqueConstraint("reference"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    reference: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class RecordingAccess(Base):
    """Somebody has watched or downloaded a recording; operators say why."""

    __tablename__ = "recording_access"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    #: watch, download, operator
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
