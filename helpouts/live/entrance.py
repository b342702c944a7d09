"""The way into a room: a ticket, a presence, a seat, and everything that was said before."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.errors import Conflict
from helpouts.i18n import lazy_gettext as _l
from helpouts.i18n import use_locale
from helpouts.live import messages, protocol, recorder
from helpouts.live.media import Media
from helpouts.live.node import Node
from helpouts.live.rooms import Connection, Room
from helpouts.live.tools import support as guests
from helpouts.sessions import service, support
from helpouts.sessions.models import Session
from helpouts.sessions.tickets import redeem_ticket

HELLO_SECONDS = 10
#: The greatest number that both databases keep.
MAX_SEQ = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: the ticket, the last chat line the browser has, what it calls itself, and the id of the
    media that it still holds."""

    ticket: str
    after: int
    device: str
    media: str = ""


async def hello(socket: web.WebSocketResponse) -> Hello | None:
    """Wait for the first message; None when it does not come in time or is no hello."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            first = await socket.receive()
        said = json.loads(first.data) if first.type is WSMsgType.TEXT else {}
        after = min(max(int(said.get("after", 0)), 0), MAX_SEQ)
        return Hello(str(said["ticket"]), after, protocol.plain(said.get("device", "")), str(said.get("media", "")))
    except (TimeoutError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


async def enter(node: Node, socket: web.WebSocketResponse, said: Hello) -> tuple[Room, Connection]:
    """Use the ticket up, take the seat (from another window of the same person), say welcome.

    :raises HelpoutsError: the ticket is not valid, or its holder may not enter now; nobody has entered.
    """

    def redeem(db: DbSession) -> tuple[Room, Connection]:
        session, user = redeem_ticket(db, protocol.plain(said.ticket), node.name)
        guest = not support.is_party(session, user.id)
        with use_locale(user.locale):
            presence = service.join(db, session, user.id, node.name, said.device)
            if guest:
                support.enter(db, session, user)
        booking = session.booking
        room = Room(
            id=session.room_id,
            session_id=session.id,
            host_id=booking.host_id,
            customer_id=booking.customer_id,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            media=Media(node, session.room_id, session.transport),
        )
        connection = Connection(
            socket, user.id, user.name, presence.id, clock.now(), user.locale, busy=True, guest=guest
        )
        return room, connection

    fresh, connection = await node.write(redeem)
    room = fresh
    try:
        async with node.rooms.changing(fresh.id):
            room = node.rooms.by_id.setdefault(fresh.id, fresh)
            room.starts_at, room.ends_at = fresh.starts_at, fresh.ends_at
            if connection.guest:
                await guests.take_seat(node, room, connection, said.after)
            else:
                await _take_seat(node, room, connection, said)
            await protocol.announce(node, room)
    except BaseException:
        await node.finish(protocol.drop(node, room, connection, connection.heard_at))
        raise
    connection.heard_at, connection.busy = clock.now(), False
    if not connection.guest:
        node.errand(recorder.follow(node, room))
    return room, connection


def _known(db: DbSession, room: Room, user_id: int, after: int) -> dict[str, Any]:
    """What the tools of the room tell; events are heard from now on, so what came before them is looked at once.

    :raises Conflict: the session has ended meanwhile.
    """
    if db.get_one(Session, room.session_id).state == "ended":
        raise Conflict(_l("This session is over."))
    return messages.welcome(db, room, user_id, after)


async def _take_seat(node: Node, room: Room, connection: Connection, said: Hello) -> None:
    earlier = room.connections.pop(connection.user_id, None)
    if earlier is not None:
        earlier.gone = True
        node.spawn(earlier.hang_up(protocol.REPLACED, b"opened in another window"))
        await node.write(lambda db: service.leave(db, earlier.presence_id, earlier.heard_at))
    kept = room.media.stand(connection.participant, said.media, earlier.heard_at if earlier else None)
    granted = {"media": "kept"} if kept else await room.media.grant(connection.participant, connection.name)
    async with room.talk:  # nobody says anything between what is read here and the welcome
        known = await node.read(lambda db: _known(db, room, connection.user_id, said.after))
        connection.told = max([said.after, *(line["seq"] for line in known["chat"])])
        room.connections[connection.user_id] = connection
        waiting = room.media.take_back(connection.participant) if kept else []
        await connection.send(
            {
                "type": "welcome",
                "you": connection.user_id,
                "peer": protocol.peer_of(room, connection.user_id),
                **known,
                **granted,
            }
        )
    for message in waiting:
        await connection.send({"type": "signal", "data": message})
