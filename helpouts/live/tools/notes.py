"""The shared notes: a change goes to both, in one order, when it is in the database; who was away catches up.

Browser: ``notes`` (``client_id``, ``base``, ``change``), ``notes_since`` (``revision``).  Server: ``notes`` to
everybody, the author's acknowledgement included, ``notes_since`` with the ``changes`` missed (``more`` when there are
more), and ``notes_refused`` with the text as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session as DbSession

from helpouts.errors import HelpoutsError
from helpouts.live.messages import Message, handles, welcomes
from helpouts.live.protocol import plain, refusal
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import notes
from helpouts.sessions.models import Session
from helpouts.sessions.text_changes import parse

if TYPE_CHECKING:
    from helpouts.live.node import Node


def whole(value: object) -> int:
    """A number that a browser sent; -1 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else -1


@handles("notes")
async def change(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """Keep a change and say it to everybody."""
    client_id = plain(message.get("client_id", ""))

    def keep(db: DbSession) -> tuple[Message, bool]:
        session = db.get_one(Session, room.session_id)
        wanted = parse(message.get("change"))
        done, fresh = notes.change(db, session, connection.user_id, client_id, whole(message.get("base")), wanted)
        return notes.as_json(done), fresh

    async with room.talk:
        try:
            said, fresh = await node.write(keep)
        except HelpoutsError as error:
            revision, text = await node.read(lambda db: notes.current(db, room.session_id))
            told = {**refusal(error, connection.locale), "type": "notes_refused", "client_id": client_id}
            await connection.send({**told, "revision": revision, "text": text})
            return
        await (room.broadcast(said) if fresh else connection.send(said))


@handles("notes_since")
async def catch_up(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """What somebody has missed who was away."""
    revision = max(0, whole(message.get("revision")))
    async with room.talk:
        missed = await node.read(lambda db: notes.since(db, room.session_id, revision))
        await connection.send({"type": "notes_since", "changes": missed, "more": len(missed) == notes.PAGE})


@welcomes
def as_they_are(db: DbSession, room: Room, _user_id: int, _after: int) -> dict[str, Any]:
    """The text, for who has none yet."""
    revision, text = notes.current(db, room.session_id)
    return {"notes": {"revision": revision, "text": text}}
