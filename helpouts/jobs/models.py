"""The job table: at once the transactional outbox and the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import Base, Json


class Job(Base):
    """Work that was promised in a transaction and is done after it.

    ``token`` is the fencing token: it grows with each lease, and a job is finished only by the holder of
    the newest one, in the transaction of its effect.
    """

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_ready", "state", "run_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: at most one job with the same key is ever written
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    #: jobs of one serial key run one after the other, oldest first
    serial_key: Mapped[str | None] = mapped_column(String(120), index=True)
    #: ready, leased, done, dead
    state: Mapped[str] = mapped_column(String(8), default="ready")
    run_at: Mapped[datetime] = mapped_column(default=clock.now)
    lease_until: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=12)
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]


class JobSchedule(Base):
    """When a periodic job was last put into the table."""

    __tablename__ = "job_schedule"

    kind: Mapped[str] = mapped_column(String(80), primary_key=True)
    last_tick_at: Mapped[datetime]
    last_job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
