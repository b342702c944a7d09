"""How somebody becomes an expert: applications, verdicts of the rules, invitation codes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.db import Base, Json


class Application(Base):
    """The interest form that somebody left: contact details and field."""

    __tablename__ = "application"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; the applicant's own link to see state and reason
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(255), index=True)
    kind: Mapped[str] = mapped_column(String(12), default="individual")
    category: Mapped[str] = mapped_column(String(40), index=True)
    subcategory: Mapped[str] = mapped_column(String(60), default="")
    experience: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str] = mapped_column(String(300), default="")
    is_adult: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str] = mapped_column(String(10), default="en")
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    #: received, contacted, invited, declined, appealed, joined (see :mod:`helpouts.vetting.states`)
    state: Mapped[str] = mapped_column(String(16), default="received", index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: when the applicant may expect an answer
    due_at: Mapped[datetime]


class ApplicationMessage(Base):
    """One message of the follow-up between operator and applicant."""

    __tablename__ = "application_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id", ondelete="CASCADE"), index=True)
    #: None when the applicant wrote it
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Invitation(Base):
    """A single-use, expiring, revocable code that lets its holder become an expert in one category.

    Only the code's SHA-256 is kept; the code itself is in the mail.
    """

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: the last four characters, so that an operator can tell codes apart
    hint: Mapped[str] = mapped_column(String(4))
    category: Mapped[str] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(255), default="")
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    revoked_at: Mapped[datetime | None]

    application: Mapped[Application | None] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[used_by])


class Verdict(Base):
    """What one vetting rule said of one application, listing or expert."""

    __tablename__ = "verdict"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: "application", "listing" or "expert"
    subject_type: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int]
    rule: Mapped[str] = mapped_column(String(60))
    #: "pass", "fail" or "person"
    outcome: Mapped[str] = mapped_column(String(8))
    #: for the applicant
    reasons: Mapped[list[str]] = mapped_column(Json, default=list)
    #: for the operator only
    evidence: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
