"""What the tools of the room keep: the shared notes, files and snapshots, reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.db import Base, Json
from helpouts.sessions.models import RoomMessage, Session


class RoomNote(Base):
    """The one text that both people of a session write; made with its first change."""

    __tablename__ = "room_note"

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), primary_key=True)
    #: how many changes the text has had
    revision: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)


class RoomNoteChange(Base):
    """One change of the notes, as it was applied: it makes ``revision`` of the one before.

    Kept until the session is over, so that whoever was away can catch up; ``client_id`` makes repeating it harmless.
    """

    __tablename__ = "room_note_change"
    __table_args__ = (UniqueConstraint("session_id", "user_id", "client_id"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    client_id: Mapped[str] = mapped_column(String(40))
    #: see :mod:`helpouts.sessions.text_changes`
    change: Mapped[list[int | str]] = mapped_column(Json)


class RoomFile(Base):
    """A file that somebody sent in the chat, or a snapshot of the other side's picture.  Its content is sealed."""

    __tablename__ = "room_file"
    __table_args__ = (
        UniqueConstraint("session_id", "user_id", "client_id"),
        CheckConstraint("size >= 0", name="size"),
        Index("ix_room_file_open", "created_at", "removed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    client_id: Mapped[str] = mapped_column(String(40))
    #: the line of the chat that it came with
    message_id: Mapped[int] = mapped_column(ForeignKey("room_message.id", ondelete="CASCADE"), unique=True)
    #: "file" or "snapshot"
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    #: what the content is by its first bytes, whatever its sender called it
    media_type: Mapped[str] = mapped_column(String(100))
    #: bytes
    size: Mapped[int] = mapped_column(BigInteger)
    #: the key of the content in the storage, and of a small picture of it where it is one; "" when removed
    blob: Mapped[str] = mapped_column(String(250))
    preview: Mapped[str] = mapped_column(String(250), default="")
    #: what was drawn on a snapshot, in order (see :mod:`helpouts.sessions.drawing`)
    strokes: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: when the content was deleted: its time was over
    removed_at: Mapped[datetime | None]

    message: Mapped[RoomMessage] = relationship()
    session: Mapped[Session] = relationship()


class SessionReport(Base):
    """Somebody reports the other person of a session (:data:`helpouts.sessions.states.REPORT`)."""

    __tablename__ = "session_report"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    about_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    #: see :data:`helpouts.sessions.reports.REASONS`
    reason: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text, default="")
    #: open, resolved
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    resolution: Mapped[str] = mapped_column(Text, default="")
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    resolved_at: Mapped[datetime | None]

    session: Mapped[Session] = relationship()
    reporter: Mapped[User] = relationship(foreign_keys=[reporter_id])
    about: Mapped[User] = relationship(foreign_keys=[about_id])
