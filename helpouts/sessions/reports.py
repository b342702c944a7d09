"""Reporting the other person of a session: kept, seen by operators, never told to whom it is about."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.mail.service import queue_mail
from helpouts.sessions.models import Session
from helpouts.sessions.states import REPORT
from helpouts.sessions.tool_models import SessionReport

#: What can be the matter, and how it is called.
REASONS: dict[str, object] = {
    "harassment": _l("Insults, threats or harassment"),
    "sexual": _l("Sexual content or advances"),
    "fraud": _l("Fraud, or payment outside the site"),
    "not_as_described": _l("Another person or another service than described"),
    "unsafe": _l("Dangerous or illegal"),
    "minor": _l("Somebody is too young to be here"),
    "other": _l("Something else"),
}
LONGEST = 4000
#: Reports by one person about one session.
MOST = 5


def report(db: DbSession, session: Session, reason: str, text: str, actor: Actor) -> SessionReport:
    """Keep a report and confirm it to its author by mail.

    :raises HelpoutsError: without a reason, or too long.
    :raises Conflict: this person has reported the session often enough.
    """
    booking = session.booking
    if actor.user_id not in (booking.host_id, booking.customer_id):
        raise NotAllowed(_l("You may not do this."))
    text = text.strip()
    if reason not in REASONS:
        raise HelpoutsError(_l("Choose what it is about."), field="reason")
    if len(text) > LONGEST:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=LONGEST), field="text")
    if reason == "other" and not text:
        raise HelpoutsError(_l("Say in a few words what has happened."), field="text")
    mine = select(func.count()).where(
        SessionReport.session_id == session.id, SessionReport.reporter_id == actor.user_id
    )
    if (db.scalar(mine) or 0) >= MOST:
        raise Conflict(_l("We have your reports and look at them. You need not send another."))
    row = SessionReport(
        session_id=session.id,
        reporter_id=actor.user_id,
        about_id=booking.customer_id if actor.user_id == booking.host_id else booking.host_id,
        reason=reason,
        text=text,
        state=REPORT.initial,
    )
    db.add(row)
    db.flush()
    reporter = db.get_one(User, row.reporter_id)
    zone = booking.host_zone if reporter.id == booking.host_id else booking.customer_zone
    queue_mail(db, reporter.email, "session_reported", reporter.locale, zone, report=row, booking=booking, me=reporter)
    return row


def resolve(db: DbSession, row: SessionReport, resolution: str, operator: Actor) -> None:
    """An operator has looked at it and says what was done.

    :raises Conflict: it is resolved already.
    """
    db.refresh(row, with_for_update={"of": SessionReport})
    REPORT.apply(db, row, "resolve", operator, resolution)
    row.resolution, row.resolved_by, row.resolved_at = resolution, operator.user_id, clock.now()
    record(db, operator, "report.resolve", row, resolution)


def reported_by(db: DbSession, session: Session, user_id: int) -> list[SessionReport]:
    """What this person has reported of the session."""
    mine = select(SessionReport).where(SessionReport.session_id == session.id, SessionReport.reporter_id == user_id)
    return list(db.scalars(mine.order_by(SessionReport.id)))
