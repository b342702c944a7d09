"""The room's chat: a line is acknowledged when it is in the database, and sending it again is harmless."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions.models import RoomMessage, Session
from helpouts.sessions.tool_models import RoomFile

LONGEST = 4000
#: Lines that tell what has happened, by kind; ``name`` is who did it, ``reason`` the line's text.
NOTICES: dict[str, object] = {
    "asked": _l("%(name)s has asked an operator in: %(reason)s"),
    "withdrawn": _l("%(name)s has taken the request for an operator back."),
    "entered": _l("Operator %(name)s is in the room."),
    "left": _l("Operator %(name)s has left the room."),
    "dismissed": _l("%(name)s has asked the operator to leave."),
}


def say(db: DbSession, session: Session, user_id: int, client_id: str, body: str, kind: str = "") -> RoomMessage:
    """Keep a line; the same ``client_id`` from the same person gives the line that is there already.

    :param kind: "" for the two people, "operator" for one whom they asked in.

    :raises HelpoutsError: empty or too long, or without a ``client_id``.
    """
    if not client_id:
        raise HelpoutsError(_l("The message was not complete. Reload the page."))
    body = body.strip()
    if not body or len(body) > LONGEST:
        raise HelpoutsError(_l("A message has between 1 and %(limit)s characters.", limit=LONGEST))
    existing = db.scalar(
        select(RoomMessage).where(
            RoomMessage.session_id == session.id,
            RoomMessage.user_id == user_id,
            RoomMessage.client_id == client_id[:40],
        )
    )
    return existing or note(db, session, user_id, client_id[:40], kind, body)


def note(db: DbSession, session: Session, user_id: int, client_id: str, kind: str, body: str = "") -> RoomMessage:
    """Append a line as it is: a kind of :data:`NOTICES`, whose words each reader gets in their language."""
    db.refresh(session, with_for_update={"of": Session})  # one writer at a time counts the lines
    last = db.scalar(select(func.max(RoomMessage.seq)).where(RoomMessage.session_id == session.id)) or 0
    line = RoomMessage(session_id=session.id, seq=last + 1, user_id=user_id, client_id=client_id, kind=kind, body=body)
    db.add(line)
    db.flush()
    return line


def since(db: DbSession, session_id: int, seq: int) -> list[dict[str, Any]]:
    """The lines after ``seq`` as they go over the wire."""
    lines = select(RoomMessage, RoomFile, User.name).join(User, User.id == RoomMessage.user_id)
    query = lines.outerjoin(RoomFile, RoomFile.message_id == RoomMessage.id)
    query = query.where(RoomMessage.session_id == session_id, RoomMessage.seq > seq)
    return [as_json(line, file, name) for line, file, name in db.execute(query.order_by(RoomMessage.seq).limit(1000))]


def as_json(line: RoomMessage, file: RoomFile | None = None, name: str = "") -> dict[str, Any]:
    """One line for the browser; with what is known of the file that came with it.

    :param name: whose line it is; told where it is not a plain line of the two, whom the browser knows.
    """
    told = {
        "type": "chat",
        "seq": line.seq,
        "user": line.user_id,
        "client_id": line.client_id,
        "body": line.body,
        "at": line.created_at.isoformat(),
    }
    if line.kind:
        told |= {"kind": line.kind, "name": name}
    return told if file is None else {**told, "file": file_json(file)}


def file_json(file: RoomFile) -> dict[str, Any]:
    """What the chat shows of a file.  ``size`` in bytes; ``picture``: there is a small picture of it."""
    return {
        "id": file.public_id,
        "kind": file.kind,
        "name": file.name,
        "size": file.size,
        "picture": bool(file.preview),
        "removed": file.removed_at is not None,
    }
