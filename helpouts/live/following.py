"""What other processes have written: heard once each, soon, and handed to the rooms and desks that it is about."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

import psycopg
import structlog

from helpouts.live import protocol
from helpouts.sessions import feed

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
#: Seconds between two looks at the events where nobody tells us to look: half of it is what a ring waits on average.
TICK = 0.1
#: The same while PostgreSQL tells us: a net, for what a broken connection has not told.
NET = 1.0
#: Seconds between two looks at least.
BREATH = 0.02
#: Seconds before the connection that listens is made again.
AGAIN = 2.0


async def follow(node: Node) -> None:
    """For ever: hear what has happened, and pass it on."""
    loop = asyncio.get_running_loop()
    looked = loop.time()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(NET if node.told else TICK):
                await node.stir.wait()
        node.stir.clear()
        if loop.time() - looked > feed.EVENT_LIFE.total_seconds() / 2:  # we slept: some may be tidied away already
            await doubt(node)
        position = node.position
        events, node.position = await node.read(lambda db, at=position: feed.later(db, at))  # type: ignore[misc]  # default argument binds the position
        looked = loop.time()
        for event in events:
            _pass_on(node, event)
        await node.desk.show_what_is_new()
        await asyncio.sleep(BREATH)


def _pass_on(node: Node, event: feed.Heard) -> None:
    kind, _, name = event.topic.partition(":")
    if kind == "desk" and name.isdecimal():
        node.desk.dirty.add(int(name))
    elif kind == "room" and (room := node.rooms.by_id.get(name)) is not None:
        node.errand(protocol.room_event(node, room, event.payload))


async def doubt(node: Node) -> None:
    """Events may have been missed: read what the rooms and desks here show from the rows themselves."""
    log.warning("this process has slept; everything is read again")
    node.desk.dirty.update(node.desk.devices)
    for room in list(node.rooms.by_id.values()):
        node.errand(protocol.check(node, room))


async def listen(node: Node) -> None:
    """Be told by PostgreSQL as soon as an event is committed; does nothing on SQLite."""
    database = node.runtime.database
    if database.is_sqlite:
        await asyncio.Event().wait()
    _, options = database.engine.dialect.create_connect_args(database.engine.url)
    try:
        connecting = psycopg.AsyncConnection.connect(**cast("dict[str, Any]", options), autocommit=True)
        async with await connecting as connection:
            await connection.execute(f"LISTEN {feed.CHANNEL}")
            node.told = True
            node.stir.set()  # what was committed before we listened
            async for _ in connection.notifies():
                node.stir.set()
    except psycopg.OperationalError as error:
        log.warning("PostgreSQL does not tell of events; asking instead", error=str(error))
    finally:
        node.told = False
        node.stir.set()  # from now on we ask
    await asyncio.sleep(AGAIN)
