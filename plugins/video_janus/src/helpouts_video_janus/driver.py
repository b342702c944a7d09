"""The running side: which call is on which server, and who may say what to it.

A call is bound to a server when it is opened.  When the server is lost, the browsers are told, ask for a new grant,
and the call goes on where a server works.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import structlog

from helpouts.sessions import JoinGrant, MediaRoom, TransportContext, TransportError
from helpouts_video_janus.api import Refused, Server
from helpouts_video_janus.pool import Pool
from helpouts_video_janus.room import KINDS, Place, Seat

Json = dict[str, Any]
log = structlog.get_logger("helpouts.video_janus")
#: Characters of a session description; browsers write about 8,000.
LONGEST_SDP = 50_000


class JanusDriver:
    """A :class:`helpouts.sessions.TransportDriver` over Janus's VideoRoom plugin."""

    def __init__(self, context: TransportContext) -> None:
        self._context = context
        self._pool = Pool(context.settings, self._lost)
        self._places: dict[str, Place] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._errands: set[asyncio.Future[None]] = set()
        self._moved = self._dropped = 0

    async def open_room(self, room_id: str) -> Json:
        """A room on the least loaded server that works.

        :raises TransportError: there is none.
        """
        await self._place(room_id)
        return {}

    async def _place(self, room_id: str) -> Place:
        async with self._locks.setdefault(room_id, asyncio.Lock()):
            place = self._places.get(room_id)
            if place is None or not place.server.up:
                load = Counter(place.server.url for place in self._places.values())

                async def send(participant: str, message: Json) -> None:
                    await self._context.send(room_id, participant, message)

                fresh = Place(await self._pool.choose(load), send)
                await fresh.open(self._context.settings())
                self._moved += place is not None
                place = self._places[room_id] = fresh
            return place

    async def admit(self, room: MediaRoom, participant_id: str, name: str) -> JoinGrant:
        """A seat; the browser publishes next.  Whoever had the seat before loses it.

        :raises TransportError: no server works.
        """
        place = await self._place(room.id)
        await place.leave(participant_id)
        place.seats[participant_id] = Seat(participant_id)
        servers = [{"urls": list(self._context.settings()["ice_urls"])}] if self._context.settings()["ice_urls"] else []
        return JoinGrant({"id": secrets.token_urlsafe(12), "iceServers": servers, "kinds": list(KINDS)})

    async def on_signal(self, room: MediaRoom, participant_id: str, message: Json) -> None:
        """What a browser says: to its own handles on the server, or to the other side."""
        place = self._places.get(room.id)
        if place is None or participant_id not in place.seats:
            self._dropped += 1
            return
        try:
            match message:
                case {"publish": str(sdp)} if len(sdp) <= LONGEST_SDP:
                    await place.publish(participant_id, sdp)
                case {"answer": str(sdp)} if len(sdp) <= LONGEST_SDP:
                    await place.answer(participant_id, sdp)
                case {"again": True}:
                    await place.watch_again(participant_id)
                case {"candidate": dict() | None as candidate, "of": "publish" | "watch" as what}:
                    await place.trickle(participant_id, what, _candidate(candidate))
                case {"sending": list(kinds)} if set(map(str, kinds)) <= set(KINDS):
                    await self._tell_others(room.id, place, participant_id, {"sending": kinds})
                case {"hello": True}:
                    await self._tell_others(room.id, place, participant_id, {"hello": True})
                case _:
                    self._dropped += 1
        except Refused as error:
            log.warning("Janus refuses", server=place.server.url, error=str(error))
            await self._context.send(room.id, participant_id, {"gone": True})
        except TransportError as error:
            log.warning("Janus was lost while a browser spoke", server=place.server.url, error=str(error))

    async def _tell_others(self, room_id: str, place: Place, participant_id: str, message: Json) -> None:
        for other in [name for name in place.seats if name != participant_id]:
            await self._context.send(room_id, other, message)

    async def dismiss(self, room: MediaRoom, participant_id: str) -> None:
        """Their handles are let go; the room stays for the other."""
        place = self._places.get(room.id)
        if place is not None:
            await place.leave(participant_id)

    async def close_room(self, room: MediaRoom) -> None:
        """The room is thrown away."""
        self._locks.pop(room.id, None)
        place = self._places.pop(room.id, None)
        if place is not None:
            await place.close()

    def _lost(self, server: Server) -> None:
        for room_id, place in self._places.items():
            if place.server is server:
                for participant in place.seats:
                    self._spawn(self._context.send(room_id, participant, {"gone": True}))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def statistics(self) -> Json:
        """Rooms, seats, servers that work, rooms that had to move, messages that nobody understood."""
        return {
            "rooms": len(self._places),
            "legs": sum(len(place.seats) for place in self._places.values()),
            "servers": self._pool.up,
            "moved": self._moved,
            "dropped": self._dropped,
        }

    async def stop(self) -> None:
        """The rooms die with the sessions on the servers."""
        places, self._places = list(self._places.values()), {}
        await asyncio.gather(*(place.close() for place in places))
        await self._pool.close()
        await asyncio.gather(*self._errands, return_exceptions=True)


def _candidate(candidate: Json | None) -> Json | None:
    """What Janus needs of a candidate, as plain values (W3C webrtc-pc, RTCIceCandidateInit)."""
    if not candidate:
        return None
    return {
        "candidate": str(candidate.get("candidate", ""))[:1000],
        "sdpMid": str(candidate.get("sdpMid", ""))[:20],
        "sdpMLineIndex": candidate.get("sdpMLineIndex") if type(candidate.get("sdpMLineIndex")) is int else 0,
    }
