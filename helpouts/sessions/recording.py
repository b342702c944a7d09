"""Recording a session: by whom it may be, who agreed, when it begins and stops, what becomes of it.

The rules.  Nobody is recorded who has not agreed in this room, and has not withdrawn since; both must have agreed.  The
category decides whether it is offered at all (``forbidden``), offered by a button (``allowed``), or asked of both when
they meet (``asked``).  Never with a minor: whose birth date is kept must be 18; whoever else agrees says that they are.
Either may withdraw at any moment, which stops it at once, and may have what there is deleted; either may delete it
later, for both.  What is kept is deleted ``recording_days`` after the session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts import site
from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue
from helpouts.runtime import runtime_of
from helpouts.sessions.models import LiveEvent, Session
from helpouts.sessions.recording_models import Recording, RecordingConsent, RecordingSegment
from helpouts.sessions.states import RECORDING

ADULT_YEARS = 18
#: The live process writes down what it still has when it hears of the end; then the film is made.
SETTLE = timedelta(seconds=15)
#: How often the worker tries to make a film, with pauses of seconds in between, before it is said to have failed.
ATTEMPTS = 4
KEPT = ("preparing", "ready", "failed")


@dataclass(frozen=True, slots=True)
class Standing:
    """How recording stands in a room, for the two people in it.

    :ivar rule: "forbidden" (with ``why``, a text for people), "allowed" or "asked".
    :ivar agreed: ids of the people whose consent stands.
    :ivar running: public id of the recording that runs, or "".
    """

    rule: str
    why: str
    agreed: tuple[int, ...]
    running: str


def rule_of(db: DbSession, session: Session) -> tuple[str, str]:
    """What the category, the transport and both people's ages allow, and why not."""
    booking, registry = session.booking, runtime_of(db).registry
    category = registry.category(booking.category)
    if category.recording == "forbidden":
        return "forbidden", str(_l("Sessions of this category are not recorded."))
    if any(_age(user) < ADULT_YEARS for user in (booking.host, booking.customer) if user.birth_date):
        return "forbidden", str(_l("Sessions with minors are not recorded."))
    transport = registry.video_transports(db).get(session.transport)
    if transport is None or not transport.capabilities.recording or transport.convert is None:
        return "forbidden", str(_l("Calls are not recorded on this site."))
    return category.recording, ""


def _age(user: User) -> int:
    today, born = clock.now().date(), user.birth_date or clock.now().date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def standing(db: DbSession, session: Session) -> Standing:
    """How it stands now."""
    rule, why = rule_of(db, session)
    running = _running(db, session)
    return Standing(rule, why, tuple(sorted(_agreed(db, session))), running.public_id if running else "")


def _agreed(db: DbSession, session: Session) -> set[int]:
    rows = select(RecordingConsent.user_id).where(
        RecordingConsent.session_id == session.id, RecordingConsent.withdrawn_at.is_(None)
    )
    return set(db.scalars(rows))


def _running(db: DbSession, session: Session) -> Recording | None:
    return db.scalar(select(Recording).where(Recording.session_id == session.id, Recording.state == "running"))


def agree(db: DbSession, session: Session, user: User, *, adult: bool) -> None:
    """One of the two agrees; with the second the recording begins.

    :param adult: the person has said that they are 18 or older; needed where no birth date is kept.
    :raises NotAllowed: recording is forbidden here, or the person is a minor, or none of the two.
    :raises Conflict: the session is not open.
    """
    db.refresh(session, with_for_update={"of": Session})  # two who agree at once must see each other
    if session.state != "open":
        raise Conflict(_l("This session is over."))
    booking = session.booking
    if user.id not in (booking.host_id, booking.customer_id):
        raise NotAllowed(_l("You may not do this."))
    rule, why = rule_of(db, session)
    if rule == "forbidden":
        raise NotAllowed(why)
    if user.birth_date is None and not adult:
        raise HelpoutsError(_l("Only sessions of adults are recorded: confirm that you are 18 or older."))
    agreed = _agreed(db, session)
    if user.id not in agreed:
        db.add(RecordingConsent(session_id=session.id, user_id=user.id, declared_adult=adult))
    if {booking.host_id, booking.customer_id} <= agreed | {user.id} and _running(db, session) is None:
        db.add(Recording(session_id=session.id, transport=session.transport, state=RECORDING.initial))
    db.flush()


def withdraw(db: DbSession, session: Session, user_id: int, *, delete: bool) -> None:
    """One of the two does not agree (any more): it stops at once.  Saying it again changes nothing.

    :param delete: what has been recorded of this session so far is deleted, too.
    """
    db.refresh(session, with_for_update={"of": Session})
    now = clock.now()
    for row in db.scalars(
        select(RecordingConsent).where(
            RecordingConsent.session_id == session.id, RecordingConsent.withdrawn_at.is_(None)
        )
    ):
        if row.user_id == user_id:
            row.withdrawn_at = now
    actor = actor_of(session, user_id)
    stop(db, session, "withdrawn", actor)
    if delete:
        for recording in recordings_of(db, session):
            remove(db, recording, actor)
    db.flush()


def actor_of(session: Session, user_id: int) -> Actor:
    """One of the two people as an actor."""
    booking = session.booking
    return Actor("expert" if user_id == booking.host_id else "customer", user_id)


def stop(db: DbSession, session: Session, reason: str, actor: Actor = SYSTEM) -> None:
    """End what runs: the live process hears of it, and a job makes the film."""
    recording = _running(db, session)
    if recording is None:
        return
    RECORDING.apply(db, recording, "stop", actor, reason)
    now = clock.now()
    recording.stopped_at, recording.stop_reason = now, reason
    recording.delete_at = now + timedelta(days=site.get(db, "recording_days"))
    promise_film(db, recording, now + SETTLE)
    changed(db, session)


def promise_film(db: DbSession, recording: Recording, at: datetime) -> None:
    """Have the worker make the film; what fails is tried again some times."""
    enqueue(db, "recording.convert", {"recording": recording.id}, run_at=at, max_attempts=ATTEMPTS)


def to_try_again(db: DbSession, session: Session) -> Sequence[Recording]:
    """Recordings of a session whose film could not be made, and whose packets are still there."""
    packets = select(RecordingSegment.recording_id).where(RecordingSegment.recording_id == Recording.id)
    failed = select(Recording).where(Recording.session_id == session.id, Recording.state == "failed", packets.exists())
    return db.scalars(failed.order_by(Recording.id)).all()


def changed(db: DbSession, session: Session) -> None:
    """Tell the live process that has the room."""
    db.add(LiveEvent(topic=f"room:{session.room_id}", payload={"type": "recording"}))


def recordings_of(db: DbSession, session: Session) -> Sequence[Recording]:
    """What was recorded of a session and is not deleted, oldest first."""
    rows = select(Recording).where(Recording.session_id == session.id, Recording.state != "deleted")
    return db.scalars(rows.order_by(Recording.id)).all()


def remove(db: DbSession, recording: Recording, actor: Actor, reason: str = "") -> None:
    """Delete a recording for everybody; a job takes it out of the storage.  Deleting it again changes nothing."""
    db.refresh(recording, with_for_update={"of": Recording})
    if recording.state == "deleted":
        return
    RECORDING.apply(db, recording, "delete", actor, reason)
    recording.stopped_at = recording.stopped_at or clock.now()
    enqueue(db, "recording.erase", {"recording": recording.id})
    changed(db, recording.session)


def keep_segment(db: DbSession, public_id: str, reference: str, size: int) -> bool:
    """Note a segment that is in the storage; False when nobody wants it any more (then it is to be removed)."""
    recording = db.scalar(select(Recording).where(Recording.public_id == public_id).with_for_update(of=Recording))
    if recording is None or recording.state not in ("running", "preparing"):
        return False
    db.add(RecordingSegment(recording_id=recording.id, reference=reference, size=size))
    db.flush()
    return True


def as_json(found: Standing) -> Mapping[str, Any]:
    """For the browsers in the room."""
    return {"rule": found.rule, "why": found.why, "agreed": list(found.agreed), "running": bool(found.running)}
