"""Files in a room's chat, and snapshots: kept sealed in the storage, read by the two people only, deleted in time.

The storage is outside: what stores and removes there (:func:`keep`, :func:`tidy`) runs without a transaction, and the
row is written when the content is safe.  A content whose row could not be written is removed again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from helpouts import formatting, site
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import handler
from helpouts.runtime import Runtime
from helpouts.sessions import chat, pictures
from helpouts.sessions.file_types import PICTURES, check_harmless, sniff, tidy_name
from helpouts.sessions.models import Session
from helpouts.sessions.service import tell
from helpouts.sessions.tool_models import RoomFile
from helpouts.storage import service as storage

log = structlog.get_logger("helpouts.sessions")
#: Bytes of one file, and of all that one session keeps.
MOST_BYTES = 20 * 1024 * 1024
MOST_TOGETHER = 200 * 1024 * 1024
#: Files that one session keeps.
MOST_FILES = 200
_TIDY_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """A file on its way in: who sends it to which session, and what it is."""

    session_id: int
    user_id: int
    client_id: str
    kind: str
    name: str
    media_type: str
    size: int


def check_room_for(db: DbSession, session: Session, user_id: int, client_id: str, size: int) -> RoomFile | None:
    """Whether the session takes a file of so many bytes; the file itself when it was sent before.

    :raises Conflict: the session is over, or holds too much already.
    :raises HelpoutsError: too large.
    """
    if not client_id or len(client_id) > 40:
        raise HelpoutsError(_l("The message was not complete. Reload the page."))
    known = db.scalar(
        select(RoomFile).where(
            RoomFile.session_id == session.id, RoomFile.user_id == user_id, RoomFile.client_id == client_id
        )
    )
    if known is not None:
        return known
    if session.state != "open":
        raise Conflict(_l("Files can be sent while the session is open."))
    if size > MOST_BYTES:
        raise HelpoutsError(_l("A file has at most %(most)s.", most=formatting.size(MOST_BYTES)))
    held = select(func.count(), func.coalesce(func.sum(RoomFile.size), 0)).where(
        RoomFile.session_id == session.id, RoomFile.removed_at.is_(None)
    )
    number, together = db.execute(held).one()
    if together + size > MOST_TOGETHER or number >= MOST_FILES:
        text = _l("The files of one session have at most %(most)s together.", most=formatting.size(MOST_TOGETHER))
        raise Conflict(text)
    return None


def keep(runtime: Runtime, session_id: int, user_id: int, client_id: str, name: str, file: IO[bytes]) -> RoomFile:
    """Store a file that has arrived, and write its line into the chat.  No transaction may be open.

    :param file: at its beginning or not; it is read again from there.
    :raises HelpoutsError: an empty file, or a program.
    :raises StorageError: it could not be kept.
    """
    file.seek(0)
    head = file.read(1024)
    name, media_type = tidy_name(name), sniff(head)
    if not head:
        raise HelpoutsError(_l("This file is empty."))
    check_harmless(name, head)
    small = pictures.preview(file) if media_type in PICTURES else None
    size = file.seek(0, 2)
    sent = Sent(session_id, user_id, client_id, "file", name, media_type, size)
    return _keep(runtime, sent, lambda: _pieces(file), small)


def keep_snapshot(runtime: Runtime, session_id: int, user_id: int, client_id: str, file: IO[bytes]) -> RoomFile:
    """The same for a picture taken of the other side, kept as PNG."""
    whole, small = pictures.snapshot(file)
    name = f"snapshot-{clock.now():%Y-%m-%d-%H%M%S}.png"
    sent = Sent(session_id, user_id, client_id, "snapshot", name, "image/png", len(whole))
    return _keep(runtime, sent, lambda: iter((whole,)), small)


def replace_snapshot(runtime: Runtime, session_id: int, public_id: str, last: str, file: IO[bytes]) -> None:
    """A snapshot with what was drawn on it takes the place of the one without.  No transaction may be open.

    :param last: the id of the last stroke that is in the picture now; later ones are kept beside it.
    """
    whole, small = pictures.snapshot(file)
    fresh = _store(runtime, session_id, iter((whole,))), _store(runtime, session_id, iter((small,)))

    def swap(db: DbSession) -> tuple[str, str]:
        session = db.get_one(Session, session_id)
        db.refresh(session, with_for_update={"of": Session})
        row = find(db, session_id, public_id)
        if row.kind != "snapshot" or row.removed_at is not None:
            raise NotFound(_l("There is no such picture."))
        old = row.blob, row.preview
        row.blob, row.preview, row.size = *fresh, len(whole)
        places = [place for place, stroke in enumerate(row.strokes) if stroke["id"] == last]
        row.strokes = row.strokes[places[0] + 1 :] if places else row.strokes
        tell(db, session, {"type": "saved", "shot": public_id, "last": last})
        return old

    try:
        old = runtime.database.run(swap)
    except BaseException:
        _remove(runtime, *fresh)
        raise
    _remove(runtime, *old)


def find(db: DbSession, session_id: int, public_id: str) -> RoomFile:
    """A file of that session.

    :raises NotFound: there is none of that name.
    """
    row = db.scalar(select(RoomFile).where(RoomFile.session_id == session_id, RoomFile.public_id == public_id))
    if row is None:
        raise NotFound(_l("There is no such file."))
    return row


def of_session(db: DbSession, session_id: int) -> list[RoomFile]:
    """All files and snapshots of a session, in their order."""
    return list(db.scalars(select(RoomFile).where(RoomFile.session_id == session_id).order_by(RoomFile.id)))


def _keep(runtime: Runtime, sent: Sent, content: Callable[[], Iterator[bytes]], small: bytes | None) -> RoomFile:
    blob = _store(runtime, sent.session_id, content())
    kept = [blob]
    try:
        if small is not None:
            kept.append(_store(runtime, sent.session_id, iter((small,))))
        row = runtime.database.run(lambda db: _write(db, sent, *kept))
    except BaseException:
        _remove(runtime, *kept)
        raise
    if row.blob != blob:  # the same file came twice at once, and the other was first
        _remove(runtime, *kept)
    return row


def _write(db: DbSession, sent: Sent, blob: str, small: str = "") -> RoomFile:
    session = db.get_one(Session, sent.session_id)
    db.refresh(session, with_for_update={"of": Session})
    row = check_room_for(db, session, sent.user_id, sent.client_id, sent.size)
    if row is None:
        line = chat.say(db, session, sent.user_id, sent.client_id, sent.name)
        row = RoomFile(
            public_id=secrets.token_urlsafe(16),
            session_id=session.id,
            user_id=sent.user_id,
            client_id=sent.client_id,
            message_id=line.id,
            kind=sent.kind,
            name=sent.name,
            media_type=sent.media_type,
            size=sent.size,
            blob=blob,
            preview=small,
        )
        db.add(row)
        db.flush()
        tell(db, session, {"type": "chat"})
    db.expunge(row)
    return row


def _store(runtime: Runtime, session_id: int, chunks: Iterator[bytes]) -> str:
    return storage.store(runtime, f"rooms/{session_id}/{secrets.token_hex(16)}", chunks)


def _remove(runtime: Runtime, *references: str) -> None:
    for reference in references:
        try:
            if reference:
                storage.remove(runtime, reference)
        except HelpoutsError:  # it stays behind, sealed; what matters to people has been done
            log.warning("a stored file could not be removed", reference=reference)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(256 * 1024):
        yield piece


@handler("room.tidy", outside=True, every_seconds=3600)
def tidy(runtime: Runtime, _job_id: int, _payload: Mapping[str, Any]) -> Callable[[DbSession], None] | None:
    """Delete the content of files whose time is over (site setting ``files_days``); their lines stay in the chat."""
    with runtime.database.read() as db:
        limit = clock.now() - timedelta(days=site.get(db, "files_days"))
        old = select(RoomFile).where(RoomFile.created_at < limit, RoomFile.removed_at.is_(None))
        rows = [(row.id, row.blob, row.preview) for row in db.scalars(old.order_by(RoomFile.id).limit(_TIDY_AT_ONCE))]
    for _, blob, small in rows:
        for reference in filter(None, (blob, small)):
            storage.remove(runtime, reference)

    def note(db: DbSession) -> None:
        for row_id, _, _ in rows:
            row = db.get_one(RoomFile, row_id)
            row.blob, row.preview, row.strokes, row.removed_at = "", "", [], clock.now()

    return note if rows else None
