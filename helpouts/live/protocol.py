"""The life of a room: who is here, how the meter stands, who goes, when it is over; and what goes over its WebSocket.

Browser to server (:mod:`helpouts.live.messages`, and the tools of the room in :mod:`helpouts.live.tools`)::

    {"type": "hello", "ticket": ..., "after": seq, "device": ...,   first message, within 10 s; media: the id of the
     "media": id}                                                   transport's grant that the page still holds
    {"type": "ping"}                                                every second; silence ends the presence
    {"type": "chat", "client_id": ..., "body": ...}                 answered by the line itself, with its seq
    {"type": "state", "mic": bool, "camera": bool, "screen": bool}  shown to the other side
    {"type": "grant"}                                               a new grant for the transport (after a failure)
    {"type": "signal", "data": {...}}                               to the video transport
    {"type": "recording", "agree": bool, ...}                       consent to it, or withdrawal (tools/recording.py)
    {"type": "support_ask", "reason": ...}                          an operator is asked in (tools/support.py)
    {"type": "end"}                                                 the expert ends the session
    {"type": "leave"}                                               this browser goes

Server to browser: ``welcome``, ``pong``, ``peer``, ``chat``, ``state``, ``meter``, ``grant``, ``signal``,
``recording``, ``support``, ``ended``, ``error`` (with a text for people); to an operator who was asked in ``people``
in place of all that is about the call.  A socket that another window of the same person replaces is closed with 4001.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import use_locale
from helpouts.live import recorder
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import service
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
#: What tools of the room do when another process has changed something of theirs, by the event's type.
ROOM_EVENTS: dict[str, Callable[[Node, Room, dict[str, Any]], Coroutine[Any, Any, None]]] = {}
REPLACED = 4001
ENDED = 4002


def plain(value: object) -> str:
    """What a browser sent as text, without what PostgreSQL and UTF-8 cannot keep (NUL, lone surrogates)."""
    return str(value).replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


async def announce(node: Node, room: Room) -> None:
    """Tell everybody who is here, and how the meter stands."""
    async with room.talk:
        meter = await meter_of(node, room)
        room.running = meter["running"]
        for user_id, connection in list(room.connections.items()):
            await connection.send({"type": "peer", **peer_of(room, user_id)})
            await connection.send(meter)
        await show_guest(room)


async def show_guest(room: Room) -> None:
    """Tell the operator who was asked in how the two stand."""
    if room.guest is not None:
        await room.guest.send({"type": "people", "people": people_of(room)})


def people_of(room: Room) -> dict[int, dict[str, Any]]:
    """How each of the two stands, by user id."""
    found = {}
    for user_id in (room.host_id, room.customer_id):
        connection = room.connections.get(user_id)
        away = connection is None and str(user_id) in room.media.lingering
        found[user_id] = {
            "present": connection is not None,
            "away": away,
            "state": connection.state if connection else {},
        }
    return found


def peer_of(room: Room, user_id: int) -> dict[str, Any]:
    """How the other side stands: connected, or only away for a moment, while the media are kept."""
    other = room.other(user_id)
    if other is not None:
        return {"present": True, "away": False, "state": other.state}
    away = any(participant != str(user_id) for participant in room.media.lingering)
    return {"present": False, "away": away, "state": None if away else {}}


async def meter_of(node: Node, room: Room) -> dict[str, Any]:
    """Seconds in which both were connected so far, and whether it runs at this moment."""

    def measure(db: DbSession) -> int:
        return service.connected_seconds(db, db.get_one(Session, room.session_id))

    seconds = await node.read(measure)
    return {"type": "meter", "seconds": seconds, "running": room.metering(clock.now())}


async def drop(node: Node, room: Room, connection: Connection, moment: datetime, *, leaving: bool = False) -> None:
    """A connection is over since ``moment``: written down, the transport and the other side told.  Idempotent.

    :param leaving: the browser said goodbye; without it the media are kept, for it may come back soon.
    """
    async with node.rooms.changing(room.id):
        if not connection.gone:
            connection.gone = True
            await _unseat(node, room, connection, moment, leaving)
    node.spawn(connection.hang_up())


async def let_go(node: Node, room: Room) -> None:
    """End the media of those who have not come back in time, and the room when nobody is left."""
    async with node.rooms.changing(room.id):
        for participant in room.media.overdue():
            await room.media.dismiss(participant)
        if room.everybody:
            await announce(node, room)
        await _forget_empty(node, room)


async def _forget_empty(node: Node, room: Room) -> None:
    if room.connections or room.media.lingering:
        return
    if room.guest is None:
        node.rooms.forget(room)
    await recorder.stop(room)
    media, room.media = room.media, room.media.anew()  # the guest may wait here until one of the two is back
    await media.close()


async def _unseat(node: Node, room: Room, connection: Connection, moment: datetime, leaving: bool) -> None:
    seated = connection in room.everybody
    if room.guest is connection:
        room.guest = None
    elif seated:
        del room.connections[connection.user_id]
        if leaving:
            await room.media.dismiss(connection.participant)
        else:
            room.media.linger(connection.participant, moment)
    try:
        await node.write(lambda db: service.leave(db, connection.presence_id, moment))
        if seated and room.everybody:
            await announce(node, room)
            if connection.guest:
                node.errand(ROOM_EVENTS["support"](node, room, {}))
    except Exception:  # the meter ends a presence by when it was last seen
        log.exception("could not write down that somebody left", presence=connection.presence_id)
    await _forget_empty(node, room)


async def room_event(node: Node, room: Room, payload: dict[str, Any]) -> None:
    """Another process has changed this room."""
    if payload.get("type") == "ended":
        await close(node, room, str(payload.get("note", "")))
    elif payload.get("type") == "moved":
        await check(node, room)
    elif (known := ROOM_EVENTS.get(str(payload.get("type")))) is not None:
        await known(node, room, payload)


async def check(node: Node, room: Room) -> None:
    """Read whether the room is still here: it may be over, or on another node, which took us for dead."""

    def where(db: DbSession) -> tuple[str, str]:
        session = db.get_one(Session, room.session_id)
        return session.state, session.node

    state, name = await node.read(where)
    if state == "ended":
        await close(node, room)
    elif name != node.name:  # the browsers ask for tickets to where the room is now
        for connection in room.everybody:
            node.spawn(connection.hang_up(1012, b"moved"))
            await drop(node, room, connection, connection.heard_at, leaving=True)
        room.media.give_up()
        await let_go(node, room)


async def close(node: Node, room: Room, note: str = "") -> None:
    """The session is over: tell everybody (with the reason, when an operator ended it) and free the room."""
    async with node.rooms.changing(room.id):
        node.rooms.forget(room)
        connections = room.everybody
        async with room.talk:
            await asyncio.gather(*(connection.send({"type": "ended", "note": note}) for connection in connections))
            room.connections.clear()
            room.guest = None
        for connection in connections:
            connection.gone = True
            node.spawn(connection.hang_up(ENDED, b"ended"))
        now = clock.now()

        def leave(db: DbSession) -> None:
            for connection in connections:
                service.leave(db, connection.presence_id, now)

        await node.write(leave)
        await recorder.stop(room)
        await room.media.close()


def refusal(error: HelpoutsError, locale: str = "en") -> dict[str, Any]:
    """An expected error as the browser gets it, in its person's language."""
    with use_locale(locale):
        return {"type": "error", "code": error.code, "message": str(error)}
