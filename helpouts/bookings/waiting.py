"""The wait-list of a listing: who waits, and who is offered the time that becomes free.

Whenever the free time of somebody who serves the listing changes, the worker looks at the list: the first who
fits gets the slot held for them, with a mail in which they take it or pass.  Nobody is offered two at once, no slot
is held for two, and none is offered to the same person twice.  Who lets an offer run out keeps the place; after
:data:`MOST_MISSED` of them the place is given up.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import announce
from helpouts.bookings.drafts import check_bookable, draft, hosts_of
from helpouts.bookings.intake import check_answers
from helpouts.bookings.models import Booking
from helpouts.bookings.placing import reserve
from helpouts.bookings.states import BOOKING, WAITING
from helpouts.bookings.waiting_models import WaitlistEntry, WaitlistOffer
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.clock import clock
from helpouts.coupons.uses import give_back
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue, handler
from helpouts.scheduling import changes
from helpouts.scheduling import service as scheduling

#: How long a slot is held for somebody; less when it begins soon, and never shorter than the least.
OFFERED_FOR, LEAST = timedelta(hours=2), timedelta(minutes=10)
MOST_MISSED = 3
LONGEST = timedelta(days=180)
OPEN = ("waiting", "offered")
#: Starts by length in minutes.
FreeTimes = dict[int, list[datetime]]


def join(
    db: Session,
    listing: Listing,
    customer_id: int,
    answers: Mapping[str, Any],
    *,
    zone: str,
    weekdays: Collection[int] = (),
    from_minute: int = 0,
    until_minute: int = 1440,
    until: date | None = None,
    length_minutes: int | None = None,
) -> WaitlistEntry:
    """Wait for free time of a listing; joining again changes the wishes and keeps the place.

    :param answers: to the category's questions, asked now because an offer is short.
    :param weekdays: 0 = Monday; none of them is any day.
    :param from_minute: wall minutes in ``zone`` within which the session should lie.
    :param until: the last day that is of use; by default so far as :data:`LONGEST`.
    :param length_minutes: one of the listing's lengths; its main one by default.
    :raises Unavailable: the listing cannot be booked at all.
    :raises HelpoutsError: for wishes that make no sense, at their field.
    """
    category = check_bookable(db, listing)
    check_answers(category.intake, answers)
    if customer_id in hosts_of(listing):
        raise NotAllowed(_l("You cannot book your own listing."))
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    until = until or today + LONGEST
    if not today <= until <= today + LONGEST:
        raise HelpoutsError(_l("Choose a day within the next half year."), field="until")
    length = length_minutes or listing.length_minutes
    listing.price_of(length)
    if not 0 <= from_minute < until_minute <= 1440 or until_minute - from_minute < length:
        raise HelpoutsError(_l("The session has to fit between these times."), field="until_minute")
    if not set(weekdays) <= set(range(7)):
        raise HelpoutsError(_l("Choose from the list."), field="weekdays")
    entry = entry_of(db, listing.id, customer_id)
    if entry is None:
        entry = WaitlistEntry(
            public_id=secrets.token_urlsafe(16), listing_id=listing.id, customer_id=customer_id, state=WAITING.initial
        )
        db.add(entry)
    entry.weekdays, entry.from_minute, entry.until_minute = sorted(set(weekdays)), from_minute, until_minute
    entry.until, entry.zone, entry.answers = until, zone, dict(answers)
    entry.length_minutes = None if length == listing.length_minutes else length
    db.flush()
    _look(db, listing.id)
    return entry


def leave(db: Session, entry: WaitlistEntry, actor: Actor) -> None:
    """Wait no more; a slot that is held goes to the next."""
    db.refresh(entry, with_for_update={"of": WaitlistEntry})
    offer = open_offer(db, entry)
    WAITING.apply(db, entry, "leave", actor)
    entry.closed_at = clock.now()
    if offer is not None:
        _give_up(db, offer.booking, actor)


def decline(db: Session, booking: Booking, actor: Actor) -> None:
    """Pass on the slot that is offered; the place on the list stays, the slot goes to the next.

    :raises NotFound: it is no offer, or none any more.
    """
    entry = db.scalar(
        select(WaitlistEntry)
        .join(WaitlistOffer, WaitlistOffer.entry_id == WaitlistEntry.id)
        .where(WaitlistOffer.booking_id == booking.id, WaitlistEntry.state == "offered")
        .with_for_update(of=WaitlistEntry)
    )
    if entry is None or booking.state != "held":
        raise NotFound(_l("This offer is over."))
    WAITING.apply(db, entry, "miss", SYSTEM, "declined")
    _give_up(db, booking, actor)


def entry_of(db: Session, listing_id: int, customer_id: int) -> WaitlistEntry | None:
    """The person's open place on a listing's list."""
    return db.scalar(
        select(WaitlistEntry).where(
            WaitlistEntry.listing_id == listing_id,
            WaitlistEntry.customer_id == customer_id,
            WaitlistEntry.state.in_(OPEN),
        )
    )


def place_of(db: Session, entry: WaitlistEntry) -> int:
    """How many-th the person is, from 1."""
    before = select(func.count()).where(
        WaitlistEntry.listing_id == entry.listing_id, WaitlistEntry.state.in_(OPEN), WaitlistEntry.id < entry.id
    )
    return (db.scalar(before) or 0) + 1


def length_of(db: Session, listing_id: int) -> int:
    """How many people wait."""
    waiting = select(func.count()).where(WaitlistEntry.listing_id == listing_id, WaitlistEntry.state.in_(OPEN))
    return db.scalar(waiting) or 0


def open_offer(db: Session, entry: WaitlistEntry) -> WaitlistOffer | None:
    """What is held for the person now."""
    if entry.state != "offered":
        return None
    query = select(WaitlistOffer).where(WaitlistOffer.entry_id == entry.id).order_by(WaitlistOffer.id.desc()).limit(1)
    return db.scalar(query)


@changes.listen
def time_has_changed(db: Session, user_ids: Collection[int]) -> None:
    """Have the lists looked at that these people serve."""
    listings = (
        select(Listing.id)
        .join(ExpertMember, ExpertMember.expert_id == Listing.expert_id)
        .join(WaitlistEntry, WaitlistEntry.listing_id == Listing.id)
        .where(ExpertMember.user_id.in_(user_ids), WaitlistEntry.state.in_(OPEN))
        .distinct()
    )
    for listing_id in db.scalars(listings.order_by(Listing.id)).all():
        _look(db, listing_id)


def free_times(db: Session, payload: Mapping[str, Any]) -> FreeTimes:
    """The free starts of a listing in each length for which somebody waits now, or will once offers are settled."""
    listing = db.get_one(Listing, payload["listing"])
    entries = db.scalars(_open_entries(listing)).all()
    waiting = [entry for entry in entries if entry.state == "waiting" or _ended(open_offer(db, entry))]
    try:
        check_bookable(db, listing)
    except Unavailable:
        return {}
    now, offered = clock.now(), {length.minutes for length in listing.offered()}
    found: FreeTimes = {}
    for length in {entry.minutes for entry in waiting} & offered:
        last = max(entry.until for entry in waiting if entry.minutes == length)
        end = max(datetime.combine(last, datetime.min.time(), now.tzinfo) + timedelta(days=2), now + LEAST)
        found[length] = scheduling.free_slots(db, listing, now, end, length_minutes=length)
    return found


@handler("bookings.waitlist", look=free_times)
def match(db: Session, payload: Mapping[str, Any], free: FreeTimes) -> None:
    """Note what became of the offers, and offer what is free to the first who fits.

    :param free: what was free a moment ago.  Each start is checked again before it is held; what has become free since,
        and who has come since, is seen to by the look that was promised then.
    """
    listing = db.get_one(Listing, payload["listing"])
    entries = db.scalars(_open_entries(listing).with_for_update(of=WaitlistEntry)).all()
    for entry in entries:
        _settle(db, entry)
    waiting = [entry for entry in entries if entry.state == "waiting"]
    if waiting:
        _offer_to_all(db, listing, waiting, free)


@handler("bookings.waitlist_tidy", every_seconds=3600)
def tidy(db: Session, _payload: Mapping[str, Any]) -> None:
    """Close the places whose last day is over."""
    yesterday = clock.now().date() - timedelta(days=1)
    old = select(WaitlistEntry).where(WaitlistEntry.state == "waiting", WaitlistEntry.until < yesterday)
    for entry in db.scalars(old.limit(500).with_for_update(of=WaitlistEntry, skip_locked=True)):
        _close(db, entry, "its last day is over")


def _look(db: Session, listing_id: int) -> None:
    """Promise to look at a list; once for however many reasons there are until the worker comes to it."""
    enqueue(db, "bookings.waitlist", {"listing": listing_id}, serial_key=f"waitlist:{listing_id}")


def _open_entries(listing: Listing) -> Select[WaitlistEntry]:
    mine = (WaitlistEntry.listing_id == listing.id, WaitlistEntry.state.in_(OPEN))
    return select(WaitlistEntry).where(*mine).order_by(WaitlistEntry.id)


def _ended(offer: WaitlistOffer | None) -> bool:
    """Whether something was offered that is not held any more."""
    return offer is not None and offer.booking.state not in ("held", "requested")


def _settle(db: Session, entry: WaitlistEntry) -> None:
    """What became of the offer: taken, run out (which counts), or still open."""
    offer = open_offer(db, entry)
    if offer is None or not _ended(offer):
        return
    booking = offer.booking
    if booking.state in ("expired", "cancelled"):
        entry.missed += booking.state == "expired"
        WAITING.apply(db, entry, "miss", SYSTEM, f"the offer was {booking.state}")
        if entry.missed >= MOST_MISSED:
            _close(db, entry, "offers were not answered")
    else:
        WAITING.apply(db, entry, "book", SYSTEM)
        entry.closed_at = clock.now()


def _close(db: Session, entry: WaitlistEntry, reason: str) -> None:
    WAITING.apply(db, entry, "close", SYSTEM, reason)
    entry.closed_at = clock.now()


def _offer_to_all(db: Session, listing: Listing, waiting: Sequence[WaitlistEntry], free: FreeTimes) -> None:
    try:
        check_bookable(db, listing)
    except Unavailable:
        return
    for entry in waiting:
        try:
            listing.price_of(entry.minutes)
        except HelpoutsError as error:  # it is not offered in that length any more
            _close(db, entry, str(error))
        else:
            offer_one(db, listing, entry, free.get(entry.minutes, ()))


def offer_one(db: Session, listing: Listing, entry: WaitlistEntry, free: Iterable[datetime]) -> bool:
    """Hold the first start that suits this person; tells whether there was one."""
    had = set(db.scalars(select(WaitlistOffer.starts_at).where(WaitlistOffer.entry_id == entry.id)))
    for start in free:
        until = _held_until(start)
        if start in had or until is None or not fits(entry, start, entry.minutes):
            continue
        try:
            made = draft(
                db,
                listing,
                entry.customer,
                start,
                entry.answers,
                zone=entry.zone,
                idempotency_key=f"wait:{entry.id}:{int(start.timestamp())}:{entry.minutes}",
                length_minutes=entry.length_minutes,
            )
            booking = reserve(db, made, SYSTEM, until)
        except Conflict:  # taken since it was looked at, or the customer has another session then
            continue
        except HelpoutsError as error:  # the category's questions have changed since, for one
            _close(db, entry, str(error))
            return False
        db.add(WaitlistOffer(entry_id=entry.id, booking_id=booking.id, starts_at=start))
        WAITING.apply(db, entry, "offer", SYSTEM)
        db.flush()
        announce.promise(db, booking, "offered")
        return True
    return False


def fits(entry: WaitlistEntry, start: datetime, length_minutes: int) -> bool:
    """Whether a session that begins then is what the person wished for."""
    local = start.astimezone(ZoneInfo(entry.zone))
    minute = local.hour * 60 + local.minute
    return (
        local.date() <= entry.until
        and (not entry.weekdays or local.weekday() in entry.weekdays)
        and entry.from_minute <= minute
        and minute + length_minutes <= entry.until_minute
    )


def _held_until(start: datetime) -> datetime | None:
    """Until when an offer of that start stands; None when it begins too soon to offer it."""
    now = clock.now()
    window = min(OFFERED_FOR, (start - now) / 2)
    return now + window if window >= LEAST else None


def _give_up(db: Session, booking: Booking, actor: Actor) -> None:
    if booking.state == "held":
        BOOKING.apply(db, booking, "abandon", actor, "the wait-list's offer was declined")
        give_back(db, [booking.id])
        changes.touch(db, [booking.host_id, booking.customer_id])
    db.flush()
