"""An operator in the room: asked in by one of the two, there by chat alone, shown out by either.

At most one, and only while a request stands: until the asking side takes it back, either of the two asks the operator
to leave, the operator leaves, or the session ends.  An operator is no party: no picture, no sound, no consent, and the
meter does not know them.  They read the chat from the moment of the request on; the lines before it belong to the two,
unless one of them has reported the session.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import chat
from helpouts.sessions.models import LiveEvent, RoomMessage, Session
from helpouts.sessions.states import SUPPORT
from helpouts.sessions.support_models import SupportRequest
from helpouts.sessions.support_notices import tell_operators
from helpouts.sessions.tool_models import SessionReport

#: Characters of a reason.
LONGEST = 500
#: Characters of what an operator who ends the session says to both.
LONGEST_NOTE = 2000
#: Requests in one session.
MOST = 5
STANDING = ("open", "taken")
#: Who may enter a room when asked.
ROLES = ("support", "admin")


def standing(db: DbSession, session_id: int) -> SupportRequest | None:
    """The request that stands in this session."""
    query = select(SupportRequest).where(SupportRequest.session_id == session_id, SupportRequest.state.in_(STANDING))
    return db.scalar(query)


def ask(db: DbSession, session: Session, reason: str, actor: Actor) -> SupportRequest:
    """One of the two asks an operator in; the other is told at once.

    :raises NotAllowed: somebody else asks.
    :raises HelpoutsError: no reason, or a long one.
    :raises Conflict: the session is not open, a request stands already, or there were enough of them.
    """
    if not is_party(session, actor.user_id):
        raise NotAllowed(_l("You may not do this."))
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        raise HelpoutsError(_l("Say in 1 to %(limit)s characters what is the matter.", limit=LONGEST), field="reason")
    _lock(db, session)
    _check_open(session)
    if standing(db, session.id) is not None:
        raise Conflict(_l("An operator has been asked in already."))
    mine = select(func.count()).where(SupportRequest.session_id == session.id)
    if (db.scalar(mine) or 0) >= MOST:
        raise Conflict(_l("Operators were asked in often enough. If something is wrong, leave the room and report it."))
    last = db.scalar(select(func.max(RoomMessage.seq)).where(RoomMessage.session_id == session.id)) or 0
    request = SupportRequest(
        session_id=session.id, asked_by=actor.user_id, reason=reason, state=SUPPORT.initial, after_seq=last
    )
    db.add(request)
    db.flush()
    record(db, actor, "support.ask", request, reason)
    _say(db, session, request, "asked", actor, reason)
    tell_operators(db, request)
    return request


def withdraw(db: DbSession, session: Session, actor: Actor) -> None:
    """The asking side takes its request back.

    :raises NotAllowed: the other side asked.
    :raises Conflict: there is none, or an operator has taken it.
    """
    request = _locked(db, session)
    if request.asked_by != actor.user_id:
        raise NotAllowed(_l("Only who has asked can take it back."))
    _finish(db, request, "withdraw", actor)
    _say(db, session, request, "withdrawn", actor)


def dismiss(db: DbSession, session: Session, actor: Actor) -> None:
    """Either of the two asks the operator to leave: they are out at once.

    :raises NotAllowed: somebody else.
    :raises Conflict: no operator is there.
    """
    if not is_party(session, actor.user_id):
        raise NotAllowed(_l("You may not do this."))
    request = _locked(db, session)
    _finish(db, request, "dismiss", actor)
    _say(db, session, request, "dismissed", actor)


def take(db: DbSession, request: SupportRequest, operator: Actor) -> None:
    """An operator takes a request; the first has it.  Taking one's own again changes nothing.

    :raises NotAllowed: it is a session of the operator's own.
    :raises Conflict: somebody else has it, or it does not stand any more.
    """
    session = request.session
    if is_party(session, operator.user_id):
        raise NotAllowed(_l("This is a session of your own; another operator has to look after it."))
    _lock(db, session)
    db.refresh(request)
    if request.state == "taken" and request.operator_id == operator.user_id:
        return
    if request.state == "taken":
        raise Conflict(_l("Another operator has taken it."))
    if request.state != "open":
        raise Conflict(_l("They do not ask for an operator any more."))
    _check_open(session)
    SUPPORT.apply(db, request, "take", operator)
    request.operator_id, request.taken_at = operator.user_id, clock.now()
    record(db, operator, "support.take", request)
    _changed(db, session)


def check_operator(db: DbSession, session: Session, user: User) -> SupportRequest:
    """The request that lets this operator into the room.

    :raises NotAllowed: nobody has asked, somebody else has taken it, or the person is no operator (any more).
    """
    request = standing(db, session.id)
    if request is None or request.operator_id != user.id or not (user.active and user.has_any_role(*ROLES)):
        raise NotAllowed(_l("You are not asked into this room (any more)."))
    return request


def enter(db: DbSession, session: Session, user: User) -> None:
    """The operator is in the room; said and audited the first time, since connections come and go."""
    _lock(db, session)
    request = check_operator(db, session, user)
    if request.entered_at is None:
        request.entered_at = clock.now()
        actor = Actor("operator", user.id, user.name)
        record(db, actor, "support.enter", request, after_line=first_line(db, request))
        _say(db, session, request, "entered", actor)


def leave(db: DbSession, session: Session, operator: Actor) -> None:
    """The operator leaves for good; somebody would have to ask again.

    :raises Conflict: they are out already.
    """
    request = _locked(db, session)
    if request.operator_id != operator.user_id:
        raise NotAllowed(_l("You are not asked into this room (any more)."))
    _finish(db, request, "leave", operator)
    _say(db, session, request, "left", operator)


def say(db: DbSession, session: Session, user: User, client_id: str, body: str) -> RoomMessage:
    """A line of the operator's, while the request stands."""
    _lock(db, session)
    check_operator(db, session, user)
    return chat.say(db, session, user.id, client_id, body, kind="operator")


def close(db: DbSession, session: Session) -> None:
    """The session ends, and with it what was asked for.  The caller has locked the session."""
    request = standing(db, session.id)
    if request is not None:
        _finish(db, request, "close", SYSTEM)


def first_line(db: DbSession, request: SupportRequest) -> int:
    """The operator reads the lines after this one: those since the request, or all when the session was reported."""
    reported = exists().where(SessionReport.session_id == request.session_id, SessionReport.state == "open")
    return 0 if db.scalar(select(reported)) else request.after_seq


def is_party(session: Session, user_id: int | None) -> bool:
    """Whether this is one of the two people of the session."""
    return user_id in (session.booking.host_id, session.booking.customer_id)


def as_json(request: SupportRequest | None, user_id: int) -> dict[str, Any]:
    """How it stands, for one of the two in the room."""
    if request is None:
        return {"state": None}
    return {
        "state": request.state,
        "mine": request.asked_by == user_id,
        "reason": request.reason,
        "entered": request.entered_at is not None,
        "operator": request.operator.name if request.operator is not None else "",
    }


def _lock(db: DbSession, session: Session) -> None:
    db.refresh(session, with_for_update={"of": Session})  # who asks, takes, enters and ends come one after the other


def _check_open(session: Session) -> None:
    if session.state != "open" or session.booking.state not in ("confirmed", "in_session"):
        raise Conflict(_l("This session is over."))


def _locked(db: DbSession, session: Session) -> SupportRequest:
    _lock(db, session)
    request = standing(db, session.id)
    if request is None:
        raise Conflict(_l("No operator is asked in (any more)."))
    return request


def _finish(db: DbSession, request: SupportRequest, event: str, actor: Actor) -> None:
    SUPPORT.apply(db, request, event, actor)
    request.ended_at = clock.now()
    record(db, actor, f"support.{event}", request)
    _changed(db, request.session)


def _say(db: DbSession, session: Session, request: SupportRequest, kind: str, actor: Actor, body: str = "") -> None:
    chat.note(db, session, actor.user_id or 0, f"{kind}-{request.id}", kind, body)
    _changed(db, session)


def _changed(db: DbSession, session: Session) -> None:
    db.flush()
    db.add(LiveEvent(topic=f"room:{session.room_id}", payload={"type": "support"}))
