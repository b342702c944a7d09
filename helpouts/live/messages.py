"""What a browser in a room may say: one handler for each kind of message.

The tools of the room (chat, notes, recording …) are modules of :mod:`helpouts.live.tools`; each adds its messages with
:func:`handles`, and with :func:`welcomes` what a browser has to know of it when it comes in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session as DbSession

from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.errors import NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.live import protocol
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import service
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node

Message = dict[str, Any]
Handler = Callable[["Node", Room, Connection, Message], Awaitable[None]]
#: ``part(db, room, user_id, after)``: in a reading transaction; ``after`` is the last chat line that the browser has.
Welcome = Callable[[DbSession, Room, int, int], Message]

_HANDLERS: dict[str, Handler] = {}
_FOR_GUESTS: set[str] = set()
_WELCOMES: list[Welcome] = []


def handles(kind: str, *, guests: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler for one kind of message.  It raises HelpoutsError with a text for the person.

    :param guests: an operator whom the two have asked in may say it, too.
    """

    def register(handler: Handler) -> Handler:
        if kind in _HANDLERS:
            raise ValueError(f"two handlers for the message {kind!r}")
        _HANDLERS[kind] = handler
        if guests:
            _FOR_GUESTS.add(kind)
        return handler

    return register


def welcomes(part: Welcome) -> Welcome:
    """Register a part of the welcome: its keys are added to the message."""
    _WELCOMES.append(part)
    return part


async def handle(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """One message of a browser that has said hello; unknown kinds are passed over.

    :raises HelpoutsError: with a text for the person; nothing was changed.
    """
    kind = message.get("type")
    handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
    if handler is not None:
        if connection.guest and kind not in _FOR_GUESTS:
            raise NotAllowed(_l("You may not do this."))
        await handler(node, room, connection, message)


def welcome(db: DbSession, room: Room, user_id: int, after: int) -> Message:
    """What all tools have to say to somebody who comes in."""
    parts: Message = {}
    for part in _WELCOMES:
        parts.update(part(db, room, user_id, after))
    return parts


@handles("ping", guests=True)
async def _ping(_node: Node, _room: Room, connection: Connection, message: Message) -> None:
    await connection.send({"type": "pong", "t": message.get("t")})


@handles("state")
async def _state(_node: Node, room: Room, connection: Connection, message: Message) -> None:
    connection.state = {key: bool(message.get(key)) for key in ("mic", "camera", "screen", "sound_only")}
    other = room.other(connection.user_id)
    if other is not None:
        await other.send({"type": "state", **connection.state})
    await protocol.show_guest(room)


@handles("signal")
async def _signal(_node: Node, room: Room, connection: Connection, message: Message) -> None:
    if isinstance(message.get("data"), dict):
        await room.media.signal(connection.participant, message["data"])


@handles("grant")
async def _grant(node: Node, room: Room, connection: Connection, _message: Message) -> None:
    async with node.rooms.changing(room.id):
        if not connection.gone:
            granted = await room.media.grant(connection.participant, connection.name)
            await connection.send({"type": "grant", **granted})


@handles("end")
async def _end(node: Node, room: Room, connection: Connection, _message: Message) -> None:
    if connection.user_id != room.host_id:
        raise NotAllowed(_l("Only the expert can end the session for both. You can leave it."))
    actor = Actor("expert", connection.user_id, connection.name)
    await node.write(lambda db: service.end(db, db.get_one(Session, room.session_id), "expert", actor))
    await node.finish(protocol.close(node, room))


@handles("leave", guests=True)
async def _leave(node: Node, room: Room, connection: Connection, _message: Message) -> None:
    await node.finish(protocol.drop(node, room, connection, clock.now(), leaving=True))
