"""Personal access tokens: made and revoked by people, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpouts.api.models import ApiToken
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

#: What a token may be good for: looking, and making and changing bookings.
SCOPES: dict[str, object] = {
    "read": _l("Look: your bookings"),
    "book": _l("Act: book, move and cancel for you, with your money"),
}
#: So that scanners of leaked secrets know one when they see it.
PREFIX = "helpouts_"
MOST = 20
NAME_LENGTH = 80
#: "Last used" is kept to this much.
_EXACT_TO = timedelta(minutes=5)


def create(db: Session, user_id: int, name: str, scopes: Collection[str]) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can show again.

    :raises HelpoutsError: for a name or scopes that do not do, or too many tokens.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_LENGTH:
        raise HelpoutsError(_l("Name the program that will use it."), field="name")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise HelpoutsError(_l("Choose what the program may do."), field="scopes")
    if len(tokens_of(db, user_id)) >= MOST:
        raise HelpoutsError(_l("You have %(most)s tokens already. Revoke one first.", most=MOST))
    secret = PREFIX + secrets.token_urlsafe(32)
    kept = [scope for scope in SCOPES if scope in scopes]
    row = ApiToken(user_id=user_id, name=name, token_hash=_digest(secret), hint=secret[-4:], scopes=kept)
    db.add(row)
    db.flush()
    return row, secret


def tokens_of(db: Session, user_id: int) -> Sequence[ApiToken]:
    """Somebody's tokens, the newest first."""
    return db.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc())).all()


def revoke(db: Session, user_id: int, token_id: int) -> bool:
    """End a token at once; tells whether there was one."""
    row = db.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id))
    if row is None:
        return False
    db.delete(row)
    db.flush()
    return True


def find(db: Session, secret: str) -> ApiToken | None:
    """The token with that secret, when its person's account is in order."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    row = db.scalar(select(ApiToken).where(ApiToken.token_hash == _digest(secret)))
    return row if row is not None and row.user.active and row.user.confirmed_at is not None else None


def is_stale(token: ApiToken) -> bool:
    """Whether "last used" is to be written anew."""
    return token.last_used_at is None or clock.now() - token.last_used_at > _EXACT_TO


def mark_used(db: Session, token_id: int) -> None:
    """Note that the token was used now."""
    db.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=clock.now()))


def _digest(secret: str) -> str:
    """SHA-256 is enough: the secret has 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
