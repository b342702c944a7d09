"""The desk: one WebSocket for each device of a signed-in person who is available, or who waits for help right now.

Browser to server::

    {"type": "hello", "ticket": ...}   first message, within 10 s
    {"type": "ping"}                   every 15 s; silence for 40 s ends the device
    {"type": "bye"}                    the page is left

Server to browser: ``pong``, and ``state`` (:func:`helpouts.instant.desk.states`) on entering and whenever it differs
from what the device was told last.  Nothing is decided here: answers go to the web process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import WSMsgType, web
from sqlalchemy.orm import Session as DbSession

from helpouts.instant import desk as rows
from helpouts.instant import presence, tickets

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
HELLO_SECONDS = 10
#: A device that has been silent for longer is taken for dead.
SILENCE = 40.0
#: People let in by one transaction, and how long the first of them waits for the others.
BATCH, GATHER = 250, 0.02
#: Devices of one person; the oldest gives way.
MOST_DEVICES = 20


@dataclass(eq=False, slots=True)
class Device:
    """One page of one browser.  ``heard`` is the event loop's time; ``sent`` is what it was told last."""

    socket: web.WebSocketResponse
    user_id: int
    heard: float
    sent: str = ""

    async def show(self, state: dict[str, Any]) -> None:
        """Tell the device, unless it has been told the same already."""
        text = json.dumps({**state, "rings": [{**ring, "now": 0} for ring in state["rings"]]}, sort_keys=True)
        if text != self.sent:
            self.sent = text
            await self.say(json.dumps(state))

    async def say(self, text: str) -> None:
        """Send; a device that is gone or hangs is dropped by its silence."""
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            await asyncio.wait_for(self.socket.send_str(text), 5)


class Desk:
    """The devices of this live process."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.devices: dict[int, list[Device]] = {}
        #: people to whom something may have happened, or who have just come in
        self.dirty: set[int] = set()
        #: people whose last device here has said goodbye
        self.left: set[int] = set()
        self._knocking: list[tuple[str, asyncio.Future[tuple[int, dict[str, Any]] | None]]] = []
        self._porter: asyncio.Task[None] | None = None

    # -- the way in ------------------------------------------------------------------------------------------

    async def enter(self, ticket: str) -> tuple[int, dict[str, Any]] | None:
        """(user id, state) for a valid ticket; those who come together are let in by one transaction."""
        if not ticket:
            return None
        future: asyncio.Future[tuple[int, dict[str, Any]] | None] = asyncio.get_running_loop().create_future()
        self._knocking.append((ticket, future))
        if self._porter is None:
            self._porter = self.node.spawn(self._admit())
        return await future

    async def _admit(self) -> None:
        while self._knocking:
            await asyncio.sleep(GATHER)
            batch, self._knocking = self._knocking[:BATCH], self._knocking[BATCH:]
            try:
                users, states = await self.node.write(lambda db, b=batch: self._redeem(db, [ticket for ticket, _ in b]))  # type: ignore[misc]  # default argument binds the batch
                answers = [(users[t], states[users[t]]) if t in users else None for t, _ in batch]
            except Exception:
                log.exception("people could not come to their desks")
                answers = [None] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        self._porter = None

    def _redeem(self, db: DbSession, given: list[str]) -> tuple[dict[str, int], dict[int, dict[str, Any]]]:
        users = tickets.redeem(db, given)
        people = set(users.values())
        if people:
            presence.beat(db, self.node.name, people)
        return users, rows.states(db, people)

    # -- devices ---------------------------------------------------------------------------------------------

    def seat(self, device: Device) -> None:
        """The device is here now; what has happened since its state was read is looked at once more."""
        mine = self.devices.setdefault(device.user_id, [])
        mine.append(device)
        self.left.discard(device.user_id)
        self.dirty.add(device.user_id)
        self.node.stir.set()
        if len(mine) > MOST_DEVICES:
            self.node.spawn(_hang_up(mine.pop(0), 1008, b"too many devices"))

    def unseat(self, device: Device, *, bye: bool) -> None:
        """The device is gone; ``bye`` when it said so itself."""
        mine = self.devices.get(device.user_id, [])
        if device in mine:
            mine.remove(device)
        if not mine and self.devices.pop(device.user_id, None) is not None and bye:
            self.left.add(device.user_id)

    def all(self) -> list[Device]:
        """Every device."""
        return [device for mine in self.devices.values() for device in mine]

    async def show(self, user_ids: Iterable[int]) -> None:
        """Read what these people's devices show, and tell those that show something else."""
        here = [user_id for user_id in user_ids if user_id in self.devices]
        if not here:
            return
        states = await self.node.read(lambda db: rows.states(db, here))
        told = [device.show(states[user_id]) for user_id in here for device in self.devices.get(user_id, ())]
        await asyncio.gather(*told)

    async def show_what_is_new(self) -> None:
        """To everybody to whom something may have happened; whom we could not look up is looked up again."""
        people, self.dirty = self.dirty, set()
        try:
            await self.show(people)
        except Exception:
            self.dirty |= people
            raise

    async def say_goodbye(self) -> None:
        """This process ends: the browsers come back to the next one; nobody's presence is cut short."""
        devices = self.all()
        self.devices.clear()
        await asyncio.gather(*(_hang_up(device, 1012, b"restarting") for device in devices))


async def _hang_up(device: Device, code: int, message: bytes) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
        await device.socket.close(code=code, message=message)


async def serve(node: Node, request: web.Request) -> web.WebSocketResponse:
    """One device, from hello to the end."""
    socket = web.WebSocketResponse(timeout=2, max_msg_size=1024, compress=False)
    await socket.prepare(request)
    entered = await node.desk.enter(await _hello(socket))
    if entered is None:
        await socket.close(code=1008, message=b"no valid ticket")
        return socket
    user_id, state = entered
    clock = asyncio.get_running_loop()
    device = Device(socket, user_id, clock.time())
    bye = False
    node.desk.seat(device)
    try:
        await device.show(state)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            device.heard = clock.time()
            if '"bye"' in message.data:
                bye = True
                break
            await device.say('{"type":"pong"}')
    finally:
        node.desk.unseat(device, bye=bye)
    await _hang_up(device, 1000, b"")
    return socket


async def _hello(socket: web.WebSocketResponse) -> str:
    """The ticket; "" when none comes in time."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            first = await socket.receive()
        return str(json.loads(first.data)["ticket"]) if first.type is WSMsgType.TEXT else ""
    except (TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        return ""
