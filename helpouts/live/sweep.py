"""The loops of a live process: who is still there, and that we are still here."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.live import protocol
from helpouts.plugins.service import read_settings
from helpouts.sessions import feed, nodes, quality, service

if TYPE_CHECKING:
    from helpouts.live.node import Node
    from helpouts.live.rooms import Connection

log = structlog.get_logger("helpouts.live")

#: Seconds between two looks at who is there.
TICK = 1.0
#: Seconds between two heartbeats; :data:`helpouts.sessions.nodes.SUSPECT` is three of them.
BEAT = 0.5
UPKEEP = 2.0
QUALITY = 5.0
#: Who was heard from so recently is taken to be here still: browsers ping every second.
FRESH = timedelta(seconds=1.5)


async def presence(node: Node) -> None:
    """Every second: write down who was heard from (the meter lives on it), drop who has fallen silent, and tell
    when the booked time begins or ends."""
    loop = asyncio.get_running_loop()
    before, was = loop.time(), clock.now()
    await asyncio.sleep(TICK)
    elapsed, now = loop.time() - before, clock.now()
    stalled = elapsed > 2 * TICK  # we did not listen ourselves: what was said is still to be read
    if now - was - timedelta(seconds=elapsed) > service.SILENCE:
        await _skip(node, was, now)
    moments = {}
    for room, connection in list(node.rooms.connections()):
        if connection.heard_at < now - service.SILENCE and not connection.busy and not stalled:
            await protocol.drop(node, room, connection, connection.heard_at)
        else:
            fresh = connection.heard_at > now - FRESH  # should we be killed, the meter knows the end to a second
            moments[connection.presence_id] = now if fresh else connection.heard_at
    if moments:
        await node.write(lambda db: service.seen(db, moments))
    for room in list(node.rooms.by_id.values()):
        if room.media.overdue():
            await protocol.let_go(node, room)
        elif room.running != room.metering(now):
            await protocol.announce(node, room)


async def _skip(node: Node, was: datetime, now: datetime) -> None:
    """The clock was put forward, or the machine stood still without noticing: nobody is gone, nobody pays for it."""
    log.warning("the clock has jumped", seconds=(now - was).total_seconds())
    for room in list(node.rooms.by_id.values()):
        async with node.rooms.changing(room.id):
            present = room.everybody

            def begin_again(db: DbSession, present: list[Connection] = present) -> list[int]:
                return [service.begin_again(db, one.presence_id, min(one.heard_at, was), now) for one in present]

            for connection, presence_id in zip(present, await node.write(begin_again), strict=True):
                connection.presence_id, connection.heard_at = presence_id, now


async def heartbeat(node: Node) -> None:
    """Twice a second: this node is alive, and has so many rooms; it hears whether it is to be drained."""
    rooms = len(node.rooms.by_id)
    node.draining = await node.write(lambda db: nodes.beat(db, node.name, node.public_url, rooms))
    await asyncio.sleep(BEAT)


async def qualities(node: Node) -> None:
    """Every few seconds: write down what the browsers have measured since."""
    await asyncio.sleep(QUALITY)
    readings = {}
    for _room, connection in node.rooms.connections():
        if connection.quality is not None:
            readings[connection.presence_id], connection.quality = connection.quality, None
    if readings:
        await node.write(lambda db: quality.note(db, readings))


async def upkeep(node: Node) -> None:
    """Every two seconds: read the transports' settings again, delete events that everybody has heard."""
    await asyncio.sleep(UPKEEP)
    await node.write(feed.tidy)
    for plugin in list(node._settings):
        node._settings[plugin] = await node.read(lambda db, p=plugin: read_settings(db, p))  # type: ignore[misc]  # default argument binds the name
