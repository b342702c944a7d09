"""An upgrade that ends no call: this process takes no new rooms any more, and ends when the last one is over.

``helpouts live drain NODE``, the console, or SIGTERM with the option ``drain_on_stop`` begin it.  Rooms in which
somebody is or was a moment ago stay; all others are placed elsewhere by the next ticket.  What is still here after
``drain_minutes`` is sent to another process like the rooms of one that died: back in a second or two.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from helpouts.audit.actor import SYSTEM
from helpouts.sessions import nodes

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
#: Seconds between two looks at whether it is time.
LOOK = 0.25


async def drain(node: Node) -> None:
    """For ever: wait until this process is to be drained, then until nobody is here or the time is over."""
    while not node.draining:
        await asyncio.sleep(LOOK)
    loop = asyncio.get_running_loop()
    end = loop.time() + 60 * node.runtime.config.drain_minutes
    log.info("drained: no new rooms, waiting for the calls to end", node=node.name, rooms=len(node.rooms.by_id))
    await node.desk.say_goodbye()  # nothing is lost by it: the devices go to another process at once
    while node.draining and not node.rooms.idle and loop.time() < end:
        await asyncio.sleep(LOOK)
    if not node.draining:
        log.info("the drain was called off", node=node.name)
        return
    log.info("drained: this process ends", node=node.name, rooms=len(node.rooms.by_id))
    node.end_process()
    await asyncio.sleep(3600)  # the end cancels this


async def begin(node: Node) -> None:
    """Have this very process drained."""
    await node.write(lambda db: nodes.set_draining(db, node.name, True, SYSTEM, even_the_last=True))
