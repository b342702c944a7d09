"""The shared notes of a session: one text, changed by both at once, kept with each acknowledged change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions.models import Session
from helpouts.sessions.text_changes import Change, NotAChange, apply, transform
from helpouts.sessions.tool_models import RoomNote, RoomNoteChange

#: Characters of the whole text.
LONGEST = 20_000
#: Changes that go to a browser at once.
PAGE = 500


def change(
    db: DbSession, session: Session, user_id: int, client_id: str, base: int, wanted: Change
) -> tuple[RoomNoteChange, bool]:
    """Change the notes; (the change as it was applied, whether it is new): the same ``client_id`` changes them once.

    :param base: the revision that the change was made on; what happened since is taken into account.
    :raises HelpoutsError: the change does not fit, or the text would be longer than :data:`LONGEST`.
    :raises Conflict: the session is over.
    """
    if not client_id or len(client_id) > 40:
        raise NotAChange
    db.refresh(session, with_for_update={"of": Session})  # one change after the other
    known = db.scalar(
        select(RoomNoteChange).where(
            RoomNoteChange.session_id == session.id,
            RoomNoteChange.user_id == user_id,
            RoomNoteChange.client_id == client_id,
        )
    )
    if known is not None:
        return known, False
    if session.state == "ended":
        raise Conflict(_l("This session is over."))
    note = db.get(RoomNote, session.id) or RoomNote(session_id=session.id, revision=0, text="")
    if not 0 <= base <= note.revision:
        raise NotAChange
    for other in _after(db, session.id, base):
        _, wanted = transform(other.change, wanted)
    text = apply(note.text, wanted)
    if len(text) > max(LONGEST, len(note.text)):
        raise HelpoutsError(_l("The notes are full: they hold %(limit)s characters.", limit=LONGEST))
    note.text, note.revision, note.changed_at = text, note.revision + 1, clock.now()
    done = RoomNoteChange(
        session_id=session.id, revision=note.revision, user_id=user_id, client_id=client_id, change=wanted
    )
    db.add_all([note, done])
    db.flush()
    return done, True


def since(db: DbSession, session_id: int, revision: int) -> list[dict[str, Any]]:
    """The changes after that revision as they go over the wire, at most :data:`PAGE`."""
    return [as_json(row) for row in _after(db, session_id, revision, PAGE)]


def current(db: DbSession, session_id: int) -> tuple[int, str]:
    """(revision, text) of the notes as they are."""
    note = db.get(RoomNote, session_id)
    return (0, "") if note is None else (note.revision, note.text)


def forget_steps(db: DbSession, session_id: int) -> None:
    """Keep the text only: nobody has to catch up any more."""
    db.execute(delete(RoomNoteChange).where(RoomNoteChange.session_id == session_id))


def as_json(row: RoomNoteChange) -> dict[str, Any]:
    """One change for the browser."""
    return {
        "type": "notes",
        "revision": row.revision,
        "user": row.user_id,
        "client_id": row.client_id,
        "change": row.change,
    }


def _after(db: DbSession, session_id: int, revision: int, limit: int | None = None) -> list[RoomNoteChange]:
    query = select(RoomNoteChange).where(RoomNoteChange.session_id == session_id, RoomNoteChange.revision > revision)
    return list(db.scalars(query.order_by(RoomNoteChange.revision).limit(limit)))
