"""What happens to a session: prepared, opened by the first who enters, metered, ended and settled."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update
from sqlalchemy.orm import Session as DbSession

from helpouts import events, site
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import mails
from helpouts.bookings.models import Booking
from helpouts.bookings.policy import cancellation_charge
from helpouts.bookings.states import BOOKING
from helpouts.clock import clock
from helpouts.coupons.uses import give_back
from helpouts.db.inserts import Inserted
from helpouts.db.later import later
from helpouts.errors import Conflict
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue, handler
from helpouts.payments import service as money
from helpouts.sessions import notes, recording, support
from helpouts.sessions.choosing import transport_name
from helpouts.sessions.meter import overlap
from helpouts.sessions.models import LiveEvent, Presence, Session
from helpouts.sessions.states import SESSION

#: A connection that has been silent for longer is taken for dead.
SILENCE = timedelta(seconds=5)
_ROOM = Inserted(Session.__table__, ("booking_id", "room_id", "state", "transport_data"))


def prepare_session(db: DbSession, booking: Booking, *, fresh: bool = False) -> None:
    """Make the room of a confirmed booking; one per booking.

    :param fresh: the booking was written in this transaction, so it has none yet.
    """
    if fresh or session_of(db, booking) is None:
        room_id = secrets.token_urlsafe(16)
        room = {"booking_id": booking.id, "room_id": room_id, "state": SESSION.initial, "transport_data": {}}
        later(db, _ROOM, room)


def session_of(db: DbSession, booking: Booking) -> Session | None:
    """The session of a booking, or None before it is confirmed."""
    return db.scalar(select(Session).where(Session.booking_id == booking.id))


def join(db: DbSession, session: Session, user_id: int, node: str, device: str) -> Presence:
    """Somebody is connected to the room; the first one opens it.

    :raises Conflict: the session has ended in this moment.
    """
    db.refresh(session, with_for_update={"of": Session})  # two who enter at once must see each other
    if session.state == "ended":
        raise Conflict(_l("This session is over."))
    now = clock.now()
    if session.state == "scheduled":
        session.transport, session.opened_at = transport_name(db, session.booking.category), now
        SESSION.apply(db, session, "open", SYSTEM)
    presence = _present(db, now, session_id=session.id, user_id=user_id, node=node, device=device[:120])
    _begin_when_both_are_there(db, session)
    return presence


def _present(db: DbSession, now: datetime, **whose: int | str) -> Presence:
    presence = Presence(**whose, joined_at=now, last_seen_at=now)
    db.add(presence)
    db.flush()
    return presence


def _begin_when_both_are_there(db: DbSession, session: Session) -> None:
    booking = session.booking
    if booking.state != "confirmed":
        return
    here = set(
        db.scalars(
            select(Presence.user_id).where(
                Presence.session_id == session.id,
                Presence.left_at.is_(None),
                Presence.last_seen_at > clock.now() - SILENCE,
            )
        )
    )
    if {booking.host_id, booking.customer_id} <= here:
        db.refresh(booking, with_for_update={"of": Booking})  # it may be cancelled in this moment
        if booking.state != "confirmed":
            raise Conflict(_l("This booking does not stand any more."))
        BOOKING.apply(db, booking, "begin", SYSTEM)
        events.emit(db, "session_started", session_id=session.id)


def seen(db: DbSession, moments: Mapping[int, datetime]) -> None:
    """Connections that have been heard from: presence id and when; called every second by the live process."""
    if not moments:
        return
    row = Presence.__table__.c
    moment: BindParameter[datetime] = bindparam("moment")
    heard = (
        update(Presence)
        .where(row.id == bindparam("presence"), row.left_at.is_(None), row.last_seen_at < moment)
        .values(last_seen_at=moment)
    )
    rows = [{"presence": presence_id, "moment": moments[presence_id]} for presence_id in sorted(moments)]
    db.flush()
    db.connection().execute(heard, rows)


def leave(db: DbSession, presence_id: int, moment: datetime) -> None:
    """A connection is gone since ``moment``; saying it again changes nothing."""
    db.execute(
        update(Presence)
        .where(Presence.id == presence_id, Presence.left_at.is_(None))
        .values(left_at=moment, last_seen_at=moment)
    )


def begin_again(db: DbSession, presence_id: int, moment: datetime, now: datetime) -> int:
    """The clock has left out some time: end a presence at ``moment``, before it, and begin another ``now``; its id."""
    row = db.get_one(Presence, presence_id)
    if row.left_at is not None:
        return presence_id
    leave(db, presence_id, max(moment, row.joined_at))
    again = _present(db, now, session_id=row.session_id, user_id=row.user_id, node=row.node, device=row.device)
    return again.id


def forget_node(db: DbSession, node: str) -> None:
    """A live process starts anew: whoever was connected to its predecessor left when last seen."""
    db.execute(
        update(Presence).where(Presence.node == node, Presence.left_at.is_(None)).values(left_at=Presence.last_seen_at)
    )


def intervals(db: DbSession, session_id: int, now: datetime) -> dict[int, list[tuple[datetime, datetime]]]:
    """By user: from when to when they were connected.  An open connection counts to ``now`` while it is alive."""
    found: dict[int, list[tuple[datetime, datetime]]] = {}
    for row in db.scalars(select(Presence).where(Presence.session_id == session_id)):
        alive = row.left_at is None and row.last_seen_at > now - SILENCE
        found.setdefault(row.user_id, []).append((row.joined_at, now if alive else row.left_at or row.last_seen_at))
    return found


def connected_seconds(db: DbSession, session: Session, now: datetime | None = None) -> int:
    """Whole seconds in which both were connected, never before the booked start nor after the booked end."""
    by_user = intervals(db, session.id, now or clock.now())
    booking = session.booking

    def during(rows: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
        return [(max(a, booking.starts_at), min(b, booking.ends_at)) for a, b in rows]

    both = overlap(during(by_user.get(booking.host_id, [])), during(by_user.get(booking.customer_id, [])))
    return int(both.total_seconds())


def lock_session(db: DbSession, session: Session) -> None:
    """Take the session for this transaction, and read again what others may have changed of it and of its booking."""
    db.refresh(session, with_for_update={"of": Session})
    db.refresh(session.booking)  # an extension may have moved its end, and raised its price


def end(db: DbSession, session: Session, reason: str, actor: Actor, note: str = "") -> Session:
    """End the session: stop the meter, settle the money, mail the receipt; ending it again changes nothing.

    :param reason: "expert", "customer", "time", "operator".
    :param note: what both are told of it.
    """
    lock_session(db, session)
    if session.state == "ended":
        return session
    now = clock.now()
    session.connected_seconds = connected_seconds(db, session, now)
    for presence_id in db.scalars(
        select(Presence.id).where(Presence.session_id == session.id, Presence.left_at.is_(None))
    ):
        row = db.get_one(Presence, presence_id)
        leave(db, presence_id, now if row.last_seen_at > now - SILENCE else row.last_seen_at)
    SESSION.apply(db, session, "end", actor, reason)
    session.ended_at, session.end_reason, session.end_note = now, reason, note
    recording.stop(db, session, "over")
    support.close(db, session)
    _close_booking(db, session)
    notes.forget_steps(db, session.id)
    tell(db, session, {"type": "ended", "note": note})
    events.emit(db, "session_ended", session_id=session.id, connected_seconds=session.connected_seconds)
    return session


def _close_booking(db: DbSession, session: Session) -> None:
    booking, seconds = session.booking, session.connected_seconds or 0
    if booking.state not in ("confirmed", "in_session"):
        return
    booking.closed_at = session.ended_at
    if booking.state == "confirmed":
        BOOKING.apply(db, booking, "miss", SYSTEM, _who_missed(db, session))
    else:
        BOOKING.apply(db, booking, "complete", SYSTEM)
    lost = booking.pricing != "free" and (booking.state == "no_show" or _expert_was_late(db, session))
    charge = _no_show_charge(db, session) if lost else 0
    if lost and not charge:
        give_back(db, [booking.id])
    if booking.amount_minor and lost:
        money.release_booking(db, booking, charge, SYSTEM)
    elif booking.amount_minor:
        money.settle_booking(db, booking, seconds, SYSTEM)
    mails.finished(db, booking, seconds)


def _first_join(db: DbSession, session: Session, user_id: int) -> datetime | None:
    return db.scalar(
        select(Presence.joined_at)
        .where(Presence.session_id == session.id, Presence.user_id == user_id)
        .order_by(Presence.joined_at)
        .limit(1)
    )


def _expert_was_late(db: DbSession, session: Session) -> bool:
    """More than ``late_minutes`` late: the session is free."""
    first = _first_join(db, session, session.booking.host_id)
    limit = session.booking.starts_at + timedelta(minutes=site.get(db, "late_minutes"))
    return first is None or first > limit


def _who_missed(db: DbSession, session: Session) -> str:
    missing = [
        name
        for name, user_id in (("expert", session.booking.host_id), ("customer", session.booking.customer_id))
        if _first_join(db, session, user_id) is None
    ]
    return "missed by " + " and ".join(missing) if missing else "never there at the same time"


def _no_show_charge(db: DbSession, session: Session) -> int:
    """A customer who stays away from an expert who was there in time pays what a cancellation at the start costs."""
    booking = session.booking
    if booking.state != "no_show" or _expert_was_late(db, session):
        return 0
    if _first_join(db, session, booking.customer_id) is not None:
        return 0
    return cancellation_charge(
        booking.cancellation_policy,
        booking.pricing,
        booking.price_minor,
        booking.amount_minor,
        booking.starts_at,
        booking.starts_at,
    )


def tell(db: DbSession, session: Session, payload: dict[str, Any]) -> None:
    """Say something to the live process that has the room (it follows the table of events)."""
    db.add(LiveEvent(topic=f"room:{session.room_id}", payload=payload))


@handler("session.close")
def close(db: DbSession, payload: Mapping[str, Any]) -> None:
    """A quarter of an hour after the booked end: end what nobody has ended."""
    session = db.get_one(Session, payload["session"])
    lock_session(db, session)
    if session.booking.state in ("confirmed", "in_session"):
        due = session.booking.ends_at + timedelta(minutes=15)
        if due > clock.now():
            enqueue(db, "session.close", payload, run_at=due)
        else:
            end(db, session, "time", SYSTEM)
