"""``python -m benchmarks.media.stock_server HOST``: a call as aiortc's own examples make it, over MediaRelay.

Each side has a RTCPeerConnection here; what it sends is decoded, and encoded again for the other.  Prints its URL.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay


class Room:
    """Two connections, and the tracks that each brought."""

    def __init__(self) -> None:
        self.relay = MediaRelay()
        self.ends: list[tuple[RTCPeerConnection, dict[str, Any]]] = []

    def cross(self) -> None:
        (one, ones), (other, others) = self.ends
        for connection, tracks in ((one, others), (other, ones)):
            for transceiver in connection.getTransceivers():
                transceiver.sender.replaceTrack(self.relay.subscribe(tracks[transceiver.kind]))


async def serve(host: str) -> None:
    rooms: dict[str, Room] = {}

    async def join(request: web.Request) -> web.Response:
        room = rooms.setdefault(request.match_info["room"], Room())
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        tracks: dict[str, Any] = {}
        connection.on("track", lambda track: tracks.__setitem__(track.kind, track))
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        for transceiver in connection.getTransceivers():
            transceiver.direction = "sendrecv"
        room.ends.append((connection, tracks))
        await connection.setLocalDescription(await connection.createAnswer())
        if len(room.ends) == 2:
            room.cross()
        return web.Response(text=connection.localDescription.sdp)

    app = web.Application()
    app.router.add_post("/join/{room}", join)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    print(f"http://{host}:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
