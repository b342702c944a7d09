"""Consent to recording, given and withdrawn in the room; both see at every moment how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.live import recorder
from helpouts.live.messages import Message, handles, welcomes
from helpouts.live.protocol import ROOM_EVENTS
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import recording
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node


@handles("recording")
async def answer(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """One of the two agrees, declines or withdraws; a withdrawal stops the recording before anything else is done."""
    agrees, adult, delete = (message.get(key) is True for key in ("agree", "adult", "delete"))

    def keep(db: DbSession) -> None:
        session = db.get_one(Session, room.session_id)
        if agrees:
            recording.agree(db, session, db.get_one(User, connection.user_id), adult=adult)
        else:
            recording.withdraw(db, session, connection.user_id, delete=delete)

    if not agrees:
        await room.media.stop_recording()
        other = room.other(connection.user_id)
        if other is not None and room.recorder is None:
            await other.send({"type": "recording_declined"})
    await node.write(keep)
    await recorder.follow(node, room)


async def _elsewhere(node: Node, room: Room, _payload: Message) -> None:
    """The web process has deleted it, or a job has ended the session."""
    await recorder.follow(node, room)


ROOM_EVENTS["recording"] = _elsewhere


@welcomes
def how_it_stands(db: DbSession, room: Room, user_id: int, _after: int) -> Message:
    """What the browser shows before anything changes; whether this person has to say that they are of age."""
    found = recording.standing(db, db.get_one(Session, room.session_id))
    ask_age = db.get_one(User, user_id).birth_date is None
    return {"recording": {**recording.as_json(found), "ask_age": ask_age}}
