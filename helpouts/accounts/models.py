"""People: users, their roles and the sessions they are signed in with."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import Column, ForeignKey, String, Table, Text
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.clock import clock
from helpouts.db import Base, BigInt, Json

user_role = Table(
    "user_role",
    Base.metadata,
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """A named set of permissions: customer, expert, support, curator, finance, admin."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    description: Mapped[str] = mapped_column(String(200), default="")


class User(Base, UserMixin):
    """Somebody with an account.  The field names of the second half are Flask-Security's."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    birth_date: Mapped[date | None]
    locale: Mapped[str] = mapped_column(String(10), default="en")
    #: IANA name, or "" until the browser has told it.
    zone: Mapped[str] = mapped_column(String(64), default="")
    #: an SVG document drawn by us, or "".
    avatar: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid.uuid4().hex)
    confirmed_at: Mapped[datetime | None]
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    #: counter of the last one-time password that was accepted: none is accepted twice (OWASP ASVS 5.0, 6.5.1).
    tf_last_counter: Mapped[int | None] = mapped_column(BigInt)
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(
        MutableList.as_mutable(Json.copy())  # a copy: as_mutable() would tie every other Json column to lists too
    )

    roles: Mapped[list[Role]] = relationship(secondary=user_role)

    def has_any_role(self, *names: str) -> bool:
        """Whether one of the named roles is held."""
        return any(role.name in names for role in self.roles)


class LoginSession(Base):
    """A signed-in (or anonymous) browser.  The cookie holds the token, the row only its SHA-256."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
