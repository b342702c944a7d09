"""Watching a recording: a page with a player, the bytes of the film on demand, deletion."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from helpouts.accounts.models import User
from helpouts.errors import Conflict, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import recording, recording_access
from helpouts.sessions.recording_models import Recording
from helpouts.storage import service as storage
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("recordings", __name__)


def _found(public_id: str) -> Recording:
    db = current_db()
    return recording_access.find(db, public_id, db.get_one(User, current_user.id))


@bp.get("/recordings/<public_id>")
@requires("signed_in")
def show(public_id: str) -> ResponseReturnValue:
    """The player, who has seen it, and the way to delete it."""
    row = _found(public_id)
    return render_template(
        "helpouts/sessions/recording.html",
        recording=row,
        booking=row.session.booking,
        party=recording_access.is_party(row, current_user.id),
        seen_by=recording_access.seen_by(current_db(), row),
    )


@bp.get("/recordings/<public_id>/film.webm")
@requires("signed_in")
def film(public_id: str) -> ResponseReturnValue:
    """The film, or the part that the player asks for (RFC 9110 section 14); opened while it is sent."""
    runtime, row = current_runtime(), _found(public_id)
    if row.state != "ready":
        raise Conflict(_l("The recording is not ready yet."))
    download = "download" in request.args
    reference, size = row.reference, row.size
    with runtime.database.write() as db:  # a transaction of its own: that of a request that only reads cannot write
        recording_access.note(db, row, current_user.id, "download" if download else "watch")
    asked = request.range
    start, end = asked.range_for_length(size) or (None, None) if asked is not None else (0, size)
    if start is None or end is None:
        raise RequestedRangeNotSatisfiable(size)
    response = Response(stream_with_context(storage.load_range(runtime, reference, start, end)), 206 if asked else 200)
    response.mimetype = "video/webm"
    response.content_length = end - start
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    if asked:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if download:
        name = f"helpouts-{row.started_at:%Y-%m-%d}.webm"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.route("/recordings/<public_id>/delete", methods=["GET", "POST"])
@requires("signed_in")
def delete(public_id: str) -> ResponseReturnValue:
    """Either of the two deletes it for both, after a question."""
    db, row = current_db(), _found(public_id)
    if not recording_access.is_party(row, current_user.id):
        raise NotFound(_l("There is no such recording."))
    booking = row.session.booking
    if request.method == "GET":
        return render_template("helpouts/sessions/recording_delete.html", recording=row, booking=booking)
    recording.remove(db, row, recording.actor_of(row.session, current_user.id))
    db.commit()
    flash(_("The recording is deleted, for both of you."), "success")
    return redirect(url_for("bookings.show", public_id=booking.public_id), 303)


@bp.route("/recordings/<public_id>/open", methods=["GET", "POST"])
@requires("support")
def open_for_dispute(public_id: str) -> ResponseReturnValue:
    """An operator says why a recording has to be seen; then it can be watched for an hour."""
    db = current_db()
    row = db.scalar(select(Recording).where(Recording.public_id == public_id, Recording.state != "deleted"))
    if row is None:
        raise NotFound(_l("There is no such recording."))
    if request.method == "GET":
        disputed = recording_access.in_dispute(db, row.session.booking)
        return render_template("helpouts/sessions/recording_open.html", recording=row, disputed=disputed)
    recording_access.open_for_operator(db, row, current_actor("operator"), request.form.get("reason", ""))
    db.commit()
    return redirect(url_for("recordings.show", public_id=public_id), 303)
