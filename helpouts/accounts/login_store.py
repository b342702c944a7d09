"""Sessions of browsers as rows: looked up, made, prolonged and ended.

The cookie holds 256 random bits, the row only their SHA-256, so that a copy of the database opens nothing.
A session ends after a time without use and, used or not, after a longest time (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from helpouts.accounts.models import LoginSession, Role, User, user_role
from helpouts.db.objects import attach
from helpouts.db.prepared import Prepared

OPERATOR_ROLES = ("support", "curator", "finance", "admin")


_SESSION = [LoginSession.__table__.c[key] for key in ("id", "created_at", "last_seen_at", "data")]
#: Without what changes are watched for in the value; it loads when it is used.
_USER = [column for column in User.__table__.c if column.key != "mf_recovery_codes"]
_ROLE = list(Role.__table__.c)
#: Every page begins with it: a row for each role of whoever is signed in.
_FIND = Prepared(
    select(*_SESSION, *_USER, *_ROLE)
    .select_from(LoginSession.__table__)
    .outerjoin(User.__table__, User.id == LoginSession.user_id)
    # One by one: of a nested join SQLite makes a table of everybody's roles first.
    .outerjoin(user_role, user_role.c.user_id == User.id)
    .outerjoin(Role.__table__, Role.id == user_role.c.role_id)
    .where(LoginSession.token_hash == bindparam("hash"), LoginSession.expires_at > bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives: ``idle`` without use, ``longest`` in all."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Found:
    """What a living session holds, and who is signed in with it."""

    id: int
    created_at: datetime
    last_seen_at: datetime
    data: dict[str, Any]
    user: User | None


VISITOR = Lifetime(timedelta(hours=4), timedelta(hours=24))
MEMBER = Lifetime(timedelta(days=14), timedelta(days=30))
OPERATOR = Lifetime(timedelta(hours=3), timedelta(hours=12))
#: how often the use of a session is written down
TOUCH = timedelta(minutes=1)


def lifetime_of(user: User | None) -> Lifetime:
    """How long the session of this person (or of a visitor) lives."""
    if user is None:
        return VISITOR
    return OPERATOR if user.has_any_role(*OPERATOR_ROLES) else MEMBER


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(db: Session, token: str, now: datetime) -> Found | None:
    """The living session of a token and the person who is signed in with it, in one query."""
    rows = _FIND.all(db, {"hash": token_hash(token), "now": now})
    if not rows:
        return None
    number, created_at, last_seen_at, data = rows[0][: len(_SESSION)]
    return Found(number, created_at, last_seen_at, dict(data), _user_of(db, rows))


def _user_of(db: Session, rows: Sequence[Any]) -> User | None:
    first, last = len(_SESSION), len(_SESSION) + len(_USER)
    values = {column.key: value for column, value in zip(_USER, rows[0][first:last], strict=True)}
    if values["id"] is None:
        return None
    user = attach(db, User, values)
    if "roles" not in user.__dict__:
        roles = [{column.key: value for column, value in zip(_ROLE, row[last:], strict=True)} for row in rows]
        set_committed_value(user, "roles", [attach(db, Role, role) for role in roles if role["id"] is not None])
    return user


def create(
    db: Session, data: dict[str, Any], now: datetime, user: User | None, agent: str, address: str
) -> tuple[str, datetime]:
    """A new session: its token, which nobody else will ever see, and when it ends."""
    token = secrets.token_urlsafe(32)
    lifetime = lifetime_of(user)
    row = LoginSession(
        token_hash=token_hash(token),
        user_id=user.id if user else None,
        data=data,
        created_at=now,
        last_seen_at=now,
        expires_at=now + min(lifetime.idle, lifetime.longest),
        user_agent=agent[:200],
        address=address[:45],
    )
    db.add(row)
    db.flush()
    return token, row.expires_at


def prolong(db: Session, row: Found, data: dict[str, Any], now: datetime, user: User | None) -> datetime | None:
    """Write down data and use of a session; when it ends now, or None when somebody ended it meanwhile."""
    lifetime = lifetime_of(user)
    ends = min(now + lifetime.idle, row.created_at + lifetime.longest)
    changed = db.execute(
        update(LoginSession)
        .where(LoginSession.id == row.id)
        .values(data=data, last_seen_at=now, expires_at=ends)
        .execution_options(synchronize_session=False)
    )
    return ends if changed.rowcount == 1 else None  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult


def end(db: Session, row_id: int) -> None:
    """End a session: its token opens nothing any more."""
    db.execute(delete(LoginSession).where(LoginSession.id == row_id))
