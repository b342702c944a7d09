"""The chat: a line goes to both when it is in the database; who comes in gets what they have not had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session as DbSession

from helpouts.live.messages import Message, handles, welcomes
from helpouts.live.protocol import plain
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import chat
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node


@handles("chat")
async def say(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """Keep a line and say it to everybody, its author included: that is the acknowledgement."""
    body, client_id = plain(message.get("body", "")), plain(message.get("client_id", ""))

    def keep(db: DbSession) -> dict[str, Any]:
        session = db.get_one(Session, room.session_id)
        return chat.as_json(chat.say(db, session, connection.user_id, client_id, body))

    async with room.talk:
        await room.broadcast(await node.write(keep))


@welcomes
def missed(db: DbSession, room: Room, _user_id: int, after: int) -> Message:
    """The lines after the last one that the browser has."""
    return {"chat": chat.since(db, room.session_id, after)}
