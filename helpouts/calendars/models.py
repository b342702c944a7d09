"""Feeds that people subscribe to, calendars that are read, and the busy times that were found in them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TypedDict

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import Base, BigInt, Json


class Collection(TypedDict):
    """A calendar in a CalDAV account: where it is, what it is called, whether it counts."""

    href: str
    name: str
    chosen: bool


class CalendarFeed(Base):
    """The address from which somebody's other calendars read their sessions; only its SHA-256 is kept."""

    __tablename__ = "calendar_feed"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: only that there is a session, not with whom and about what
    hide_names: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class CalendarSource(Base):
    """A calendar elsewhere that takes somebody's time: an iCalendar address, or an account on a CalDAV server."""

    __tablename__ = "calendar_source"
    __table_args__ = (
        CheckConstraint("kind IN ('ical', 'caldav')", name="kind"),
        Index("ix_calendar_source_due", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in addresses of pages, and the ciphertext is bound to it
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: secrets.token_urlsafe(16))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(80))
    #: the server's name, to show: the rest of the address may be a secret
    host: Mapped[str] = mapped_column(String(255))
    #: address, user and password, encrypted (see :mod:`helpouts.calendars.vault`)
    sealed: Mapped[str] = mapped_column(Text)
    #: the calendars of a CalDAV account, as discovery found them; None before it
    collections: Mapped[list[Collection] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: when it is read next; None while a CalDAV account waits for a choice
    next_at: Mapped[datetime | None] = mapped_column(default=clock.now)
    tried_at: Mapped[datetime | None]
    #: the last time that the busy times were known to be right
    read_at: Mapped[datetime | None]
    #: the last time that the events were expanded: repetitions come into view as time passes
    expanded_at: Mapped[datetime | None]
    #: the zone in which whole days were taken then
    zone: Mapped[str] = mapped_column(String(64), default="")
    #: failures since the last success, and what went wrong (see :mod:`helpouts.calendars.trouble`)
    failures: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(24), default="")
    trouble_status: Mapped[int] = mapped_column(default=0)
    #: when its owner was told by mail that it has not been read for days
    warned_at: Mapped[datetime | None]
    #: what the server said to recognise an unchanged calendar: entity tag, sync token or digest
    etag: Mapped[str] = mapped_column(String(400), default="")
    digest: Mapped[str] = mapped_column(String(64), default="")
    #: events that were understood at the last reading, and such that were left out
    events: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)


class BusyTime(Base):
    """A stretch in which somebody is busy according to one of their calendars; nothing of the events is kept."""

    __tablename__ = "busy_time"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        Index("ix_busy_time_user", "user_id", "ends_at", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(ForeignKey("calendar_source.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
