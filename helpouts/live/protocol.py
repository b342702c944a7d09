"""What goes over a room's WebSocket.

Browser to server::

    {"type": "hello", "ticket": ..., "after": seq, "device": ...}   first message, within 10 s
    {"type": "ping"}                                                every second; silence ends the presence
    {"type": "chat", "client_id": ..., "body": ...}                 answered by the line itself, with its seq
    {"type": "state", "mic": bool, "camera": bool, "screen": bool}  shown to the other side
    {"type": "grant"}                                               a new grant for the transport (after a failure)
    {"type": "signal", "data": {...}}                               to the video transport
    {"type": "end"}                                                 the expert ends the session
    {"type": "leave"}                                               this browser goes

Server to browser: ``welcome``, ``pong``, ``peer``, ``chat``, ``state``, ``meter``, ``grant``, ``signal``, ``ended``,
``error`` (with a text for people).  A socket that another window of the same person replaces is closed with 4001.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import chat, service
from helpouts.sessions.models import Session
from helpouts.sessions.transport import TransportError

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
REPLACED = 4001
ENDED = 4002


async def handle(node: Node, room: Room, connection: Connection, message: dict[str, Any]) -> None:
    """One message of a browser that has said hello.

    :raises HelpoutsError: with a text for the person; nothing was changed.
    """
    kind = message.get("type")
    if kind == "ping":
        await connection.send({"type": "pong", "t": message.get("t")})
    elif kind == "chat":
        await _chat(node, room, connection, message)
    elif kind == "state":
        connection.state = {key: bool(message.get(key)) for key in ("mic", "camera", "screen")}
        other = room.other(connection.user_id)
        if other is not None:
            await other.send({"type": "state", **connection.state})
    elif kind == "signal" and isinstance(message.get("data"), dict):
        await room.driver.on_signal(room.media, connection.participant, message["data"])
    elif kind == "grant":
        await connection.send({"type": "grant", **await grant(room, connection)})
    elif kind == "end" and connection.user_id == room.host_id:
        actor = Actor("expert", connection.user_id, connection.name)
        await node.write(lambda db: service.end(db, db.get_one(Session, room.session_id), "expert", actor))
        await close(node, room)
    elif kind == "leave":
        await drop(node, room, connection, clock.now())


async def grant(room: Room, connection: Connection) -> dict[str, Any]:
    """What the browser needs for the media; ``transport`` is None while the transport cannot take it."""
    try:
        found = await room.driver.admit(room.media, connection.participant, connection.name)
    except TransportError as error:
        log.error("transport refuses a participant", transport=room.transport, error=str(error))
        return {"transport": None, "retry_after": getattr(error, "retry_after", 5)}
    return {"transport": {"name": room.transport, "module": room.module, "config": found.config}}


async def _chat(node: Node, room: Room, connection: Connection, message: dict[str, Any]) -> None:
    body, client_id = str(message.get("body", "")), str(message.get("client_id", ""))
    line = await node.write(
        lambda db: chat.as_json(
            chat.say(db, db.get_one(Session, room.session_id), connection.user_id, client_id, body)
        )
    )
    await room.broadcast(line)


async def announce(node: Node, room: Room) -> None:
    """Tell everybody who is here, and how the meter stands."""
    meter = await meter_of(node, room)
    for user_id, connection in list(room.connections.items()):
        other = room.other(user_id)
        await connection.send({"type": "peer", "present": other is not None, "state": other.state if other else {}})
        await connection.send(meter)


async def meter_of(node: Node, room: Room) -> dict[str, Any]:
    """Seconds in which both were connected so far, and whether it runs at this moment."""

    def measure(db: Any) -> tuple[int, bool]:
        session = db.get_one(Session, room.session_id)
        within = session.booking.starts_at <= clock.now() < session.booking.ends_at
        return service.connected_seconds(db, session), within

    seconds, within = await node.read(measure)
    return {"type": "meter", "seconds": seconds, "running": room.complete and within}


async def drop(node: Node, room: Room, connection: Connection, moment: datetime) -> None:
    """A connection is over since ``moment``: written down, the transport and the other side told."""
    if room.connections.get(connection.user_id) is connection:
        del room.connections[connection.user_id]
        await node.write(lambda db: service.leave(db, connection.presence_id, moment))
        await room.driver.dismiss(room.media, connection.participant)
        if room.connections:
            await announce(node, room)
        else:
            node.rooms.forget(room)
            await room.driver.close_room(room.media)
    await connection.socket.close()


async def room_event(node: Node, room: Room, payload: dict[str, Any]) -> None:
    """Another process has changed this room."""
    if payload.get("type") == "ended":
        await close(node, room)


async def close(node: Node, room: Room) -> None:
    """The session is over: tell everybody and free the room."""
    node.rooms.forget(room)
    await room.broadcast({"type": "ended"})
    for connection in list(room.connections.values()):
        await connection.socket.close(code=ENDED, message=b"ended")
    room.connections.clear()
    await room.driver.close_room(room.media)


def refusal(error: HelpoutsError) -> dict[str, Any]:
    """An expected error as the browser gets it."""
    return {"type": "error", "code": error.code, "message": str(error)}
