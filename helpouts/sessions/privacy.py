"""What rooms keep of a person, for the export of their data (GDPR articles 15 and 20)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from helpouts.bookings.models import Booking
from helpouts.sessions.models import Presence, RoomMessage, Session
from helpouts.sessions.support_models import SupportRequest
from helpouts.sessions.tool_models import RoomFile, RoomNote, SessionReport


def export(db: DbSession, user_id: int) -> dict[str, Any]:
    """What the person wrote and sent, the notes of their sessions, when they were there, what they reported,
    and for what they asked an operator in.

    Files are named with the path they can be fetched from, as long as they are kept.
    """
    mine = select(Session.id).join(Booking, Booking.id == Session.booking_id)
    mine = mine.where(or_(Booking.host_id == user_id, Booking.customer_id == user_id))
    lines = (
        select(RoomMessage)
        .where(RoomMessage.user_id == user_id, RoomMessage.kind.in_(("", "operator")))
        .order_by(RoomMessage.id)
    )
    files = select(RoomFile).where(RoomFile.user_id == user_id).order_by(RoomFile.id)
    notes = select(RoomNote).where(RoomNote.session_id.in_(mine)).order_by(RoomNote.session_id)
    there = select(Presence).where(Presence.user_id == user_id).order_by(Presence.id)
    reports = select(SessionReport).where(SessionReport.reporter_id == user_id).order_by(SessionReport.id)
    asked = select(SupportRequest).where(SupportRequest.asked_by == user_id).order_by(SupportRequest.id)
    return {
        "room_messages": [{"at": row.created_at.isoformat(), "text": row.body} for row in db.scalars(lines)],
        "room_files": [
            {
                "at": row.created_at.isoformat(),
                "kind": row.kind,
                "name": row.name,
                "size": row.size,
                "path": None if row.removed_at else f"/room/{row.session.room_id}/files/{row.public_id}",
            }
            for row in db.scalars(files)
        ],
        "room_notes": [{"changed_at": row.changed_at.isoformat(), "text": row.text} for row in db.scalars(notes)],
        "room_presence": [
            {
                "joined_at": row.joined_at.isoformat(),
                "left_at": row.left_at.isoformat() if row.left_at else None,
                "device": row.device,
            }
            for row in db.scalars(there)
        ],
        "reports": [
            {"at": row.created_at.isoformat(), "reason": row.reason, "text": row.text, "state": row.state}
            for row in db.scalars(reports)
        ],
        "operators_asked_in": [
            {
                "at": row.created_at.isoformat(),
                "reason": row.reason,
                "state": row.state,
                "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            }
            for row in db.scalars(asked)
        ],
    }
