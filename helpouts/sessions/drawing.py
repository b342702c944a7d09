"""Drawing on a snapshot: strokes of both people, kept in their order until the picture is saved with them.

A stroke is ``{"id", "tool", "color", "width", "points", "text"}``: points are x and y in turn, as parts of the
picture's width and height (0 to 1); the width is in thousandths of the picture's width.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.orm import Session as DbSession

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions import files
from helpouts.sessions.models import Session
from helpouts.sessions.tool_models import RoomFile

TOOLS = ("pen", "arrow", "rectangle", "text")
MOST_STROKES = 400
#: Numbers of one stroke: x and y of 1000 points.
MOST_NUMBERS = 2000
LONGEST_TEXT = 120
_COLOR = re.compile(r"#[0-9a-f]{6}")
_ID = re.compile(r"[A-Za-z0-9-]{8,40}")


def parse(value: object, user_id: int) -> dict[str, Any]:
    """A stroke from what a browser sent.

    :raises HelpoutsError: when it is none.
    """
    if not isinstance(value, dict):
        raise _wrong()
    points, text = value.get("points"), value.get("text", "")
    if value.get("tool") not in TOOLS or not isinstance(points, list) or not isinstance(text, str):
        raise _wrong()
    if not 2 <= len(points) <= MOST_NUMBERS or len(points) % 2 or len(text) > LONGEST_TEXT:
        raise _wrong()
    if not all(isinstance(n, (int, float)) and not isinstance(n, bool) and -1 <= n <= 2 for n in points):
        raise _wrong()
    if not _COLOR.fullmatch(str(value.get("color"))) or not _ID.fullmatch(str(value.get("id"))):
        raise _wrong()
    width = value.get("width")
    if not isinstance(width, (int, float)) or not 1 <= width <= 50:
        raise _wrong()
    return {
        "id": value["id"],
        "user": user_id,
        "tool": value["tool"],
        "color": value["color"],
        "width": width,
        "points": [round(float(n), 4) for n in points],
        "text": text.replace("\0", ""),
    }


def add(db: DbSession, session: Session, public_id: str, stroke: dict[str, Any]) -> None:
    """Keep a stroke; the same one again changes nothing.

    :raises HelpoutsError: too many of them.
    """
    row = _locked(db, session, public_id)
    if any(known["id"] == stroke["id"] for known in row.strokes):
        return
    if len(row.strokes) >= MOST_STROKES:
        raise HelpoutsError(_l("There is no room for more on this picture. Take another one."))
    row.strokes = [*row.strokes, stroke]


def remove(db: DbSession, session: Session, public_id: str, stroke_id: str, user_id: int) -> None:
    """Take back a stroke of one's own."""
    row = _locked(db, session, public_id)
    row.strokes = [s for s in row.strokes if s["id"] != stroke_id or s["user"] != user_id]


def clear(db: DbSession, session: Session, public_id: str) -> None:
    """Take away all that was drawn, by whomever."""
    _locked(db, session, public_id).strokes = []


def _locked(db: DbSession, session: Session, public_id: str) -> RoomFile:
    db.refresh(session, with_for_update={"of": Session})
    row = files.find(db, session.id, public_id)
    if row.kind != "snapshot" or row.removed_at is not None or session.state != "open":
        raise _wrong()
    return row


def _wrong() -> HelpoutsError:
    return HelpoutsError(_l("This cannot be drawn. Close the picture and open it again."))
