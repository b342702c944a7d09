"""What operators do with bookings: cancel, move, book for a customer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateTimeLocalField, IntegerField, StringField
from wtforms.validators import InputRequired, Optional

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record as audit
from helpouts.bookings import operating
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.errors import HelpoutsError
from helpouts.i18n import current_zone
from helpouts.i18n import lazy_gettext as _l
from helpouts_admin.actions import Action, ShowOnce
from helpouts_admin.forms import ToldReasonForm

_WAIVE = _l("Notice, horizon, hours, pauses, caps and other calendars do not count. Two sessions never overlap.")


class MoveForm(ToldReasonForm):
    """Another time, and why."""

    start = DateTimeLocalField(
        _l("New start"), validators=[InputRequired(_l("Choose a time."))], description=_l("On your own clock.")
    )
    waive = BooleanField(_l("Set the expert's rules aside"), description=_WAIVE)


class PlaceForm(ToldReasonForm):
    """Who books what, when, and why."""

    customer = StringField(_l("Customer's mail address"), validators=[InputRequired(_l("Say who."))])
    listing = StringField(
        _l("Listing"),
        validators=[InputRequired(_l("Say what."))],
        description=_l("The last part of the address of its page."),
    )
    start = DateTimeLocalField(
        _l("Start"), validators=[InputRequired(_l("Choose a time."))], description=_l("On your own clock.")
    )
    length = IntegerField(
        _l("Minutes"), validators=[Optional()], description=_l("May stay empty for the listing's usual length.")
    )
    waive = BooleanField(_l("Set the expert's rules aside"), description=_WAIVE)


def _instant(field: Any) -> datetime:
    """A local time of a form on the operator's clock."""
    local: datetime = field.data
    return local.replace(tzinfo=ZoneInfo(current_zone())).astimezone(UTC)


def _cancel(db: Session, booking: Booking, form: Any, actor: Actor) -> None:
    bookings.cancel(db, booking, form.reason.data, actor)
    audit(db, actor, "booking.cancel", booking, form.reason.data)


def _move(db: Session, booking: Booking, form: Any, actor: Actor) -> None:
    operating.move_for(db, booking, _instant(form.start), form.reason.data, actor, waive=form.waive.data)


def _place(db: Session, _record: object, form: Any, actor: Actor) -> ShowOnce:
    customer = db.scalar(select(User).where(User.email == form.customer.data.strip().lower()))
    if customer is None or not customer.active:
        raise HelpoutsError(_l("There is no such person."), field="customer")
    named = form.listing.data.strip().rstrip("/").rpartition("/")[2]
    listing = db.scalar(select(Listing).where(Listing.slug == named))
    if listing is None:
        raise HelpoutsError(_l("There is no such listing."), field="listing")
    made = operating.book_for(
        db,
        listing,
        customer,
        _instant(form.start),
        form.reason.data,
        actor,
        length_minutes=form.length.data,
        waive=form.waive.data,
    )
    told = _l("Both have a mail.") if made.state == "confirmed" else _l("The customer has a mail to pay it with.")
    return ShowOnce(_l("Booked"), made.title, told)


CANCEL = Action(
    "cancel",
    _l("Cancel for both"),
    _cancel,
    ToldReasonForm,
    lambda booking: booking.state in ("confirmed", "held"),
    _l("Both get a mail with the reason, and the customer gets everything back."),
    _l("Cancelled."),
    danger=True,
)
MOVE = Action(
    "move",
    _l("Move to another time"),
    _move,
    MoveForm,
    lambda booking: booking.state == "confirmed",
    _l("Both get a mail with the reason and the new invitation."),
    _l("Moved."),
)
PLACE = Action("place", _l("Book for a customer"), _place, PlaceForm)
