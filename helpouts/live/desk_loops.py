"""The loops of the desk: what has happened, who is still there, what is due."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from helpouts.instant import asking, driving, presence
from helpouts.instant import desk as rows
from helpouts.live import desk
from helpouts.sessions.models import LiveEvent

if TYPE_CHECKING:
    from helpouts.live.node import Node

#: Seconds between two looks at the events: half of it is what a ring waits on average.
TICK = 0.1
#: Every so many looks the rows themselves are read: they tell the truth when an event was missed.
TRUTH = 20
#: Seconds between two looks for what is due.
DUE = 0.5


async def follow(node: Node) -> None:
    """Ten times a second: tell the devices of those to whom something has happened."""
    place = node.desk
    looked = 0
    seq = await node.read(_newest)
    while True:
        await asyncio.sleep(TICK)
        looked += 1
        people, place.dirty = place.dirty, set()
        after = seq
        events = await node.read(lambda db, after=after: _events(db, after))  # type: ignore[misc]  # default argument binds the number
        for seq, topic in events:  # noqa: B007  # the last one is where the next look begins
            kind, _, name = topic.partition(":")
            if kind == "desk":
                people.add(int(name))
        if looked % TRUTH == 0 and place.devices:
            here = list(place.devices)
            people |= await node.read(lambda db, here=here: rows.concerned(db, here))  # type: ignore[misc]  # as above
            people |= {device.user_id for device in place.all() if '"until"' in device.sent}
        await place.show(people)


def _newest(db: DbSession) -> int:
    return db.scalar(select(LiveEvent.seq).order_by(LiveEvent.seq.desc()).limit(1)) or 0


def _events(db: DbSession, after: int) -> list[tuple[int, str]]:
    query = select(LiveEvent.seq, LiveEvent.topic).where(LiveEvent.seq > after).order_by(LiveEvent.seq).limit(1000)
    return [(row.seq, row.topic) for row in db.execute(query)]


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
