"""What operators do with rooms, and what they see of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.service import gross_of
from helpouts.sessions import recording, service
from helpouts.sessions.models import Presence, PresenceQuality, Session
from helpouts.sessions.recording_models import Recording
from helpouts.sessions.states import RECORDING


@dataclass(frozen=True, slots=True)
class Here:
    """Somebody who is connected to a room: since when, with which device, how the call is for them."""

    name: str
    since: datetime
    device: str
    quality: PresenceQuality | None


def here(db: DbSession, session_ids: list[int]) -> dict[int, list[Here]]:
    """Who is connected at this moment, by room."""
    rows = (
        select(Presence, User.name, PresenceQuality)
        .join(User, User.id == Presence.user_id)
        .outerjoin(PresenceQuality, PresenceQuality.presence_id == Presence.id)
        .where(
            Presence.session_id.in_(session_ids),
            Presence.left_at.is_(None),
            Presence.last_seen_at > clock.now() - service.SILENCE,
        )
        .order_by(Presence.joined_at)
    )
    found: dict[int, list[Here]] = {}
    for presence, name, quality in db.execute(rows):
        person = Here(name, presence.joined_at, presence.device, quality)
        found.setdefault(presence.session_id, []).append(person)
    return found


def cost_so_far(db: DbSession, session: Session) -> int:
    """What the session would cost if it ended now, in minor units of the booking's currency."""
    seconds = session.connected_seconds
    return gross_of(session.booking, service.connected_seconds(db, session) if seconds is None else seconds)


def end(db: DbSession, session: Session, reason: str, actor: Actor) -> None:
    """End an open session; the reason is shown to both, in the room and on the booking's page, and audited.

    :raises Conflict: it is not open.
    """
    db.refresh(session, with_for_update={"of": Session})
    if session.state != "open":
        raise Conflict(_l("Only an open room can be ended."))
    service.end(db, session, "operator", actor, reason)
    record(db, actor, "session.end", session, reason)


def try_film_again(db: DbSession, session: Session, reason: str, actor: Actor) -> None:
    """Have the worker make the films of a session that failed once more; audited.

    :raises Conflict: none has failed, or its packets are gone.
    """
    db.refresh(session, with_for_update={"of": Session})
    rows = recording.to_try_again(db, session)
    if not rows:
        raise Conflict(_l("No film of this session has failed, or what was recorded is not kept any more."))
    for row in rows:
        db.refresh(row, with_for_update={"of": Recording})
        RECORDING.apply(db, row, "retry", actor, reason)
        row.error = ""
        recording.promise_film(db, row, clock.now())
        record(db, actor, "recording.retry", row, reason)
