"""The page of an operator whom one of the two has asked into their room, and the tickets to its chat."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.accounts.security import safe_next
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import support
from helpouts.sessions.models import Session
from helpouts.sessions.texts import operator_texts
from helpouts.sessions.tickets import check_operator_may_enter, issue_ticket
from helpouts.web.db import current_db
from helpouts.web.permissions import requires

bp = Blueprint("support", __name__)
CALL = "console_calls.details_view"
"""Where the console, if there is one, shows a call."""


def _found(room_id: str) -> tuple[Session, User]:
    db = current_db()
    session = db.scalar(select(Session).where(Session.room_id == room_id))
    if session is None:
        raise NotFound(_l("There is no such room."))
    return session, db.get_one(User, current_user.id)


@bp.get("/room/<room_id>/operator")
@requires("support")
def room(room_id: str) -> ResponseReturnValue:
    """The chat since the request, who is there, the way out.  ``back``: the page that the way out leads to.

    What nobody has taken yet is taken in the console: notices lead here, too.
    """
    session, user = _found(room_id)
    standing = support.standing(current_db(), session.id)
    if standing is not None and standing.state == "open" and CALL in current_app.view_functions:
        return redirect(url_for(CALL, id=standing.id))
    asked = check_operator_may_enter(current_db(), session, user)
    back = request.args.get("back", "")
    return render_template(
        "helpouts/sessions/operator.html",
        session=session,
        booking=session.booking,
        asked=asked,
        whole=support.first_line(current_db(), asked) == 0 and asked.after_seq > 0,
        longest=support.LONGEST_NOTE,
        back=back if safe_next(back) else url_for("web.home"),
        texts=operator_texts(),
    )


@bp.post("/room/<room_id>/operator/ticket")
@requires("support")
def ticket(room_id: str) -> ResponseReturnValue:
    """As the ticket of the two (``sessions.ticket``)."""
    try:
        session, user = _found(room_id)
        check_operator_may_enter(current_db(), session, user)
        issued = issue_ticket(current_db(), session, user, request.form.get("lost", ""))
        current_db().commit()
    except HelpoutsError as error:
        return {"error": str(error), "code": error.code}, error.status
    return {"ticket": issued.token, "url": issued.url}
