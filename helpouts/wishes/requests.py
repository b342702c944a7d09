"""Posted requests: what a customer needs, and what becomes of it.

Services take a session and plain values and never commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.service import record
from helpouts.bookings.models import Booking
from helpouts.catalog import validation
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue, handler
from helpouts.mail.service import queue_mail
from helpouts.runtime import runtime_of
from helpouts.wishes import moderation
from helpouts.wishes.models import HelpRequest, RequestAnswer
from helpouts.wishes.states import LIVE_STATES, REQUEST

#: A request that nobody has closed is over after this time.
LIFETIME = timedelta(days=14)
#: Requests that one person may post in 24 hours, and have open at the same time.
MOST_A_DAY, MOST_OPEN = 3, 5
TITLE_LENGTH, TEXT_LENGTH = (8, 100), (20, 1500)
TIMINGS = ("now", "week", "dates", "any")
#: Days ahead that a wished date may lie.
FARTHEST = 90
MOST_BUDGET = 10_000_000
#: Requests that the sweep ends in one transaction.
BATCH = 200


def clean(db: Session, values: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """What a form says, checked and tidied; asks for nothing of its writer, so a visitor's draft can be checked, too.

    :param zone: the writer's zone, in which the days are meant.
    :raises HelpoutsError: for the first value that does not fit; ``field`` names it.
    """
    category = runtime_of(db).registry.categories(db).get(str(values.get("category") or ""))
    if category is None:
        raise HelpoutsError(_l("Choose the field that it belongs to."), field="category")
    topic = str(values.get("subcategory") or "")
    if topic and category.subcategory(topic) is None:
        raise HelpoutsError(_l("Choose a topic of this field, or none."), field="subcategory")
    language = str(values.get("language") or "")
    if language and language not in validation.known_languages():
        raise HelpoutsError(_l("Choose a language from the list."), field="language")
    budget = values.get("budget_minor")
    if budget is not None and not (type(budget) is int and 0 <= budget <= MOST_BUDGET):
        raise HelpoutsError(_l("Enter an amount such as 25, or leave it empty."), field="budget")
    timing = values.get("timing")
    if timing not in TIMINGS:
        raise HelpoutsError(_l("Say when you need the help."), field="timing")
    first, last = _days(values, zone) if timing == "dates" else (None, None)
    return {
        "category": category.slug,
        "subcategory": topic,
        "title": moderation.check(_line(values.get("title")), "title"),
        "text": moderation.check(_paragraphs(values.get("text")), "text"),
        "language": language,
        "budget_minor": budget,
        "currency": runtime_of(db).config.currency,
        "timing": timing,
        "day_from": first,
        "day_until": last,
    }


def post(db: Session, customer: User, values: Mapping[str, Any], zone: str) -> HelpRequest:
    """Put a request on the board of its field.

    :raises HelpoutsError: for a value that does not fit (``field`` names it), or when it is too many.
    """
    cleaned = clean(db, values, zone)
    now = clock.now()
    mine = select(func.count()).where(HelpRequest.customer_id == customer.id)
    if (db.scalar(mine.where(HelpRequest.created_at > now - timedelta(days=1))) or 0) >= MOST_A_DAY:
        raise HelpoutsError(_l("You have posted %(most)s requests today: come back tomorrow.", most=MOST_A_DAY))
    if (db.scalar(mine.where(HelpRequest.state.in_(LIVE_STATES))) or 0) >= MOST_OPEN:
        raise HelpoutsError(_l("%(most)s of your requests are open: close one of them first.", most=MOST_OPEN))
    request = HelpRequest(customer=customer, state=REQUEST.initial, expires_at=now + LIFETIME, **cleaned)
    db.add(request)
    db.flush()
    return request


def own_request(db: Session, user_id: int, public_id: str) -> HelpRequest:
    """A request of that person.

    :raises NotFound: otherwise, whether it exists or not.
    """
    request = db.scalar(select(HelpRequest).where(HelpRequest.public_id == public_id))
    if request is None or request.customer_id != user_id:
        raise NotFound(_l("You have no such request."))
    return request


def requests_of(db: Session, user_id: int) -> list[HelpRequest]:
    """A person's requests, the newest first."""
    mine = select(HelpRequest).where(HelpRequest.customer_id == user_id)
    return list(db.scalars(mine.order_by(HelpRequest.id.desc()).limit(100)).unique())


def finish(db: Session, request: HelpRequest, event: str, actor: Actor) -> None:
    """The customer ends it: ``close`` when help was found, ``withdraw`` when it is not needed any more."""
    REQUEST.apply(db, request, event, actor)


def remove(db: Session, request: HelpRequest, reason: str, actor: Actor) -> None:
    """An operator takes a request off the board; its writer is told why.

    :raises HelpoutsError: without a reason for the customer to read.
    """
    reason = reason.strip()[:2000]
    if len(reason) < 5:
        raise HelpoutsError(_l("Give a reason that the customer can read."), field="reason")
    REQUEST.apply(db, request, "remove", actor, reason)
    request.reason = reason
    record(db, actor, "help_request.remove", request, reason)
    tell_customer(db, request, "request_removed")


def tell_customer(db: Session, request: HelpRequest, template: str, **context: Any) -> None:
    """Write to the one who asks, in their language and zone."""
    customer = request.customer
    if customer.active:
        queue_mail(
            db,
            customer.email,
            template,
            customer.locale,
            customer.zone or "UTC",
            name=customer.name,
            request=request,
            **context,
        )


@handler("wishes.sweep", every_seconds=900)
def sweep(db: Session, _payload: Mapping[str, Any]) -> None:
    """End the requests whose time is over, and those whose customer has booked one of the answers."""
    over = select(HelpRequest).where(HelpRequest.state.in_(LIVE_STATES), HelpRequest.expires_at <= clock.now())
    locked = over.order_by(HelpRequest.id).limit(BATCH).with_for_update(of=HelpRequest, skip_locked=True)
    found = db.scalars(locked).unique().all()
    for request in found:
        REQUEST.apply(db, request, "expire", SYSTEM)
        tell_customer(db, request, "request_expired")
    if len(found) == BATCH:
        enqueue(db, "wishes.sweep", max_attempts=3)
    booked = (
        select(HelpRequest)
        .join(RequestAnswer, RequestAnswer.request_id == HelpRequest.id)
        .join(
            Booking, (Booking.listing_id == RequestAnswer.listing_id) & (Booking.customer_id == HelpRequest.customer_id)
        )
        .where(
            HelpRequest.state == "answered",
            Booking.state.in_(("confirmed", "in_session", "completed")),
            Booking.created_at >= RequestAnswer.created_at,
        )
        .limit(BATCH)
    )
    for request in set(db.scalars(booked).unique()):
        REQUEST.apply(db, request, "close", SYSTEM)


def _days(values: Mapping[str, Any], zone: str) -> tuple[date, date]:
    first, last = values.get("day_from"), values.get("day_until")
    if not isinstance(first, date) or isinstance(first, datetime):
        raise HelpoutsError(_l("Choose the first day that suits you."), field="day_from")
    last = last if isinstance(last, date) else first
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    if first < today:
        raise HelpoutsError(_l("This day is over."), field="day_from")
    if last < first:
        raise HelpoutsError(_l("The last day comes after the first one."), field="day_until")
    if last > today + timedelta(days=FARTHEST):
        raise HelpoutsError(_l("At most %(days)s days ahead, please.", days=FARTHEST), field="day_until")
    return first, last


def _line(value: object) -> str:
    return _bounded(" ".join(str(value or "").split()), TITLE_LENGTH, "title")


def _paragraphs(value: object) -> str:
    lines = [line.rstrip() for line in str(value or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return _bounded("\n".join(lines).strip(), TEXT_LENGTH, "text")


def _bounded(text: str, bounds: tuple[int, int], field: str) -> str:
    least, most = bounds
    if not all(char.isprintable() or char in "\n\t" for char in text):
        raise HelpoutsError(_l("Enter plain text."), field=field)
    if len(text) < least:
        raise HelpoutsError(_l("Write at least %(least)s characters.", least=least), field=field)
    if len(text) > most:
        raise HelpoutsError(
            _l("This is too long: %(most)s characters fit, you have %(count)s.", most=most, count=len(text)),
            field=field,
        )
    return text
