"""The loops of a live process: who is still there, and that we are still here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.live import protocol
from helpouts.plugins.service import read_settings
from helpouts.sessions import feed, service
from helpouts.sessions.models import LiveNode

if TYPE_CHECKING:
    from helpouts.live.node import Node

#: Seconds between two looks at who is there.
TICK = 1.0


async def presence(node: Node) -> None:
    """Every second: write down who was heard from (the meter lives on it), drop who has fallen silent, and tell
    when the booked time begins or ends."""
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
    if moments:
        await node.write(lambda db: service.seen(db, moments))
    for room in list(node.rooms.by_id.values()):
        if room.running != room.metering(now):
            await protocol.announce(node, room)


async def heartbeat(node: Node) -> None:
    """Every two seconds: this node is alive; read the transports' settings again."""
    rooms = len(node.rooms.by_id)

    def beat(db: DbSession) -> None:
        row = db.get(LiveNode, node.name) or LiveNode(name=node.name, public_url=node.public_url)
        row.heartbeat_at, row.rooms = clock.now(), rooms
        db.add(row)
        feed.tidy(db)

    await node.write(beat)
    for plugin in list(node._settings):
        node._settings[plugin] = await node.read(lambda db, p=plugin: read_settings(db, p))  # type: ignore[misc]  # default argument binds the name
    await asyncio.sleep(2)
