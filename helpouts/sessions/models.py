"""Live sessions: the room of a booking, who was in it when, and what was said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.db import Base, BigInt, Json
from helpouts.db.xact import current_xact


class Session(Base):
    """The room of one booking.  Made when the booking is confirmed, opened by the first who enters."""

    __tablename__ = "session"
    __table_args__ = (
        Index(
            "ix_session_open",
            "opened_at",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    #: unguessable name of the room
    room_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: scheduled, open, ended (see :mod:`helpouts.sessions.states`)
    state: Mapped[str] = mapped_column(String(16), default="scheduled")
    #: name of the video transport and its own JSON, both set when the room opens
    transport: Mapped[str] = mapped_column(String(60), default="")
    transport_data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: the live node that has the room
    node: Mapped[str] = mapped_column(String(80), default="")
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(String(40), default="")
    #: what the operator who ended it says to both
    end_note: Mapped[str] = mapped_column(Text, default="", server_default="")
    #: set at the end: seconds in which both were connected
    connected_seconds: Mapped[int | None]

    booking: Mapped[Booking] = relationship(lazy="joined")


class Presence(Base):
    """One connection of one participant to the room, from join to leave.

    ``last_seen_at`` is moved every second while connected, so that after a crash of any process the
    meter still knows the end of the connection to a second.
    """

    __tablename__ = "presence"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    node: Mapped[str] = mapped_column(String(80))
    device: Mapped[str] = mapped_column(String(120), default="")
    joined_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class PresenceQuality(Base):
    """How the call is for one connection, as its browser measured it last (:mod:`helpouts.sessions.quality`)."""

    __tablename__ = "presence_quality"

    presence_id: Mapped[int] = mapped_column(ForeignKey("presence.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]
    grade: Mapped[str] = mapped_column(String(8))
    rtt_ms: Mapped[int | None]
    loss_permille: Mapped[int]
    send_kbps: Mapped[int]
    receive_kbps: Mapped[int]
    path: Mapped[str] = mapped_column(String(8))


class JoinTicket(Base):
    """Lets one browser open the room's WebSocket once, within a minute.  Only the hash is kept."""

    __tablename__ = "join_ticket"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    node: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RoomMessage(Base):
    """A chat line.  ``seq`` counts per session; ``client_id`` makes sending it again harmless."""

    __tablename__ = "room_message"
    __table_args__ = (UniqueConstraint("session_id", "seq"), UniqueConstraint("session_id", "user_id", "client_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    seq: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    client_id: Mapped[str] = mapped_column(String(40))
    #: "" for a line of the two, "operator", or what has happened (:data:`helpouts.sessions.chat.NOTICES`)
    kind: Mapped[str] = mapped_column(String(12), default="", server_default="")
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class LiveNode(Base):
    """A live process that says, every few seconds, that it is there."""

    __tablename__ = "live_node"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    public_url: Mapped[str] = mapped_column(String(300))
    heartbeat_at: Mapped[datetime]
    rooms: Mapped[int] = mapped_column(default=0)
    draining: Mapped[bool] = mapped_column(default=False)


class LiveEvent(Base):
    """Something another process should hear of (:mod:`helpouts.sessions.feed`)."""

    __tablename__ = "live_event"

    seq: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    #: the transaction that wrote it; 0 on SQLite
    xact: Mapped[int] = mapped_column(BigInteger, server_default=current_xact(), index=True)
    topic: Mapped[str] = mapped_column(String(80), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
