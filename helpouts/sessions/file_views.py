"""Files of a room over HTTP: sent by its two people while it is open, fetched by them as long as it is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO
from urllib.parse import quote

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_security import current_user
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.utils import secure_filename

from helpouts import formatting
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import chat, files
from helpouts.sessions.models import Session
from helpouts.sessions.tool_models import RoomFile
from helpouts.sessions.views import own_session
from helpouts.storage import service as storage
from helpouts.web.db import close_db, current_db, current_runtime
from helpouts.web.permissions import requires
from helpouts.web.uploads import takes

bp = Blueprint("room_files", __name__)
#: What is shown in a page, and nothing that it may bring with it runs.
POLICY = "default-src 'none'; sandbox"


@contextmanager
def _body() -> Iterator[IO[bytes]]:
    """The request's body, in memory or in a file that has no name.

    :raises HelpoutsError: when it was cut off.
    """
    with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as file:
        try:
            while piece := request.stream.read(256 * 1024):
                file.write(piece)
        except RequestEntityTooLarge:  # without a length, and longer than announced
            raise HelpoutsError(_l("A file has at most %(most)s.", most=formatting.size(files.MOST_BYTES))) from None
        except ClientDisconnected:
            raise HelpoutsError(_l("The file did not arrive whole. Please send it again.")) from None
        yield file


def _sender(room_id: str) -> tuple[Session, int, RoomFile | None]:
    """The session, who sends, and the file when it was sent before; then the transaction is over.

    Nothing of the database is held while a body arrives, which may take minutes.
    """
    session = own_session(room_id)
    user_id = int(current_user.id)
    client_id = request.args.get("client_id", "")
    known = files.check_room_for(current_db(), session, user_id, client_id, request.content_length or 0)
    current_db().expunge_all()
    close_db()
    return session, user_id, known


@bp.post("/room/<room_id>/files")
@requires("signed_in")
@takes(files.MOST_BYTES)
def send(room_id: str) -> ResponseReturnValue:
    """A file for the chat; its bytes are the body, ``name`` and ``client_id`` in the address."""
    return _take(room_id, partial(files.keep, name=request.args.get("name", "")))


@bp.post("/room/<room_id>/snapshots")
@requires("signed_in")
@takes(files.MOST_BYTES)
def snapshot(room_id: str) -> ResponseReturnValue:
    """A picture of the other side; the body is a PNG or JPEG."""
    return _take(room_id, files.keep_snapshot)


def _take(room_id: str, keep: Callable[..., RoomFile]) -> ResponseReturnValue:
    """The body, kept unless the same request has sent it before."""
    try:
        session, user_id, row = _sender(room_id)
        if row is None:
            with _body() as file:
                row = keep(current_runtime(), session.id, user_id, request.args["client_id"], file=file)
    except HelpoutsError as error:
        return _refused(error)
    return {"file": chat.file_json(row)}


@bp.put("/room/<room_id>/snapshots/<public_id>")
@requires("signed_in")
@takes(files.MOST_BYTES)
def save(room_id: str, public_id: str) -> ResponseReturnValue:
    """The picture with what was drawn on it."""
    try:
        session = own_session(room_id)
        session_id = session.id
        close_db()
        with _body() as file:
            files.replace_snapshot(current_runtime(), session_id, public_id, request.args.get("last", ""), file)
    except HelpoutsError as error:
        return _refused(error)
    return {"saved": public_id}


@bp.get("/room/<room_id>/files/<public_id>")
@requires("signed_in")
def fetch(room_id: str, public_id: str) -> ResponseReturnValue:
    """The file, to be saved."""
    row = files.find(current_db(), own_session(room_id).id, public_id)
    return download(row)


@bp.get("/room/<room_id>/files/<public_id>/preview")
@requires("signed_in")
def preview(room_id: str, public_id: str) -> ResponseReturnValue:
    """A small picture of it, made by us."""
    return show_preview(files.find(current_db(), own_session(room_id).id, public_id))


@bp.get("/room/<room_id>/snapshots/<public_id>")
@requires("signed_in")
def picture(room_id: str, public_id: str) -> ResponseReturnValue:
    """A snapshot as large as it is: we have made it from its pixels, so a page may show it."""
    row = files.find(current_db(), own_session(room_id).id, public_id)
    if row.kind != "snapshot":
        raise NotFound(_l("There is no such picture."))
    return _answer(row.blob, "image/png", row.size)


def download(row: RoomFile) -> Response:
    """A file as an attachment: no browser opens it within the site."""
    answer = _answer(row.blob, "application/octet-stream", row.size)
    # RFC 6266 section 4.3: a plain name for old browsers, the real one for all others.
    names = {"filename": secure_filename(row.name) or "file", "filename*": f"UTF-8''{quote(row.name, safe='')}"}
    answer.headers.set("Content-Disposition", "attachment", **names)  # type: ignore[arg-type]  # names of parameters
    return answer


def show_preview(row: RoomFile) -> Response:
    """The small picture of a file."""
    if not row.preview:
        raise NotFound(_l("There is no such picture."))
    return _answer(row.preview, "image/jpeg", None)


def _answer(reference: str, media_type: str, size: int | None) -> Response:
    if not reference:
        raise NotFound(_l("This file was deleted: its time was over."))
    runtime = current_runtime()
    close_db()  # the storage is outside
    content = storage.load(runtime, reference)
    answer = Response(content, mimetype=media_type, direct_passthrough=True)
    if size is not None:
        answer.content_length = size
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _refused(error: HelpoutsError) -> ResponseReturnValue:
    return {"error": str(error.message), "code": error.code}, error.status
