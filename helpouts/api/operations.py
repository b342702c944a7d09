"""The operations: what the API does, on the same services as the site.

Each takes a :class:`Call` and the parameters of its path, and returns the answer's body and status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from helpouts.accounts.models import User
from helpouts.accounts.zones import known
from helpouts.api import shapes
from helpouts.api.routes import Parameter, route
from helpouts.api.schemas import instant, text, whole
from helpouts.audit.actor import Actor
from helpouts.bookings import moving, service
from helpouts.bookings.drafts import Draft
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.catalog import lookup, pages, queries
from helpouts.catalog.models import Listing
from helpouts.catalog.service import is_open
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotFound, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import free_slots

MOST_PER_PAGE = 100
MOST_DAYS = 62
_PAGING = (
    Parameter("page", whole(minimum=1, default=1), "From 1."),
    Parameter("per_page", whole(minimum=1, maximum=MOST_PER_PAGE, default=24), "How many on a page."),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked.

    :ivar user: whose token it is; None where none was sent.
    :ivar key: the Idempotency-Key, or "".
    """

    db: Session
    user: User | None
    query: MultiDict[str, str]
    body: Mapping[str, Any]
    key: str = ""

    @property
    def person(self) -> User:
        """Whose token it is, where there must be one."""
        assert self.user is not None, "the route declares a scope"  # for the type checker; the guard refuses before
        return self.user

    @property
    def base(self) -> str:
        """The site's public address."""
        return str(runtime_of(self.db).config.public_url).rstrip("/")


Answer = tuple[dict[str, Any], int]


@route(
    "GET",
    "/listings",
    scope="",
    answer=(200, "ListingPage"),
    query=(
        Parameter("q", text(maxLength=200), "Words."),
        Parameter("category", text(), "A field of help, by its name in addresses."),
        Parameter("sub", text(), "A topic of it."),
        Parameter("price", text(enum=["free", "paid"]), "Free or paid sessions only."),
        Parameter("price_max", whole(minimum=0), "The most that a session may cost, in whole euros."),
        Parameter("language", text(), "ISO 639-1."),
        Parameter("rating_min", whole(minimum=0, maximum=5), "Least mean of the stars."),
        Parameter("sort", text(enum=list(queries.SORTS), default="relevance"), "Order."),
        *_PAGING,
    ),
)
def list_listings(call: Call) -> Answer:
    """Find listings, as the site's search does."""
    wanted = replace(pages.search_request(call.query), per_page=_paging(call)[1])
    found = queries.search(call.db, wanted)
    return {
        "items": [shapes.card(item, call.base) for item in found.items] if wanted.page <= found.pages else [],
        "total": found.total,
        "page": wanted.page,
        "pages": found.pages,
    }, 200


@route("GET", "/listings/{slug}", scope="", answer=(200, "Listing"), errors=(404,))
def get_listing(call: Call, slug: str) -> Answer:
    """One listing, with its lengths, prices and questions."""
    return shapes.listing(call.db, _listing(call.db, slug), call.base), 200


@route(
    "GET",
    "/listings/{slug}/slots",
    scope="",
    answer=(200, "Slots"),
    errors=(404,),
    query=(
        Parameter("from", instant("First instant; now by default"), "First instant."),
        Parameter("to", instant("End, not included; two weeks later by default"), f"At most {MOST_DAYS} days later."),
        Parameter("length", whole(), "One of the listing's lengths in minutes; its first by default."),
    ),
)
def list_slots(call: Call, slug: str) -> Answer:
    """Starts at which the listing can be booked."""
    found = _listing(call.db, slug)
    begin = _instant(call.query.get("from"), "from") or clock.now()
    end = _instant(call.query.get("to"), "to") or begin + timedelta(days=14)
    if not begin <= end <= begin + timedelta(days=MOST_DAYS):
        raise HelpoutsError(_l("Ask for %(most)s days at most.", most=MOST_DAYS), field="to")
    length = _number(call, "length", found.length_minutes, 1, 24 * 60)
    found.price_of(length)
    starts = free_slots(call.db, found, begin, end, length_minutes=length) if is_open(call.db, found) else []
    return {"starts": [shapes.stamp(start) for start in starts], "length_minutes": length}, 200


@route(
    "GET",
    "/bookings",
    scope="read",
    answer=(200, "BookingPage"),
    query=(Parameter("when", text(enum=["all", "upcoming"], default="all"), "Only what is still to come."), *_PAGING),
)
def list_bookings(call: Call) -> Answer:
    """Your bookings, as customer and as expert, the latest start first."""
    page, per_page = _paging(call)
    where = [or_(Booking.customer_id == call.person.id, Booking.host_id == call.person.id)]
    when = call.query.get("when", "all")
    if when not in ("all", "upcoming"):
        raise HelpoutsError(_l("Choose one of: %(choices)s.", choices="all, upcoming"), field="when")
    if when == "upcoming":
        where += [Booking.state.in_(LIVE_STATES), Booking.ends_at > clock.now()]
    total = call.db.scalar(select(func.count()).select_from(Booking).where(*where)) or 0
    rows = select(Booking).where(*where).order_by(Booking.starts_at.desc(), Booking.id.desc())
    found = call.db.scalars(rows.limit(per_page).offset((page - 1) * per_page)).unique()
    return {
        "items": [shapes.booking(call.db, row, call.person.id, call.base) for row in found],
        "total": total,
        "page": page,
        "pages": max(1, -(-total // per_page)),
    }, 200


def _prepare_booking(call: Call) -> Draft | Booking:
    found = _listing(call.db, call.body["listing"], field="listing")
    start = _instant(call.body["start"], "start")
    assert start is not None  # only an empty text gives none, and that is refused
    zone = call.body.get("zone") or call.person.zone or "UTC"
    if zone not in known():
        raise HelpoutsError(_l("There is no such time zone."), field="zone")
    return service.prepare(
        call.db,
        found,
        call.person,
        start,
        call.body.get("answers", {}),
        zone=zone,
        idempotency_key=f"api:{call.key}",
        length_minutes=call.body.get("length_minutes"),
    )


@route(
    "POST",
    "/bookings",
    scope="book",
    answer=(201, "Booking"),
    body="NewBooking",
    errors=(402, 404, 409, 422, 503),
    prepare=_prepare_booking,
    key="required",
)
def create_booking(call: Call, prepared: Draft | Booking) -> Answer:
    """Book a session, and pay for it where it costs something; all or nothing."""
    if isinstance(prepared, Booking):
        made = call.db.get_one(Booking, prepared.id)
    else:
        made = service.place(call.db, prepared, Actor("customer", call.person.id, call.person.email))
    if made.state != "confirmed":
        raise Unavailable(_l("This booking has to be finished on the site."))
    return shapes.booking(call.db, made, call.person.id, call.base), 201


@route("GET", "/bookings/{id}", scope="read", answer=(200, "Booking"), errors=(404,))
def get_booking(call: Call, id: str) -> Answer:
    """One of your bookings."""
    return shapes.booking(call.db, _booking(call, id)[0], call.person.id, call.base), 200


@route(
    "POST",
    "/bookings/{id}/cancel",
    scope="book",
    answer=(200, "Cancelled"),
    body="Cancellation",
    errors=(404, 409, 422),
    key="optional",
)
def cancel_booking(call: Call, id: str) -> Answer:
    """Cancel one of your bookings; the policy says what it costs."""
    row, actor = _booking(call, id)
    charge = 0 if row.state == "held" else service.charge_now(row, actor)
    service.cancel(call.db, row, call.body.get("reason", ""), actor)
    return {"booking": shapes.booking(call.db, row, call.person.id, call.base), "charged_minor": charge}, 200


@route(
    "POST",
    "/bookings/{id}/reschedule",
    scope="book",
    answer=(200, "Moved"),
    body="Move",
    errors=(404, 409, 422),
    key="optional",
)
def reschedule_booking(call: Call, id: str) -> Answer:
    """Move one of your bookings, or propose another time where the other side has to agree."""
    row, actor = _booking(call, id)
    start = _instant(call.body["start"], "start")
    assert start is not None  # as above
    move = moving.reschedule(call.db, row, start, actor, call.body.get("reason", ""))
    shown = shapes.booking(call.db, row, call.person.id, call.base)
    return {"booking": shown, "outcome": move.state}, 200


def _listing(db: Session, slug: str, field: str | None = None) -> Listing:
    found = lookup.listing_by_slug(db, slug)
    if found is None or not pages.visible(found):
        raise NotFound(_l("This listing is not there, or not any more."), field=field)
    return found


def _booking(call: Call, name: str) -> tuple[Booking, Actor]:
    """The person's booking, and them in their part of it; the same answer for a stranger's as for none."""
    row = call.db.scalar(select(Booking).where(Booking.public_id == name))
    if row is None or call.person.id not in (row.host_id, row.customer_id):
        raise NotFound(_l("There is no such booking."))
    kind: Any = "expert" if row.host_id == call.person.id else "customer"
    return row, Actor(kind, call.person.id, call.person.email)


def _instant(given: str | None, field: str) -> datetime | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given.replace(" ", "+"))  # a "+" in a query is a space
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 2000 < found.year < 2200:
        raise HelpoutsError(_l("Send an instant with its offset, such as 2026-11-24T14:30:00Z."), field=field)
    return found


def _paging(call: Call) -> tuple[int, int]:
    return _number(call, "page", 1, 1, 100_000), _number(call, "per_page", 24, 1, MOST_PER_PAGE)


def _number(call: Call, name: str, default: int, least: int, most: int) -> int:
    given = call.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 8 and least <= int(given) <= most):
        message = _l("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)
        raise HelpoutsError(message, field=name)
    return int(given)
