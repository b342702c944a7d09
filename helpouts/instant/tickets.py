"""Tickets of the desk: let one browser of a signed-in person open its WebSocket once, within a minute."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.errors import Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.instant.models import DeskTicket
from helpouts.sessions import nodes
from helpouts.sessions.tickets import Ticket

TICKET_LIFE = timedelta(seconds=60)


def issue(db: Session, user_id: int, lost: str = "") -> Ticket:
    """A ticket for the least loaded live process.

    :param lost: the address of a WebSocket that the browser could not reach or keep.
    :raises Unavailable: when none is running.
    """
    alive = nodes.take_new(nodes.alive(db, lost))
    if not alive:
        raise Unavailable(_l("Help right now does not answer at the moment. Please try again in a minute."))
    token = secrets.token_urlsafe(24)
    db.add(DeskTicket(token_hash=_hashed(token), user_id=user_id, expires_at=clock.now() + TICKET_LIFE))
    return Ticket(token, nodes.socket_url(alive[0], "/ws/desk"))


def redeem(db: Session, tokens: Iterable[str]) -> dict[str, int]:
    """Use tickets up, many in one statement each way; token to user id of those that were valid."""
    by_hash = {_hashed(token): token for token in tokens}
    now = clock.now()
    valid = (DeskTicket.token_hash.in_(by_hash), DeskTicket.used_at.is_(None), DeskTicket.expires_at > now)
    used = update(DeskTicket).where(*valid).values(used_at=now).returning(DeskTicket.token_hash, DeskTicket.user_id)
    return {by_hash[row.token_hash]: row.user_id for row in db.execute(used)}


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "ignore")).hexdigest()
