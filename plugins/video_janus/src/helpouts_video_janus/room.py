"""A call on a Janus server: a VideoRoom for two, with a publisher and a subscriber of each.

To the browser, besides what the other side says: ``{"answer": sdp}`` for what it publishes, ``{"offer": sdp, "of":
number, "kinds": {mid: kind}}`` for what it watches, ``{"gone": true}`` when it must begin anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from helpouts.sessions import TransportError
from helpouts_video_janus.api import Handle, Server

Json = dict[str, Any]
Send = Callable[[str, Json], Awaitable[None]]
KINDS = ("audio", "video", "screen")


@dataclass
class Seat:
    """One participant: what they send, and what they see of the other."""

    participant: str
    publisher: Handle | None = None
    subscriber: Handle | None = None
    watched: int | None = None
    private: int | None = None
    #: held while it is decided what this person watches
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Place:
    """A room on one server."""

    def __init__(self, server: Server, send: Send) -> None:
        self.server = server
        self._send = send
        self._number = secrets.randbelow(2**52) + 1
        self._pin, self._secret = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._keeper: Handle | None = None
        self.seats: dict[str, Seat] = {}

    async def open(self, settings: Mapping[str, Any]) -> None:
        """Make the room (VideoRoom "create").

        :raises TransportError: the server does not want to.
        """
        self._keeper = await self.server.attach()
        body = {
            "request": "create",
            "room": self._number,
            "pin": self._pin,
            "secret": self._secret,
            "is_private": True,
            "permanent": False,
            "publishers": 2,
            "audiocodec": "opus",
            "videocodec": "vp8",
            "opus_fec": True,
            "bitrate": settings["bitrate"] * 1000,
            "transport_wide_cc_ext": True,
            "notify_joining": False,
        }
        if settings["admin_key"]:
            body["admin_key"] = settings["admin_key"]
        await self._keeper.ask(body)

    async def close(self) -> None:
        """Throw everybody out and the room away; nothing is raised."""
        for name in list(self.seats):
            await self.leave(name)
        if self._keeper is not None:
            with contextlib.suppress(TransportError):
                await self._keeper.ask({"request": "destroy", "room": self._number, "secret": self._secret})
            await self._keeper.detach()

    async def leave(self, participant: str) -> None:
        """Free what somebody had."""
        seat = self.seats.pop(participant, None)
        for handle in (seat.publisher, seat.subscriber) if seat else ():
            if handle is not None:
                await handle.detach()

    async def publish(self, participant: str, sdp: str) -> None:
        """The browser offers what it sends, for the first time or on another path (a restart of ICE)."""
        seat = self.seats[participant]
        async with seat.changing:
            await self._publish(seat, {"type": "offer", "sdp": sdp})

    async def _publish(self, seat: Seat, offer: Json) -> None:
        streams = [{"mid": str(index), "description": kind} for index, kind in enumerate(KINDS)]
        if seat.publisher is None:
            seat.publisher = await self.server.attach(lambda message: self._published(seat, message))
            join = {"request": "joinandconfigure", "ptype": "publisher", "room": self._number, "pin": self._pin}
            data, jsep = await seat.publisher.ask({**join, "descriptions": streams}, offer)
            seat.private = data.get("private_id")
        else:
            data, jsep = await seat.publisher.ask({"request": "configure"}, offer)
        if jsep is not None:
            await self._send(seat.participant, {"answer": jsep["sdp"]})
        await self._see(seat, data)

    async def answer(self, participant: str, sdp: str) -> None:
        """The browser takes what it was offered to watch."""
        subscriber = self.seats[participant].subscriber
        if subscriber is not None:
            await subscriber.ask({"request": "start"}, {"type": "answer", "sdp": sdp})

    async def watch_again(self, participant: str) -> None:
        """A new path for what the browser watches."""
        seat = self.seats[participant]
        if seat.subscriber is not None:
            data, jsep = await seat.subscriber.ask({"request": "configure", "restart": True})
            await self._offer(seat, data, jsep)

    async def trickle(self, participant: str, what: str, candidate: Mapping[str, Any] | None) -> None:
        """A candidate of the browser for what it sends ("publish") or watches."""
        seat = self.seats[participant]
        handle = seat.publisher if what == "publish" else seat.subscriber
        if handle is not None:
            await handle.trickle(candidate)

    async def _published(self, seat: Seat, message: Json) -> None:
        """What a publisher's handle says unasked: the other side came or went, or the path was given up."""
        if message.get("janus") in ("hangup", "detached"):
            await self._send(seat.participant, {"gone": True})
        elif message.get("janus") == "event":
            async with seat.changing:
                await self._see(seat, message.get("plugindata", {}).get("data", {}))

    async def _see(self, seat: Seat, data: Json) -> None:
        left = data.get("unpublished", data.get("leaving"))
        if left is not None and left == seat.watched and seat.subscriber is not None:
            handle, seat.subscriber, seat.watched = seat.subscriber, None, None
            await handle.detach()
        for publisher in data.get("publishers") or ():
            if publisher["id"] != seat.watched:
                await self._watch(seat, publisher["id"])

    async def _watch(self, seat: Seat, feed: int) -> None:
        if seat.subscriber is not None:
            await seat.subscriber.detach()
        seat.subscriber, seat.watched = await self.server.attach(lambda message: self._watched(seat, message)), feed
        join = {"request": "join", "ptype": "subscriber", "room": self._number, "pin": self._pin}
        data, jsep = await seat.subscriber.ask({**join, "streams": [{"feed": feed}], "private_id": seat.private})
        await self._offer(seat, data, jsep)

    async def _watched(self, seat: Seat, message: Json) -> None:
        """What a subscriber's handle says unasked: an offer, because what it watches has changed."""
        if message.get("janus") == "event" and message.get("jsep"):
            await self._offer(seat, message.get("plugindata", {}).get("data", {}), message["jsep"])

    async def _offer(self, seat: Seat, data: Json, jsep: Json | None) -> None:
        if jsep is None or seat.subscriber is None:
            return
        kinds = {stream["mid"]: stream.get("feed_description") for stream in data.get("streams") or ()}
        offer = {"offer": jsep["sdp"], "of": seat.subscriber.number, "kinds": kinds}
        await self._send(seat.participant, offer)
