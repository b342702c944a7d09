"""Join tickets: let one browser open the room's WebSocket once, within a minute, at the node that has the room."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import Conflict, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import nodes, support
from helpouts.sessions.models import JoinTicket, Session
from helpouts.sessions.support_models import SupportRequest

TICKET_LIFE = timedelta(seconds=60)
#: How long before the start the room opens.
OPENS_BEFORE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ticket:
    """``token`` goes into the first message on the WebSocket at ``url``; it is worth nothing afterwards."""

    token: str
    url: str

    @property
    def check_url(self) -> str:
        """Where a browser may use the ticket up for a check of its network instead."""
        return self.url.replace("ws", "http", 1).removesuffix("/ws") + "/check"


def hashed(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_may_enter(session: Session, user: User) -> None:
    """Only the two people of the booking, while it stands, from a quarter of an hour before the start.

    :raises NotAllowed: somebody else.
    :raises Conflict: too early, cancelled or over; the message says which.
    """
    if not support.is_party(session, user.id):
        raise NotAllowed(_l("This room belongs to two other people."))
    _check_stands(session)


def check_operator_may_enter(db: DbSession, session: Session, user: User) -> SupportRequest:
    """An operator whom one of the two has asked in, while they may be there themselves; the request that says so.

    :raises NotAllowed: nobody asks for this operator (any more).
    :raises Conflict: as for the two.
    """
    request = support.check_operator(db, session, user)
    _check_stands(session)
    return request


def _check_stands(session: Session) -> None:
    booking: Booking = session.booking
    if session.state == "ended" or booking.state in ("completed", "no_show"):
        raise Conflict(_l("This session is over."))
    if booking.state not in ("confirmed", "in_session"):
        raise Conflict(_l("This booking does not stand any more."))
    if clock.now() < booking.starts_at - OPENS_BEFORE:
        raise Conflict(_l("The room opens 15 minutes before the session begins."))


def _check(db: DbSession, session: Session, user: User) -> None:
    if support.is_party(session, user.id):
        check_may_enter(session, user)
    else:
        check_operator_may_enter(db, session, user)


def issue_ticket(db: DbSession, session: Session, user: User, lost: str = "") -> Ticket:
    """A ticket for somebody who may enter, for the node that has the room (:func:`helpouts.sessions.nodes.node_for`).

    :param lost: the address of a WebSocket that the browser could not reach or keep.
    :raises Unavailable: when no live process is running.
    """
    _check(db, session, user)
    node = nodes.node_for(db, session, lost)
    token = secrets.token_urlsafe(32)
    db.add(
        JoinTicket(
            token_hash=hashed(token),
            session_id=session.id,
            user_id=user.id,
            node=node.name,
            expires_at=clock.now() + TICKET_LIFE,
        )
    )
    return Ticket(token, nodes.socket_url(node))


def redeem_ticket(db: DbSession, token: str, node: str) -> tuple[Session, User]:
    """Use a ticket up.

    :raises NotAllowed: unknown, used, expired, for another node, or its holder may not enter any more.
    """
    now = clock.now()
    used = db.execute(
        update(JoinTicket)
        .where(
            JoinTicket.token_hash == hashed(token),
            JoinTicket.node == node,
            JoinTicket.used_at.is_(None),
            JoinTicket.expires_at > now,
        )
        .values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
        raise NotAllowed(_l("This ticket is not valid any more. Reload the page."))
    ticket = db.get_one(JoinTicket, hashed(token))
    session, user = db.get_one(Session, ticket.session_id), db.get_one(User, ticket.user_id)
    _check(db, session, user)
    return session, user
