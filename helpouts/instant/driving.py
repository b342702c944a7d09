"""What moves requests on: offers that nobody answers are missed, the next expert rings, the line moves, ghosts lapse.

All of it is :func:`drive`, which looks at the rows and does what is due; calling it once more changes nothing.  It is
called in the transaction of whatever may have changed something (a request, an answer), by every live process as soon
as something is due (:mod:`helpouts.live.desk_loops`), and by a job, so that no killed process leaves a request lying.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts import site
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings.states import BOOKING
from helpouts.clock import clock
from helpouts.i18n import lazy_gettext as _l
from helpouts.instant import matching, presence
from helpouts.instant.models import OPEN_STATES, AvailableSwitch, DeskTicket, InstantOffer, InstantRequest
from helpouts.instant.states import OFFER, REQUEST
from helpouts.jobs.service import handler
from helpouts.notices.service import notify
from helpouts.payments import service as money
from helpouts.sessions.models import LiveEvent

#: After so many rings in a row that nobody answered the switch goes off.
MOST_MISSED = 2
_LOCK = 0x52494E47  # "RING": the advisory lock of :func:`take_turn`


def tell(db: Session, *user_ids: int) -> None:
    """Have the devices of these people look at their desk again."""
    db.add_all([LiveEvent(topic=f"desk:{user_id}", payload={}) for user_id in user_ids])


def is_due(db: Session) -> bool:
    """Whether :func:`drive` would find something to do; for readers, who ask often."""
    now = clock.now()
    ghosts = exists().where(InstantRequest.state.in_(OPEN_STATES), InstantRequest.heard_until < now)
    over = exists().where(InstantOffer.state == "ringing", InstantOffer.until <= now)
    rings = exists().where(InstantOffer.request_id == InstantRequest.id, InstantOffer.state == "ringing")
    silent = exists().where(InstantRequest.state.in_(("looking", "ringing")), ~rings)
    if db.scalar(select(or_(ghosts, over, silent))):
        return True
    line = select(InstantRequest).where(InstantRequest.state == "waiting").order_by(InstantRequest.asked_at)
    for request in db.scalars(line).unique():
        wish = matching.wish_of(request)
        if next(matching.candidates(db, wish, now), None) or not matching.busy(db, wish, now):
            return True
    return False


def take_turn(db: Session) -> None:
    """Whoever decides who is asked does so alone (PostgreSQL; SQLite has one writer anyway).

    To be taken before any row of a request is locked by a transaction that will call :func:`drive`.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def drive(db: Session) -> None:
    """Do what is due, in the order in which people asked."""
    take_turn(db)
    now = clock.now()
    open_requests = (
        select(InstantRequest)
        .where(InstantRequest.state.in_(OPEN_STATES))
        .order_by(InstantRequest.asked_at, InstantRequest.id)
        .with_for_update(of=InstantRequest)
        .execution_options(populate_existing=True)
    )
    for request in db.scalars(open_requests).unique().all():
        offer = ringing_offer(db, request)
        if request.heard_until < now:
            _lapse(db, request, offer)
        elif offer is not None and offer.until > now:
            continue
        else:
            if offer is not None:
                _miss(db, offer, now)
            _next(db, request, now)
    db.flush()


def ringing_offer(db: Session, request: InstantRequest) -> InstantOffer | None:
    """The offer of the request that rings, if there is one; locked."""
    query = select(InstantOffer).where(InstantOffer.request_id == request.id, InstantOffer.state == "ringing")
    return db.scalar(query.with_for_update(of=InstantOffer).execution_options(populate_existing=True))


def close(db: Session, request: InstantRequest, event: str, actor: Actor, reason: str = "") -> None:
    """End a request without a session ("withdraw", "fail", "lapse"): whoever rings stops, and the money goes back."""
    offer = ringing_offer(db, request)
    if offer is not None:
        stop(db, offer, actor, reason)
    REQUEST.apply(db, request, event, actor, reason)
    request.closed_at = clock.now()
    booking = request.booking
    BOOKING.apply(db, booking, "withdraw" if event == "withdraw" else "give_up", actor, reason)
    booking.closed_at, booking.cancel_reason = clock.now(), reason if event == "withdraw" else ""
    if booking.amount_minor:
        money.release_booking(db, booking, 0, actor)
    tell(db, request.customer_id)


def stop(db: Session, offer: InstantOffer, actor: Actor, reason: str = "") -> None:
    """The expert need not answer any more."""
    OFFER.apply(db, offer, "stop", actor, reason)
    offer.answered_at = clock.now()
    db.flush()
    tell(db, offer.user_id)


def _lapse(db: Session, request: InstantRequest, offer: InstantOffer | None) -> None:
    if offer is not None:
        stop(db, offer, SYSTEM, "the customer has gone")
    close(db, request, "lapse", SYSTEM, "the customer was not heard of any more")


def _miss(db: Session, offer: InstantOffer, now: datetime) -> None:
    OFFER.apply(db, offer, "miss", SYSTEM)
    offer.answered_at = now
    db.flush()
    tell(db, offer.user_id)
    switch = db.get(AvailableSwitch, offer.user_id, with_for_update=True)
    if switch is None:
        return
    switch.missed += 1
    if switch.missed >= MOST_MISSED and switch.is_on:
        presence.turn(db, offer.user_id, False)
        notify(
            db,
            offer.user_id,
            "ring",
            _l("You are not available any more"),
            _l("You did not answer %(count)s times. Switch “available now” on again when you are back.", count=2),
            "/expert",
        )


def _next(db: Session, request: InstantRequest, now: datetime) -> None:
    wish = matching.wish_of(request)
    if matching.booked(db, request.customer_id, now, now + timedelta(minutes=matching.SHORTEST_MINUTES)):
        close(db, request, "fail", SYSTEM, "the customer has another session")
        return
    for candidate in matching.candidates(db, wish, now):
        if _ring(db, request, candidate, now):
            return
    if not matching.busy(db, wish, now):
        close(db, request, "fail", SYSTEM, "nobody took it")
    elif request.state != "waiting":
        REQUEST.apply(db, request, "wait", SYSTEM)
        tell(db, request.customer_id)


def _ring(db: Session, request: InstantRequest, candidate: matching.Candidate, now: datetime) -> bool:
    until = now + timedelta(seconds=site.get(db, "ring_seconds"))
    offer = InstantOffer(
        public_id=secrets.token_urlsafe(16),
        request_id=request.id,
        user_id=candidate.user_id,
        listing_id=candidate.listing.id,
        state=OFFER.initial,
        rung_at=now,
        until=until,
    )
    try:
        with db.begin_nested():
            db.add(offer)
            db.flush()
    except IntegrityError:  # somebody else's request has begun to ring there in this moment
        return False
    REQUEST.apply(db, request, "ring", SYSTEM)
    switch = db.get(AvailableSwitch, candidate.user_id)
    if switch is not None:
        switch.last_rung_at = now
    tell(db, candidate.user_id, request.customer_id)
    notify(
        db,
        candidate.user_id,
        "ring",
        _l("Somebody needs help now"),
        candidate.listing.title,
        f"/desk/offers/{offer.public_id}",
        urgent=True,
        expires_at=until,
    )
    return True


@handler("instant.drive", every_seconds=5)
def drive_job(db: Session, _payload: Mapping[str, Any]) -> None:
    """The safety net under the live processes."""
    if is_due(db):
        drive(db)


@handler("instant.tidy", every_seconds=3600)
def tidy(db: Session, _payload: Mapping[str, Any]) -> None:
    """Remove tickets and promises that are over."""
    db.execute(delete(DeskTicket).where(DeskTicket.expires_at < clock.now()))
    presence.forget_old(db)
