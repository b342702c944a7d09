"""Invitations into a company.  The members themselves are rows of :class:`helpouts.catalog.models.ExpertMember`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.catalog.models import Expert
from helpouts.clock import clock
from helpouts.db import Base


class MemberInvitation(Base):
    """Lets the holder of one mail address join a company, once.  Only the hash of the link's token is kept."""

    __tablename__ = "member_invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(255))
    #: "manager" or "member"
    role: Mapped[str] = mapped_column(String(12))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: open, accepted, declined, revoked (see :mod:`helpouts.companies.states`)
    state: Mapped[str] = mapped_column(String(12), default="open")
    invited_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]

    expert: Mapped[Expert] = relationship()
    inviter: Mapped[User] = relationship()
