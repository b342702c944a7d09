"""Drawing on a snapshot: ``draw`` with the ``shot`` and a ``stroke``, ``remove`` (a stroke's id) or ``clear``.

What is done goes to both when it is kept; ``drawing`` shows the other side a stroke while it is made and is not kept.
``strokes`` asks for all that is on a picture.  ``saved`` tells that the picture was kept with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as DbSession

from helpouts.live import protocol
from helpouts.live.messages import Message, handles
from helpouts.live.protocol import plain
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import drawing, files
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node


@handles("draw")
async def draw(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """Keep what was drawn, then show it."""
    shot, me = plain(message.get("shot", "")), connection.user_id
    stroke = drawing.parse(message["stroke"], me) if "stroke" in message else None
    gone = plain(message.get("remove", ""))

    def keep(db: DbSession) -> None:
        session = db.get_one(Session, room.session_id)
        if stroke is not None:
            drawing.add(db, session, shot, stroke)
        elif gone:
            drawing.remove(db, session, shot, gone, me)
        elif message.get("clear") is True:
            drawing.clear(db, session, shot)

    told = {"stroke": stroke} if stroke is not None else {"remove": gone} if gone else {"clear": True}
    async with room.talk:
        await node.write(keep)
        await room.broadcast({"type": "draw", "shot": shot, "user": me, **told})


@handles("drawing")
async def show(_node: Node, room: Room, connection: Connection, message: Message) -> None:
    """A stroke while it is made, for the other side."""
    other = room.other(connection.user_id)
    if other is not None:
        stroke = drawing.parse(message.get("stroke"), connection.user_id)
        await other.send({"type": "drawing", "shot": plain(message.get("shot", "")), "stroke": stroke})


@handles("strokes")
async def all_of_it(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """What is on a picture, for who opens it."""
    shot = plain(message.get("shot", ""))
    async with room.talk:
        strokes = await node.read(lambda db: files.find(db, room.session_id, shot).strokes)
        await connection.send({"type": "strokes", "shot": shot, "strokes": strokes})


async def saved(_node: Node, room: Room, payload: Message) -> None:
    """The web process has kept a picture with what was drawn on it."""
    async with room.talk:
        await room.broadcast({"type": "saved", "shot": payload.get("shot"), "last": payload.get("last")})


protocol.ROOM_EVENTS["saved"] = saved
