"""The chat: a line goes to both when it is in the database; who comes in gets what they have not had.

Lines come from here, and with files from the web process: each browser gets them in the order of their numbers, so that
the last one it has tells what it misses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.live import protocol
from helpouts.live.messages import Message, handles, welcomes
from helpouts.live.protocol import plain
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import chat, support
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node


@handles("chat", guests=True)
async def say(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """Keep a line and say it to everybody, its author included: that is the acknowledgement."""
    body, client_id = plain(message.get("body", "")), plain(message.get("client_id", ""))

    def keep(db: DbSession) -> Message:
        session = db.get_one(Session, room.session_id)
        if connection.guest:
            line = support.say(db, session, db.get_one(User, connection.user_id), client_id, body)
        else:
            line = chat.say(db, session, connection.user_id, client_id, body)
        return chat.as_json(line, name=connection.name)

    async with room.talk:
        said = await node.write(keep)
        if said["seq"] <= connection.told:  # said before, and the acknowledgement was lost
            await connection.send(said)
        await tell(node, room)


async def tell(node: Node, room: Room) -> None:
    """Send each browser the lines that it has not had; hold ``room.talk``."""
    connections = room.everybody
    if not connections:
        return
    first = min(connection.told for connection in connections)
    for line in await node.read(lambda db: chat.since(db, room.session_id, first)):
        for connection in connections:
            if line["seq"] > connection.told:
                connection.told = line["seq"]
                await connection.send(line)


async def written(node: Node, room: Room, _payload: Message) -> None:
    """Another process has written lines."""
    async with room.talk:
        await tell(node, room)


protocol.ROOM_EVENTS["chat"] = written


@welcomes
def missed(db: DbSession, room: Room, _user_id: int, after: int) -> Message:
    """The lines after the last one that the browser has."""
    return {"chat": chat.since(db, room.session_id, after)}
