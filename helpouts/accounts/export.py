"""Everything that is kept about a person, for them (GDPR articles 15 and 20).

Secrets that protect the account (hashes, one-time password keys) are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import LoginSession, User
from helpouts.api.models import ApiToken
from helpouts.bookings.models import Booking, BookingExtension, BookingMove, BookingSeries
from helpouts.bookings.waiting_models import WaitlistEntry
from helpouts.calendars.models import BusyTime
from helpouts.calendars.service import export as export_calendars
from helpouts.catalog.models import ExpertMember
from helpouts.clock import clock
from helpouts.coupons.models import CouponUse
from helpouts.db import Base
from helpouts.db.rows import as_plain
from helpouts.instant.models import AvailableSwitch, InstantOffer, InstantRequest
from helpouts.notices.models import NoticeChoice, ReminderChoice, ReminderMark
from helpouts.packages.models import Package
from helpouts.payments.models import Payment, Payout, Refund
from helpouts.plugins.records import UserData
from helpouts.reviews.models import Review
from helpouts.runtime import runtime_of
from helpouts.scheduling.models import ScheduleRow
from helpouts.sessions import recording_access
from helpouts.sessions.privacy import export as export_sessions
from helpouts.vetting.models import Application
from helpouts.wishes.privacy import export as export_wishes

_ACCOUNT = ("email", "name", "birth_date", "locale", "zone", "created_at", "confirmed_at")
_SIGN_IN = ("created_at", "last_seen_at", "expires_at", "user_agent", "address")
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


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one table that belong to a person by one of ``owners`` (columns with a user id), as they are exported."""

    name: str
    table: type[Base]
    owners: tuple[str, ...]
    fields: tuple[str, ...]

    def rows(self, db: Session, user_id: int) -> list[dict[str, Any]]:
        """The person's rows, the oldest first."""
        columns = self.table.__table__.columns
        mine = or_(*(columns[owner] == user_id for owner in self.owners))
        query = select(*(columns[name] for name in self.fields)).where(mine).order_by(*self.table.__table__.primary_key)
        return [as_plain(row._mapping, self.fields) for row in db.execute(query)]


SECTIONS = (
    Section(
        "sign_ins", LoginSession, ("user_id",), ("created_at", "last_seen_at", "expires_at", "user_agent", "address")
    ),
    Section("access_tokens", ApiToken, ("user_id",), ("name", "scopes", "created_at", "last_used_at")),
    Section("reviews", Review, ("author_id",), ("stars", "text", "created_at")),
    Section("memberships", ExpertMember, ("user_id",), ("expert_id", "role")),
    Section("hours", ScheduleRow, ("user_id",), ("zone", "holiday_country", "holiday_subdivision", "time_off")),
    Section("available_now", AvailableSwitch, ("user_id",), ("is_on", "changed_at", "missed")),
    Section("busy_times", BusyTime, ("user_id",), ("starts_at", "ends_at")),
    Section("series", BookingSeries, ("customer_id", "host_id"), ("public_id", "every_weeks", "created_at")),
    Section(
        "moves_asked_for",
        BookingMove,
        ("asked_by",),
        ("booking_id", "state", "old_starts_at", "starts_at", "reason", "created_at", "decided_at"),
    ),
    Section(
        "extensions_asked_for",
        BookingExtension,
        ("asked_by",),
        ("booking_id", "state", "minutes", "amount_minor", "created_at", "decided_at"),
    ),
    Section(
        "wait_list",
        WaitlistEntry,
        ("customer_id",),
        ("listing_id", "state", "weekdays", "from_minute", "until_minute", "until", "zone", "answers", "created_at"),
    ),
    Section(
        "help_asked_for_now",
        InstantRequest,
        ("customer_id",),
        ("category", "subcategory", "most_minor", "currency", "state", "asked_at", "closed_at"),
    ),
    Section("rings", InstantOffer, ("user_id",), ("listing_id", "state", "rung_at", "answered_at")),
    Section(
        "payments",
        Payment,
        ("payer_id", "payee_id"),
        (
            *("booking_id", "backend", "state", "currency", "amount_minor", "captured_minor", "refunded_minor"),
            *("fee_minor", "created_at", "closed_at"),
        ),
    ),
    Section(
        "coupons_used",
        CouponUse,
        ("customer_id",),
        ("booking_id", "price_minor", "amount_minor", "discount_minor", "created_at", "returned_at"),
    ),
    Section(
        "refunds_asked_for",
        Refund,
        ("asked_by",),
        ("payment_id", "state", "asked_minor", "granted_minor", "reason", "answer", "created_at", "decided_at"),
    ),
    Section(
        "packages",
        Package,
        ("customer_id",),
        ("public_id", "title", "length_minutes", "sessions", "price_minor", "currency", "bought_at"),
    ),
    Section("payouts", Payout, ("user_id",), ("state", "amount_minor", "currency", "created_at", "closed_at")),
    Section("notices", NoticeChoice, ("user_id",), ("kind", "channel", "wanted")),
    Section("reminders", ReminderChoice, ("user_id",), ("minutes",)),
    Section("reminded_of", ReminderMark, ("user_id",), ("booking_id", "minutes", "starts_at", "sent", "created_at")),
)
"""Simple tables; what needs more than that has a function of its own in its part of the business."""


def export_data(db: Session, user: User) -> dict[str, Any]:
    """A JSON-able document with what the core and every plugin (enabled or not) know of ``user``."""
    bookings = select(Booking).where(
        or_(
            Booking.customer_id == user.id,
            and_(Booking.host_id == user.id, or_(Booking.kind != "instant", Booking.confirmed_at.is_not(None))),
        )
    )
    applications = select(Application).where(Application.email == user.email)
    return {
        "exported_at": clock.now().isoformat(),
        "account": {**as_plain(user, _ACCOUNT), "roles": [role.name for role in user.roles]},
        "bookings": [
            {"part": "customer" if booking.customer_id == user.id else "expert", **as_plain(booking, _BOOKING)}
            for booking in db.scalars(bookings.order_by(Booking.starts_at)).unique()
        ],
        **{section.name: section.rows(db, user.id) for section in SECTIONS},
        "applications": [as_plain(row, _APPLICATION) for row in db.scalars(applications.order_by(Application.id))],
        "recordings": recording_access.export(db, user.id),
        "calendars": export_calendars(db, user.id),
        **export_wishes(db, user.id),
        **export_sessions(db, user.id),
        "plugins": {
            plugin: dict(record.export(db, user.id))
            for plugin, record in runtime_of(db).registry.surface("helpouts_user_data", UserData)
        },
    }
