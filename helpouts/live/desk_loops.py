"""The loops of the desk: what changes with the time, who is still there, what is due."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as DbSession

from helpouts.instant import asking, driving, presence
from helpouts.instant import desk as rows
from helpouts.live import desk

if TYPE_CHECKING:
    from helpouts.live.node import Node

#: Seconds between two looks at what changes without an event.
LOOK_AGAIN = 5.0
#: Seconds between two looks for what is due.
DUE = 0.5


async def look_again(node: Node) -> None:
    """What changes with the time alone, without an event: the expected wait, and a ring that was not answered."""
    await asyncio.sleep(LOOK_AGAIN)
    place = node.desk
    here = list(place.devices)
    if not here:
        return
    people = await node.read(lambda db: rows.waiting(db, here))
    people |= {device.user_id for device in place.all() if '"until"' in device.sent}
    await place.show(people)


async def beat(node: Node) -> None:
    """Every ten seconds: drop the silent, and note everybody else in one statement each for experts and customers."""
    place = node.desk
    for _ in range(int(presence.BEAT.total_seconds())):
        await asyncio.sleep(1)
        gone, place.left = place.left, set()
        if gone:
            await node.write(lambda db, gone=gone: presence.goodbye(db, node.name, gone))  # type: ignore[misc]  # as above
    now = asyncio.get_running_loop().time()
    for device in place.all():
        if device.heard < now - desk.SILENCE:
            place.unseat(device, bye=False)
            node.spawn(desk._hang_up(device, 1001, b"silent"))
    people = list(place.devices)
    if people:
        await node.write(lambda db: _note(db, node.name, people))


def _note(db: DbSession, name: str, people: list[int]) -> None:
    presence.beat(db, name, people)
    asking.hear(db, *people)


async def drive(node: Node) -> None:
    """Twice a second: whatever is due (:mod:`helpouts.instant.driving`)."""
    await asyncio.sleep(DUE)
    if await node.read(driving.is_due):
        await node.write(driving.drive)
