"""Watching recordings: the two people of the session; operators in a dispute, with a reason; all of it noted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record as audit
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotAllowed, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.models import Payment, Refund
from helpouts.sessions import recording
from helpouts.sessions.models import Session
from helpouts.sessions.recording_models import Recording, RecordingAccess, RecordingConsent
from helpouts.sessions.tool_models import SessionReport

#: How long an operator may watch after giving a reason, and how long watching counts as the same watching.
OPENED, SAME = timedelta(hours=1), timedelta(hours=1)
OPEN_DISPUTE = ("requested", "escalated")


def find(db: DbSession, public_id: str, user: User) -> Recording:
    """A recording that this person may watch now.

    :raises NotFound: otherwise, whether it exists or not.
    """
    row = db.scalar(select(Recording).where(Recording.public_id == public_id))
    if row is None or row.state == "deleted" or not (is_party(row, user.id) or _opened(db, row, user)):
        raise NotFound(_l("There is no such recording."))
    return row


def is_party(row: Recording, user_id: int) -> bool:
    """Whether this is one of the two people of the session."""
    return user_id in (row.session.booking.host_id, row.session.booking.customer_id)


def _opened(db: DbSession, row: Recording, user: User) -> bool:
    return user.has_any_role("support", "admin") and _since(db, row, user.id, "operator", OPENED)


def _since(db: DbSession, row: Recording, user_id: int, kind: str, life: timedelta) -> bool:
    found = select(RecordingAccess.id).where(
        RecordingAccess.recording_id == row.id,
        RecordingAccess.user_id == user_id,
        RecordingAccess.kind == kind,
        RecordingAccess.created_at > clock.now() - life,
    )
    return db.scalar(found.limit(1)) is not None


def note(db: DbSession, row: Recording, user_id: int, kind: str) -> None:
    """Somebody watches or downloads it; the many requests of one player are one watching."""
    if not _since(db, row, user_id, kind, SAME):
        db.add(RecordingAccess(recording_id=row.id, user_id=user_id, kind=kind, created_at=clock.now()))
        db.flush()


def in_dispute(db: DbSession, booking: Booking) -> bool:
    """Whether a refund that was asked for is not decided yet, or a report of the session not resolved."""
    refunds = select(Refund.id).join(Payment, Payment.id == Refund.payment_id)
    refunds = refunds.where(Payment.booking_id == booking.id, Refund.state.in_(OPEN_DISPUTE))
    reports = select(SessionReport.id).join(Session, Session.id == SessionReport.session_id)
    reports = reports.where(Session.booking_id == booking.id, SessionReport.state == "open")
    return db.scalar(refunds) is not None or db.scalar(reports) is not None


def open_for_operator(db: DbSession, row: Recording, operator: Actor, reason: str) -> None:
    """Let an operator watch for an hour; the two people see it, and it is audited.

    :raises HelpoutsError: without a reason.
    :raises NotAllowed: when there is no dispute about the booking.
    """
    if len(reason.strip()) < 10:
        raise HelpoutsError(_l("Say in a sentence why you have to see it."), field="reason")
    if not in_dispute(db, row.session.booking):
        raise NotAllowed(_l("A recording is opened only while a refund or a report of the session is open."))
    access = RecordingAccess(recording_id=row.id, user_id=operator.user_id, kind="operator", created_at=clock.now())
    access.reason = reason.strip()
    db.add(access)
    audit(db, operator, "recording.open", row, reason.strip(), booking=row.session.booking.public_id)


def seen_by(db: DbSession, row: Recording) -> Sequence[tuple[str, RecordingAccess]]:
    """Who has watched or downloaded it, oldest first; operators without their names."""
    rows = select(RecordingAccess, User.name).join(User, User.id == RecordingAccess.user_id)
    found = db.execute(rows.where(RecordingAccess.recording_id == row.id).order_by(RecordingAccess.id))
    return [("" if access.kind == "operator" or not is_party(row, access.user_id) else name, access)
            for access, name in found]  # fmt: skip


def export(db: DbSession, user_id: int) -> list[dict[str, Any]]:
    """For a person's own data: their consents, the recordings that they are on, and when they watched any."""
    consents = db.scalars(select(RecordingConsent).where(RecordingConsent.user_id == user_id))
    given = [
        {
            "recording_consent": row.given_at.isoformat(),
            "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
            "declared_adult": row.declared_adult,
        }
        for row in consents.all()
    ]
    films = [
        {"recording": row.public_id, "state": row.state, "started_at": row.started_at.isoformat(),
         "delete_at": row.delete_at.isoformat() if row.delete_at else None}
        for row in _recordings_of(db, user_id)
    ]  # fmt: skip
    looks = db.scalars(select(RecordingAccess).where(RecordingAccess.user_id == user_id).order_by(RecordingAccess.id))
    seen = [{"recording_seen": row.kind, "at": row.created_at.isoformat(), "reason": row.reason} for row in looks]
    return given + films + seen


def _recordings_of(db: DbSession, user_id: int) -> Sequence[Recording]:
    rows = select(Recording).join(Session, Session.id == Recording.session_id)
    rows = rows.join(Booking, Booking.id == Session.booking_id)
    return db.scalars(rows.where(or_(Booking.host_id == user_id, Booking.customer_id == user_id))).all()


def forget_person(db: DbSession, user_id: int, actor: Actor) -> None:
    """A person is erased: everything that they are on is deleted, for the other side, too."""
    for row in _recordings_of(db, user_id):
        recording.remove(db, row, actor, "erasure of a person")
