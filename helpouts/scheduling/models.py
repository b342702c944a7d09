"""When somebody works: the stored form of :mod:`helpouts.scheduling.rules`."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.db import Base, Json


class ScheduleRow(Base):
    """The schedule of one person who serves listings (an expert's member)."""

    __tablename__ = "schedule"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    #: IANA name in which the wall minutes below are meant
    zone: Mapped[str] = mapped_column(String(64))
    step_minutes: Mapped[int] = mapped_column(default=15)
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    minimum_notice_minutes: Mapped[int] = mapped_column(default=60)
    horizon_days: Mapped[int] = mapped_column(default=60)
    #: most sessions, and minutes of sessions, that begin on one local date or in one ISO week; None = no limit
    most_sessions_day: Mapped[int | None]
    most_sessions_week: Mapped[int | None]
    most_minutes_day: Mapped[int | None]
    most_minutes_week: Mapped[int | None]
    #: ISO 3166 codes of the place whose public holidays are off, "" = none; see :mod:`helpouts.scheduling.holidays`
    holiday_country: Mapped[str] = mapped_column(String(2), default="")
    holiday_subdivision: Mapped[str] = mapped_column(String(32), default="")
    #: names (in the country's own language) of the holidays on which the person works all the same
    holidays_worked: Mapped[list[str]] = mapped_column(Json, default=list)
    #: whole local dates off, [[first, last, note], ...] in ISO 8601, ascending
    time_off: Mapped[list[list[str]]] = mapped_column(Json, default=list)
    #: grows with every change; used as ETag
    version: Mapped[int] = mapped_column(default=1)

    weekly: Mapped[list[WeeklyHours]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    overrides: Mapped[list[OverrideRow]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class WeeklyHours(Base):
    """One window of a weekday (0 = Monday) in wall minutes; ``end_minute`` may be 1440."""

    __tablename__ = "weekly_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440", name="minutes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int]
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]


class OverrideRow(Base):
    """A date whose hours replace the weekly ones; ``windows`` is [[start_minute, end_minute], ...], [] = off."""

    __tablename__ = "day_override"
    __table_args__ = (UniqueConstraint("schedule_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"))
    day: Mapped[date]
    windows: Mapped[list[list[int]]] = mapped_column(Json, default=list)


class TouchedTime(Base):
    """Somebody whose free time has changed since the listeners of :mod:`helpouts.scheduling.changes` were told."""

    __tablename__ = "touched_time"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    touched_at: Mapped[datetime] = mapped_column(index=True)
