"""The room: its page, and the tickets into it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select

from helpouts import site
from helpouts.accounts.models import User
from helpouts.catalog.cards import picture
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import support
from helpouts.sessions.files import MOST_BYTES
from helpouts.sessions.models import Session
from helpouts.sessions.texts import room_texts
from helpouts.sessions.tickets import check_may_enter, issue_ticket
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import requires

bp = Blueprint("sessions", __name__)


def own_session(room_id: str) -> Session:
    """The session of that room, for one of its two people.

    :raises NotFound: otherwise, whether it exists or not.
    """
    session = current_db().scalar(select(Session).where(Session.room_id == room_id))
    if session is None or current_user.id not in (session.booking.host_id, session.booking.customer_id):
        raise NotFound(_l("There is no such room."))
    return session


@bp.get("/room/<room_id>")
@requires("signed_in")
def room(room_id: str) -> ResponseReturnValue:
    """The device check and the room in one page; people who may not enter now are told why on the booking's page."""
    session = own_session(room_id)
    booking = session.booking
    try:
        check_may_enter(session, current_db().get_one(User, current_user.id))
    except HelpoutsError:
        return redirect(url_for("bookings.show", public_id=booking.public_id), 303)
    is_host = current_user.id == booking.host_id
    category = current_runtime().registry.category(booking.category)
    return render_template(
        "helpouts/sessions/room.html",
        session=session,
        booking=booking,
        is_host=is_host,
        other=booking.customer if is_host else booking.host,
        avatar_url=picture((booking.customer if is_host else booking.host).avatar),
        tools=category.room,
        file_most=MOST_BYTES,
        recording_days=site.get(current_db(), "recording_days"),
        support_longest=support.LONGEST,
        texts=room_texts(),
    )


@bp.post("/room/<room_id>/ticket")
@requires("signed_in")
def ticket(room_id: str) -> ResponseReturnValue:
    """A ticket for one browser: {"ticket", "url", "check_url"}; errors as {"error", "code"} with a text for people.

    The form's field ``lost`` is the address of the WebSocket that has just failed.
    """
    try:
        session = own_session(room_id)
        issued = issue_ticket(
            current_db(), session, current_db().get_one(User, current_user.id), request.form.get("lost", "")
        )
        current_db().commit()
    except HelpoutsError as error:
        return {"error": str(error), "code": error.code}, error.status
    return {"ticket": issued.token, "url": issued.url, "check_url": issued.check_url}
