"""Telling those who can answer that an operator is asked into a room: by mail, and through the plugins' channels."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import Role, User
from helpouts.clock import clock
from helpouts.i18n import lazy_gettext as _l
from helpouts.mail.service import queue_mail
from helpouts.notices.choices import wants
from helpouts.notices.kinds import kind_named
from helpouts.notices.service import notify
from helpouts.sessions.support_models import SupportRequest

KIND = "support"
#: Operators are told once in this time of the same session, however often it is asked for one.
QUIET = timedelta(minutes=10)
#: From then on a notice is of no use: somebody has come, or nobody waits any more.
LASTS = timedelta(minutes=15)


def tell_operators(db: DbSession, request: SupportRequest) -> None:
    """Promise a notice about this request to each operator who wants it and is none of the two.

    The reason stays on the site: a mail may be read by others.
    """
    if not _due(db, request):
        return
    booking, until = request.session.booking, clock.now() + LASTS
    path = f"/room/{request.session.room_id}/operator"
    title = _l("%(name)s asks for an operator", name=request.asker.name)
    for operator in _operators(db):
        if operator.id in (booking.host_id, booking.customer_id):
            continue
        notify(db, operator.id, KIND, title, booking.title, path, urgent=True, expires_at=until)
        if wants(db, operator.id, KIND):
            queue_mail(
                db,
                operator.email,
                "support_asked",
                operator.locale,
                operator.zone or "UTC",
                expires_at=until,
                name=operator.name,
                asker=request.asker.name,
                title=booking.title,
                path=path,
            )


def _operators(db: DbSession) -> list[User]:
    roles = kind_named(KIND).roles
    return list(db.scalars(select(User).where(User.active, User.roles.any(Role.name.in_(roles))).order_by(User.id)))


def _due(db: DbSession, request: SupportRequest) -> bool:
    """Whether operators have heard nothing of this session for long enough."""
    rows = select(SupportRequest.id, SupportRequest.created_at).where(SupportRequest.session_id == request.session_id)
    told = None
    for number, at in db.execute(rows.order_by(SupportRequest.id)):
        due = told is None or at - told >= QUIET
        told = at if due else told
        if number == request.id:
            return due
    return False
