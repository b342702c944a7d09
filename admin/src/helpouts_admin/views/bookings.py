"""Bookings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Load, Session

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.bookings import moving
from helpouts.bookings.models import Booking
from helpouts.catalog.category import CategoryField
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.models import Payment
from helpouts.sessions import service as rooms
from helpouts.sessions.models import Presence
from helpouts.sessions.models import Session as Room
from helpouts.web.db import current_runtime
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.booking_actions import CANCEL, MOVE, PLACE
from helpouts_admin.filters import Choice
from helpouts_admin.listing_words import answer
from helpouts_admin.loading import people_of
from helpouts_admin.views.base import Answer, Records, expose, forms_for, perform

STATES = ("requested", "held", "confirmed", "in_session", "completed", "cancelled", "expired", "no_show")


def _price(view: Any, context: Any, record: Booking, name: str) -> str:
    return formatting.price(record.pricing, record.price_minor, record.currency)


def _intake(view: Any, context: Any, record: Booking, name: str) -> str:
    questions = {field.key: field for field in current_runtime().registry.category(record.category).intake}
    return "\n".join(_asked(item, questions.get(item.get("key", ""))) for item in record.intake)


def _asked(item: dict[str, Any], question: CategoryField | None) -> str:
    """A question and its answer; the question as it was worded on the day of booking."""
    label, given = item.get("label", item.get("key", "")), item.get("answer", "")
    text = in_language(label) if isinstance(label, dict) else str(label)
    return f"{text}{'' if text.endswith(('?', ':')) else ':'} {answer(question, given) if question else given}"


class BookingsView(Records):
    """What was booked, at the prices and policies of that day; operators cancel, move and book for people."""

    shows = Booking
    endpoint_name = "console_bookings"
    can_export = True
    column_list = ("title", "customer", "host", "starts_at", "state", "price_minor")
    column_details_list = (
        "title",
        "customer",
        "host",
        "category",
        "kind",
        "starts_at",
        "ends_at",
        "price_minor",
        "amount_minor",
        "fee_bp",
        "cancellation_policy",
        "intake",
        "created_at",
        "confirmed_at",
        "closed_at",
        "cancel_reason",
    )
    column_export_list = (
        "id",
        "title",
        "category",
        "kind",
        "state",
        "starts_at",
        "ends_at",
        "pricing",
        "price_minor",
        "currency",
        "amount_minor",
        "fee_bp",
        "host_id",
        "customer_id",
        "created_at",
    )
    column_searchable_list = ("title", "public_id", "customer.email", "host.email")
    column_sortable_list = ("starts_at",)
    column_default_sort = ("id", True)
    column_filters = (
        Choice(Booking.state, _l("State"), lambda: words.options(*STATES)),
        Choice(Booking.category, _l("Field"), columns.category_options),
        Choice(Booking.kind, _l("Kind"), lambda: words.options("scheduled", "instant")),
    )
    column_labels = {
        "id": _l("Number"),
        "title": _l("Session"),
        "customer": _l("Customer"),
        "host": _l("Expert"),
        "category": _l("Field"),
        "kind": _l("Kind"),
        "starts_at": _l("Starts"),
        "ends_at": _l("Ends"),
        "state": _l("State"),
        "price_minor": _l("Price"),
        "amount_minor": _l("At most"),
        "fee_bp": _l("Fee"),
        "cancellation_policy": _l("Cancellation"),
        "intake": _l("Answers"),
        "created_at": _l("Booked"),
        "confirmed_at": _l("Confirmed"),
        "closed_at": _l("Closed"),
        "cancel_reason": _l("Reason"),
        "pricing": _l("Priced"),
        "currency": _l("Currency"),
        "host_id": _l("Expert"),
        "customer_id": _l("Customer"),
    }
    column_formatters = {
        "customer": columns.called("customer"),
        "host": columns.called("host"),
        "starts_at": columns.instant,
        "state": columns.state,
        "price_minor": _price,
    }
    column_formatters_detail = {
        **column_formatters,
        "category": columns.category,
        "kind": columns.plain,
        "ends_at": columns.instant,
        "intake": _intake,
        "amount_minor": columns.money("amount_minor"),
        "fee_bp": columns.percent,
        "cancellation_policy": columns.plain,
        "created_at": columns.instant,
        "confirmed_at": columns.instant,
        "closed_at": columns.instant,
    }
    list_template = "console/bookings.html"
    details_template = "console/booking.html"

    def get_query(self) -> Any:
        """With the two people."""
        return super().get_query().options(*people_of(Load(Booking)))

    def title_of(self, record: Booking) -> str:
        """What was booked."""
        return record.title

    def actions(self, record: Booking) -> Sequence[Action]:
        """A confirmed booking can be cancelled and moved."""
        return (CANCEL, MOVE)

    @expose("/place/")
    def place_form(self) -> Answer:
        """The form to book for a customer."""
        self.require("place")
        return self.render("console/place.html", pair=forms_for([PLACE])[0], shown=None)

    @expose("/place/", methods=("POST",))
    def place(self) -> Answer:
        """Book for a customer."""
        self.require("place")
        form, shown = perform(self, PLACE, None)
        pair = forms_for([PLACE], None, ("place", form) if form is not None else None)[0]
        return self.render("console/place.html", pair=pair, shown=shown), 400 if form is not None else 200

    def context(self, db: Session, record: Booking) -> dict[str, Any]:
        """The money, the room, who was there when, and what happened."""
        payments = select(Payment).where(Payment.booking_id == record.id).order_by(Payment.id.desc())
        room = rooms.session_of(db, record)
        return {
            "payments": list(db.scalars(payments)),
            "room": room,
            "presence": presence(db, room),
            "moves": moving.moves_of(db, record),
            "history": history.transitions(db, "booking", record.id),
        }


def presence(db: Session, room: Room | None) -> list[tuple[Presence, str]]:
    """Who was connected from when to when, with the person's name."""
    if room is None:
        return []
    rows = select(Presence, User.name).join(User, User.id == Presence.user_id).where(Presence.session_id == room.id)
    return [(row, name) for row, name in db.execute(rows.order_by(Presence.joined_at))]
