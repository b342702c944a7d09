"""How things stand that a booking rests on, as a draft finds them, and whether they are still so when it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, literal_column, select, true, union_all
from sqlalchemy.orm import Session

from helpouts.bookings import quick
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.db.keys import next_key
from helpouts.db.prepared import Prepared
from helpouts.payments.models import Journal, LedgerAccount, Payment
from helpouts.scheduling.models import ScheduleRow

#: A booking writes one row of each, and others refer to it.
WRITTEN: tuple[Any, ...] = (Booking, Payment, LedgerAccount, Journal)
_standing = (
    select(Listing.version, Listing.state, Expert.state, ScheduleRow.version, ScheduleRow.zone)
    .join_from(Listing, Expert, Listing.expert_id == Expert.id)
    .outerjoin(ScheduleRow, ScheduleRow.user_id == bindparam("host"))
    .where(Listing.id == bindparam("listing"))
)
_STANDING = Prepared(_standing)
_near = union_all(*quick.taken_times("host", "since", "until"), quick.ELSEWHERE).subquery()
_own = union_all(*quick.taken_times("customer", "starts", "ends")).subquery()
_times = union_all(
    select(literal_column("1").label("of_host"), *_near.c), select(literal_column("0"), *_own.c)
).subquery("times")
#: The same, the keys of the rows that a booking writes, and a row for each thing that takes the time of one of the two.
_NOW = Prepared(
    _standing.add_columns(
        *(next_key(model.__table__).label(f"key_{n}") for n, model in enumerate(WRITTEN)), *_times.c
    ).outerjoin(_times, true())
)


class Seen(NamedTuple):
    """What a draft rests on: the listing, the expert and the host's hours as they stand; what else the host does then.

    :ivar zone: in which the hours are meant; None for a host without hours.
    """

    listing_version: int
    listing_state: str
    expert_state: str
    hours_version: int | None
    zone: str | None
    near: list[quick.Busy]


class Now(NamedTuple):
    """How things stand when a draft's booking is to be written.

    :ivar unchanged: all that the draft rests on is still so.
    :ivar clear: nothing takes anybody's time then, not even a hold that has lapsed.
    :ivar keys: of the new rows of the tables :data:`WRITTEN`.
    """

    unchanged: bool
    clear: bool
    keys: Mapping[str, int]


CHANGED = Now(False, False, {})


def seen(db: Session, listing: Listing, host_id: int, starts_at: datetime, ends_at: datetime, free: quick.Free) -> Seen:
    """How things stand at this moment, as far as it was not looked at already."""
    if free.hours is not None and free.near is not None:
        version, zone = free.hours
        return Seen(listing.version, listing.state, listing.expert.state, version, zone, free.near)
    near = quick.busy(db, host_id, starts_at - free.reach, ends_at + free.reach)
    return Seen._make((*_STANDING.first(db, {"listing": listing.id, "host": host_id}), near))


def look_again(db: Session, row: Mapping[str, Any], reach: timedelta, before: Seen) -> Now:
    """How things stand in the transaction that is to write the booking.

    :param row: the booking's, as a draft has it.
    :param before: how they stood then, within ``reach`` of its time.
    """
    values = {
        "listing": row["listing_id"],
        "host": row["host_id"],
        "customer": row["customer_id"],
        "starts": row["starts_at"],
        "ends": row["ends_at"],
        "since": row["starts_at"] - reach,
        "until": row["ends_at"] + reach,
    }
    rows = _NOW.all(db, values)
    if not rows:
        return CHANGED
    keys = {model.__tablename__: key for model, key in zip(WRITTEN, rows[0][5:-5], strict=True)}
    times = [tuple(found[-5:]) for found in rows if found.of_host is not None]
    near = quick.in_order(time for of_host, *time in times if of_host)
    return Now(Seen._make((*rows[0][:5], near)) == before, not times, keys)
