"""The running relay: rooms, grants and legs of one live process."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpouts.sessions.transport import (
    JoinGrant,
    Json,
    MediaRoom,
    Sink,
    TransportContext,
    TransportError,
    TransportFull,
)
from helpouts_video_aiortc import EVERYWHERE, opening, private
from helpouts_video_aiortc.leg import Leg
from helpouts_video_aiortc.recording import Taps
from helpouts_video_aiortc.room import SEATS, Room
from helpouts_video_aiortc.slots import KINDS
from helpouts_video_aiortc.tcp import Streams

log = logging.getLogger(__name__)

GRANT_SECONDS = 60
UNANSWERED_SECONDS = 30.0
"""After this a leg is over whose browser has never been heard."""
SILENCE_SECONDS = 60.0
"""After this much without a check a leg is over.  RFC 7675 says 30 s; outages of 40 s are to be survived."""
CHECK_SECONDS = 30.0  # of somebody's network; a page needs ten
SWEEP_SECONDS = 2.0
RETRY_SECONDS = 5


class UnknownGrant(Exception):
    """The token was never issued, is used up, or has expired."""


@dataclass(frozen=True, slots=True)
class _Grant:
    room: str
    participant: str
    expires: float
    loop: bool = False


class RelayDriver:
    """Implements :class:`helpouts.sessions.transport.TransportDriver`; made by :func:`start`."""

    def __init__(self, context: TransportContext, clock: Callable[[], float]) -> None:
        settings = context.settings()
        self._context = context
        self._clock = clock
        self._certificate = private.Certificate()
        self._bind = str(settings.get("bind") or EVERYWHERE)
        self._port = opening.open_port(self._bind, int(settings.get("port", 0)), clock)
        self._streams: Streams | None = None
        self._rooms: dict[str, Room] = {}
        self._taps = Taps(clock)
        self._grants: dict[bytes, _Grant] = {}
        self._legs: dict[str, tuple[Room, Leg]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep_forever())

    @property
    def url(self) -> str:
        """Where browsers join; the legs are below."""
        return f"{self._context.public_base}/x/video_aiortc/legs"

    @property
    def port(self) -> int:
        """The UDP port number of all calls."""
        return self._port.number

    async def listen(self) -> None:
        """Take TCP connections as well.

        :raises TransportError: when the number is taken.
        """
        wanted = int(self._context.settings().get("port", 0))
        self._port, self._streams = await opening.open_streams(self._port, self._bind, wanted, self._clock)

    # -- the contract ----------------------------------------------------------------------------------------

    async def open_room(self, room_id: str) -> Json:
        """Nothing is held for an empty room; the answer names the node that the room lives on."""
        return {"node": self._context.node}

    async def admit(self, room: MediaRoom, participant_id: str, name: str) -> JoinGrant:
        """A token for one leg, 256 random bits, kept hashed; a grant that was not used yet is replaced.

        :raises TransportFull: when ``max_calls`` calls are running, or the room has two other participants.
        """
        self._check_capacity(room.id)
        self._check_seats(room.id, participant_id)
        self._withdraw(room.id, participant_id)
        return JoinGrant(self._grant(_Grant(room.id, participant_id, self._clock() + GRANT_SECONDS)), GRANT_SECONDS)

    async def check(self) -> Json:
        """A token for a leg that leads back (:class:`helpouts.sessions.CheckingDriver`); as many as calls may be."""
        now = self._clock()
        waiting = sum(grant.loop and grant.expires > now for grant in self._grants.values())
        if waiting + sum(room.loop for room, _leg in self._legs.values()) >= self._limit:
            raise TransportFull("too many people are checking their network", RETRY_SECONDS)
        return self._grant(_Grant("", "", now + GRANT_SECONDS, loop=True))

    async def on_signal(self, room: MediaRoom, participant_id: str, message: Json) -> None:
        """``{"sending": [kinds]}`` is remembered and told to the other side; ``{"hello": true}`` asks for theirs.

        Browsers also get ``{"ready": true}`` when both connections stand, and ``{"negotiate": true}`` when they are to
        answer another offer because the other side shows other codecs.
        """
        here = self._rooms.get(room.id)
        if here is None or participant_id not in here.legs:
            return
        sending = message.get("sending")
        others = [other for other in here.legs if other != participant_id]
        if isinstance(sending, list):
            kinds = sorted({kind for kind in sending if isinstance(kind, str)} & KINDS)
            here.sending[participant_id] = kinds
            for other in others:
                await self._context.send(room.id, other, {"sending": kinds})
        if message.get("hello"):
            if here.legs[participant_id] in here.agree():
                await self._context.send(room.id, participant_id, {"negotiate": True})
            if here.ready:
                await self._context.send(room.id, participant_id, {"ready": True})
            for other in others:
                if other in here.sending:
                    await self._context.send(room.id, participant_id, {"sending": here.sending[other]})

    async def dismiss(self, room: MediaRoom, participant_id: str) -> None:
        """Close the participant's leg and withdraw an unused grant."""
        self._withdraw(room.id, participant_id)
        here = self._rooms.get(room.id)
        leg = here.legs.get(participant_id) if here is not None else None
        if leg is not None:
            await self.drop(leg)

    async def close_room(self, room: MediaRoom) -> None:
        """Close both legs and withdraw all grants."""
        self._taps.close(room.id)
        self._grants = {key: grant for key, grant in self._grants.items() if grant.room != room.id}
        for leg in self._legs_of(room.id):
            await self.drop(leg)

    async def start_recording(self, room: MediaRoom, sink: Sink) -> None:
        """Tap the legs that are there; those to come are tapped when they are made."""
        self._taps.open(room.id, self._legs_of(room.id), sink)

    async def stop_recording(self, room: MediaRoom) -> None:
        """Take the taps away."""
        self._taps.close(room.id, self._legs_of(room.id))

    def _legs_of(self, room_id: str) -> list[Leg]:
        here = self._rooms.get(room_id)
        return list(here.legs.values()) if here is not None else []

    def statistics(self) -> Json:
        """Gauges ``rooms``, ``legs``, ``connected``, ``grants``, ``tcp_connections``; counters by cause."""
        counters: dict[str, Any] = dict(self._port.counters)
        connected = sum(leg.connected for _room, leg in self._legs.values())
        return counters | {
            "rooms": len(self._rooms), "legs": len(self._legs), "connected": connected, "grants": len(self._grants),
            "tcp_connections": len(self._streams) if self._streams is not None else 0,
        }  # fmt: skip

    async def stop(self) -> None:
        """Close everything and release the port; idempotent."""
        global _running
        if _running is self:
            _running = None
        self._sweeper.cancel()
        for _room, leg in list(self._legs.values()):
            await self.drop(leg)
        await asyncio.gather(self._sweeper, *self._tasks, return_exceptions=True)
        self._grants.clear()
        if self._streams is not None:
            await self._streams.close()
        self._port.close()

    # -- for the signalling ----------------------------------------------------------------------------------

    async def redeem(self, token: str) -> Leg:
        """Use up a grant and make its leg, in place of an earlier one of the participant.

        :raises UnknownGrant: nothing was changed.
        :raises TransportFull: nothing was changed, the grant can be used again.
        """
        key = _hash(token)
        grant = self._grants.get(key)
        if grant is None or grant.expires <= self._clock():
            raise UnknownGrant
        if not grant.loop:
            self._check_capacity(grant.room)
        del self._grants[key]
        room = Room("", loop=True) if grant.loop else self._rooms.setdefault(grant.room, Room(grant.room))
        leg = Leg(grant.participant, self._port, self._certificate.current(), self._clock, self._leg_changed)
        self._legs[leg.id] = (room, leg)
        room.sending.pop(leg.participant, None)
        self._taps.add(grant.room, leg)
        earlier = room.seat(leg)
        if earlier is not None:
            self._legs.pop(earlier.id, None)
            await earlier.close()
        return leg

    def leg(self, leg_id: str) -> Leg | None:
        """The leg of that id, while it lives."""
        entry = self._legs.get(leg_id)
        return entry[1] if entry is not None else None

    def offer(self, leg: Leg) -> str:
        """The canonical offer for a leg, with the addresses as the settings have them now."""
        addresses = opening.addresses(str(self._context.settings().get("public_ip", "")), self._bind)
        return leg.offer([(address, self._port.number) for address in addresses], tcp=self._streams is not None)

    async def settle(self, leg: Leg) -> None:
        """A leg has been answered: ask for another round where the codecs do not suit both, else go on."""
        entry = self._legs.get(leg.id)
        if entry is not None:
            for other in entry[0].agree():
                await self._context.send(entry[0].id, other.participant, {"negotiate": True})
        await self._announce(leg)

    async def drop(self, leg: Leg) -> None:
        """End a leg; the other one stays and is paired with whoever comes back.  Idempotent."""
        entry = self._legs.pop(leg.id, None)
        if entry is not None:
            room = entry[0]
            room.unseat(leg)
            if not room.legs and not room.loop:
                self._rooms.pop(room.id, None)
        await leg.close()

    # -- inside ----------------------------------------------------------------------------------------------

    @property
    def _limit(self) -> int:
        return int(self._context.settings().get("max_calls", 100))

    def _grant(self, grant: _Grant) -> Json:
        token = secrets.token_urlsafe(32)
        self._grants[_hash(token)] = grant
        return {"url": self.url, "token": token}

    def _check_capacity(self, room_id: str) -> None:
        if room_id not in self._rooms and len(self._rooms) >= self._limit:
            raise TransportFull(
                f"the relay carries {self._limit} calls already: raise max_calls or add a node", RETRY_SECONDS
            )

    def _check_seats(self, room_id: str, participant: str) -> None:
        room = self._rooms.get(room_id)
        seated = set(room.legs) if room is not None else set()
        now = self._clock()
        waiting = {g.participant for g in self._grants.values() if g.room == room_id and g.expires > now}
        if len((seated | waiting) - {participant}) >= SEATS:
            raise TransportFull("the room has two participants, the relay carries calls between two", RETRY_SECONDS)

    def _withdraw(self, room_id: str, participant: str) -> None:
        for key, grant in list(self._grants.items()):
            if grant.room == room_id and grant.participant == participant:
                del self._grants[key]

    def _leg_changed(self, leg: Leg) -> None:
        if leg.connected and leg.peer is not None:
            leg.peer.request_keyframes()
        task = asyncio.get_running_loop().create_task(self._announce(leg) if leg.connected else self.drop(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _announce(self, leg: Leg) -> None:
        """Tell both that the way stands.  What is sent earlier is lost, the first keyframe and probes included."""
        entry = self._legs.get(leg.id)
        if entry is not None and entry[0].ready:
            for participant in list(entry[0].legs):
                await self._context.send(entry[0].id, participant, {"ready": True})

    async def sweep(self) -> None:
        """End what has fallen silent and forget expired grants; done every :data:`SWEEP_SECONDS`."""
        now = self._clock()
        self._grants = {key: grant for key, grant in self._grants.items() if grant.expires > now}
        for room, leg in list(self._legs.values()):
            leg.refill()
            limit = SILENCE_SECONDS if leg.connected else UNANSWERED_SECONDS
            if now - leg.heard > limit or (room.loop and now - leg.made > CHECK_SECONDS):
                await self.drop(leg)
        if self._streams is not None:
            self._streams.sweep()

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                # One leg that does not close properly must not keep the others alive.
                log.exception("a leg did not close properly")


_running: RelayDriver | None = None


def running() -> RelayDriver | None:
    """The driver of this live process, None before :func:`start` and after its ``stop``."""
    return _running


async def start(context: TransportContext) -> RelayDriver:
    """Open the UDP port and begin; there is one driver per process.

    :raises ConfigurationError: when untested releases of the media libraries are installed.
    :raises TransportError: when the port is taken or an address in the settings is none.
    """
    global _running
    private.check_versions()
    opening.addresses(str(context.settings().get("public_ip", "")), EVERYWHERE)
    driver = RelayDriver(context, asyncio.get_running_loop().time)
    if context.settings().get("tcp", True):
        try:
            await driver.listen()
        except TransportError:
            await driver.stop()
            raise
    _running = driver
    return driver


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
