"""The loops of a live process: who is still there, that we are still here, what other processes say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.live import protocol
from helpouts.plugins.service import read_settings
from helpouts.sessions import service
from helpouts.sessions.models import LiveEvent, LiveNode, Session

if TYPE_CHECKING:
    from helpouts.live.node import Node

#: Seconds between two looks at who is there.
TICK = 1.0
#: Events older than this have been heard by everybody who is alive.
EVENT_LIFE = timedelta(hours=1)


async def presence(node: Node) -> None:
    """Every second: write down who was heard from (the meter lives on it), drop who has fallen silent,
    and look at the sessions themselves, which tell the truth when an event was missed."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(TICK)
    stalled = loop.time() - before > 2 * TICK  # we did not listen ourselves: what was said is still to be read
    now = clock.now()
    moments = {}
    for room, connection in list(node.rooms.connections()):
        if connection.heard_at < now - service.SILENCE and not connection.busy and not stalled:
            await protocol.drop(node, room, connection, connection.heard_at)
        else:
            moments[connection.presence_id] = connection.heard_at
    rooms = dict(node.rooms.by_id)
    if not rooms:
        return

    def note(db: DbSession) -> list[tuple[str, str, str]]:
        service.seen(db, moments)
        query = select(Session.room_id, Session.state, Session.node).where(Session.room_id.in_(rooms))
        return [(row.room_id, row.state, row.node) for row in db.execute(query)]

    for room_id, state, name in await node.write(note):
        room = rooms[room_id]
        if state == "ended":
            await protocol.close(node, room)
        elif name != node.name:  # we were taken for dead: the browsers ask for tickets to where the room is now
            for connection in list(room.connections.values()):
                node.spawn(connection.hang_up(1012, b"moved"))
        elif room.running != room.metering(now):
            await protocol.announce(node, room)


async def heartbeat(node: Node) -> None:
    """Every two seconds: this node is alive; read the transports' settings again."""
    rooms = len(node.rooms.by_id)

    def beat(db: DbSession) -> None:
        row = db.get(LiveNode, node.name) or LiveNode(name=node.name, public_url=node.public_url)
        row.heartbeat_at, row.rooms = clock.now(), rooms
        db.add(row)
        db.execute(delete(LiveEvent).where(LiveEvent.created_at < clock.now() - EVENT_LIFE))

    await node.write(beat)
    for plugin in list(node._settings):
        node._settings[plugin] = await node.read(lambda db, p=plugin: read_settings(db, p))  # type: ignore[misc]  # default argument binds the name
    await asyncio.sleep(2)


async def follow_events(node: Node) -> None:
    """Four times a second: what other processes have written since we last looked."""
    await asyncio.sleep(0.25)
    if node.rooms.idle:
        query = select(LiveEvent.seq).order_by(LiveEvent.seq.desc()).limit(1)
        node.event_seq = max(node.event_seq, await node.read(lambda db: db.scalar(query) or 0))
        return
    after = node.event_seq

    def fetch(db: DbSession) -> list[LiveEvent]:
        return list(db.scalars(select(LiveEvent).where(LiveEvent.seq > after).order_by(LiveEvent.seq).limit(500)))

    for event in await node.read(fetch):
        node.event_seq = event.seq
        kind, _, name = event.topic.partition(":")
        if kind == "room" and name in node.rooms.by_id:
            await protocol.room_event(node, node.rooms.by_id[name], event.payload)
