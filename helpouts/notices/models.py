"""Who wants which notices where, when to be reminded, and of what people were reminded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import Base


class NoticeChoice(Base):
    """A switch that somebody has moved; without a row a kind goes through every channel."""

    __tablename__ = "notice_choice"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: "mail", or the name of a plugin's channel; kept when the plugin is gone
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    wanted: Mapped[bool]


class ReminderChoice(Base):
    """One of the times at which somebody wants to be reminded; people without any row are reminded as the site does.

    ``minutes`` is 0 in the only row of somebody who wants no reminders.
    """

    __tablename__ = "reminder_choice"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    #: before the start
    minutes: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ReminderMark(Base):
    """One reminder was dealt with: this person, this booking at this start, this long before.

    Written in the transaction that promises the mail and the notices, so that there is never a second one.  ``sent`` is
    False where there was a reason not to send it.
    """

    __tablename__ = "reminder_mark"
    __table_args__ = (Index("ix_reminder_mark_starts_at", "starts_at"),)

    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    minutes: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    sent: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
