"""Everything that is kept about a person, for them (GDPR articles 15 and 20).

Secrets that protect the account (hashes, one-time password keys) are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import LoginSession, User
from helpouts.api.models import ApiToken
from helpouts.bookings.models import Booking
from helpouts.calendars.service import export as export_calendars
from helpouts.clock import clock
from helpouts.plugins.records import UserData
from helpouts.reviews.models import Review
from helpouts.runtime import runtime_of
from helpouts.sessions.privacy import export as export_sessions
from helpouts.vetting.models import Application
from helpouts.wishes.privacy import export as export_wishes

_ACCOUNT = ("email", "name", "birth_date", "locale", "zone", "created_at", "confirmed_at")
_SESSION = ("created_at", "last_seen_at", "expires_at", "user_agent", "address")
_BOOKING = (
    "public_id",
    "state",
    "kind",
    "title",
    "category",
    "starts_at",
    "ends_at",
    "pricing",
    "price_minor",
    "amount_minor",
    "currency",
    "cancellation_policy",
    "intake",
    "cancel_reason",
    "created_at",
)
_APPLICATION = ("name", "email", "kind", "category", "subcategory", "experience", "link", "state", "created_at")


def export_data(db: Session, user: User) -> dict[str, Any]:
    """A JSON-able document with what the core and every plugin (enabled or not) know of ``user``."""
    bookings = select(Booking).where(
        or_(
            Booking.customer_id == user.id,
            and_(Booking.host_id == user.id, or_(Booking.kind != "instant", Booking.confirmed_at.is_not(None))),
        )
    )
    reviews = select(Review).where(Review.author_id == user.id)
    applications = select(Application).where(Application.email == user.email)
    sessions = select(LoginSession).where(LoginSession.user_id == user.id)
    tokens = select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id)
    return {
        "exported_at": clock.now().isoformat(),
        "account": {**_fields(user, _ACCOUNT), "roles": [role.name for role in user.roles]},
        "sign_ins": _rows(db.scalars(sessions.order_by(LoginSession.id)), _SESSION),
        "access_tokens": _rows(db.scalars(tokens), ("name", "scopes", "created_at", "last_used_at")),
        "bookings": [
            {"part": "customer" if booking.customer_id == user.id else "expert", **_fields(booking, _BOOKING)}
            for booking in db.scalars(bookings.order_by(Booking.starts_at)).unique()
        ],
        "reviews": _rows(db.scalars(reviews.order_by(Review.id)), ("stars", "text", "created_at")),
        "applications": _rows(db.scalars(applications.order_by(Application.id)), _APPLICATION),
        "calendars": export_calendars(db, user.id),
        **export_wishes(db, user.id),
        **export_sessions(db, user.id),
        "plugins": {
            plugin: dict(record.export(db, user.id))
            for plugin, record in runtime_of(db).registry.surface("helpouts_user_data", UserData)
        },
    }


def _rows(rows: Iterable[Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_fields(row, names) for row in rows]


def _fields(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
