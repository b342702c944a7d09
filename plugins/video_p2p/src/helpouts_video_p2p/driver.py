"""The running side: who is in which room, and messages from one browser to the other.

Nothing of the media passes here.  What a browser may say is listed in :data:`SHAPES`; anything else is dropped, and
so is what comes faster than :data:`RATE`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from helpouts.clock import clock
from helpouts.sessions import JoinGrant, MediaRoom, TransportContext, TransportError
from helpouts_video_p2p.ice import faults, servers

Json = dict[str, Any]
#: Characters of a session description; browsers write about 8,000 with three slots.
LONGEST_SDP = 50_000
#: Messages that a participant may send at once, and how many more each second.
BURST, RATE = 200, 20


def _text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most


def _description(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in ("offer", "answer") and _text(LONGEST_SDP)(value.get("sdp"))


def _candidate(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and len(value) <= 8 and all(map(_scalar, value.values())))


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int)) or _text(1000)(value)


def _kinds(value: Any) -> bool:
    return isinstance(value, list) and set(map(str, value)) <= {"audio", "video", "screen"} and len(value) <= 3


#: What a message may hold, by key.
SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "from": _text(40),
    "to": _text(40),
    "hello": lambda value: value is True,
    "description": _description,
    "round": lambda value: type(value) is int and 0 <= value < 1_000_000,
    "candidate": _candidate,
    "restart": lambda value: value is True,
    "sending": _kinds,
}


@dataclass
class Seat:
    """One participant; ``allowance`` is how many messages they may send at this moment."""

    allowance: float = BURST
    asked_at: float = field(default_factory=lambda: time.monotonic())

    def may_speak(self) -> bool:
        """Whether one more message is within the rate (a token bucket); counts it."""
        now = time.monotonic()
        self.allowance = min(BURST, self.allowance + (now - self.asked_at) * RATE)
        self.asked_at = now
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True


class PeerDriver:
    """A :class:`helpouts.sessions.TransportDriver` whose rooms are lists of names."""

    def __init__(self, context: TransportContext) -> None:
        self._context = context
        self._rooms: dict[str, dict[str, Seat]] = {}
        self._carried = self._dropped = 0

    async def open_room(self, room_id: str) -> Json:
        """There is nothing to prepare."""
        self._rooms.setdefault(room_id, {})
        return {}

    async def admit(self, room: MediaRoom, participant_id: str, name: str) -> JoinGrant:
        """A name for this connection, the servers to use, and fresh passwords for them.

        :raises TransportError: when the settings cannot work.
        """
        settings = self._context.settings()
        wrong = faults(settings)
        if wrong:
            raise TransportError(f"no address of a STUN or TURN server: {', '.join(wrong)}")
        self._rooms.setdefault(room.id, {})[participant_id] = Seat()
        instance = secrets.token_urlsafe(12)
        config = {
            "id": instance,
            "iceServers": servers(settings, instance, clock.now()),
            "iceTransportPolicy": "relay" if settings["relay_only"] else "all",
        }
        return JoinGrant(config)

    async def check(self) -> Json:
        """The TURN servers with fresh passwords, and no other way: the check goes through them and back."""
        settings = self._context.settings()
        known = [] if faults(settings) else servers(settings, secrets.token_urlsafe(12), clock.now())
        relays = [server for server in known if "username" in server]
        return {"iceServers": relays, "iceTransportPolicy": "relay"}

    async def on_signal(self, room: MediaRoom, participant_id: str, message: Json) -> None:
        """To the other side of the room, when it has the shape of one of ours."""
        seats = self._rooms.get(room.id, {})
        seat = seats.get(participant_id)
        if seat is None or not seat.may_speak() or not _is_ours(message):
            self._dropped += 1
            return
        for other in [name for name in seats if name != participant_id]:
            self._carried += 1
            await self._context.send(room.id, other, message)

    async def dismiss(self, room: MediaRoom, participant_id: str) -> None:
        """The name is taken from the list."""
        self._rooms.get(room.id, {}).pop(participant_id, None)

    async def close_room(self, room: MediaRoom) -> None:
        """The list is thrown away."""
        self._rooms.pop(room.id, None)

    def statistics(self) -> Json:
        """Rooms, participants, messages carried and dropped."""
        legs = sum(map(len, self._rooms.values()))
        return {"rooms": len(self._rooms), "legs": legs, "messages": self._carried, "dropped": self._dropped}

    async def stop(self) -> None:
        """Nothing is held but names."""
        self._rooms.clear()


def _is_ours(message: Json) -> bool:
    return bool(message) and all(key in SHAPES and SHAPES[key](value) for key, value in message.items())


async def start(context: TransportContext) -> PeerDriver:
    """The driver of one live process."""
    return PeerDriver(context)
