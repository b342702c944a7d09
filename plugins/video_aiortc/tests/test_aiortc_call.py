"""Two real WebRTC endpoints (aiortc's RTCPeerConnection) call each other through the relay."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import av
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

SDP = {"Content-Type": "application/sdp"}


class Shade(VideoStreamTrack):
    """A picture of one shade of grey, so that the test can tell whose it sees."""

    def __init__(self, shade: int) -> None:
        super().__init__()
        self._shade = shade

    async def recv(self) -> av.VideoFrame:
        pts, base = await self.next_timestamp()
        frame = av.VideoFrame(320, 240, "yuv420p")
        for plane, value in zip(frame.planes, (self._shade, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, base
        return frame


class Caller:
    """A browser's part, without a browser."""

    def __init__(self, http: aiohttp.ClientSession, shade: int) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.http, self.shade, self.location = http, shade, ""
        self.tracks: dict[str, MediaStreamTrack] = {}

    async def join(self, grant: dict[str, Any]) -> None:
        bearer = {"Authorization": f"Bearer {grant['token']}"}
        async with self.http.post(grant["url"], headers=bearer) as response:
            assert response.status == 201
            self.location, etag = response.headers["Location"], response.headers["ETag"]
            offer = await response.text()
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in self.pc.getTransceivers():
            transceiver.direction = "sendrecv"
            self.tracks[transceiver.mid] = transceiver.receiver.track
            if transceiver.mid == "a":
                transceiver.sender.replaceTrack(AudioStreamTrack())
            elif transceiver.mid == "v":
                transceiver.sender.replaceTrack(Shade(self.shade))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        answer = self.pc.localDescription.sdp
        async with self.http.patch(self.location, data=answer, headers=SDP | {"If-Match": etag}) as response:
            assert response.status == 204, await response.text()

    async def sees(self, shade: int) -> None:
        """Wait for a decoded picture of that shade."""
        while True:
            frame = await self.tracks["v"].recv()
            assert isinstance(frame, av.VideoFrame)
            if abs(bytes(frame.planes[0])[frame.planes[0].line_size * 100 + 100] - shade) < 8:
                return

    async def hears(self, frames: int) -> None:
        for _frame in range(frames):
            await self.tracks["a"].recv()

    async def close(self) -> None:
        await self.pc.close()


@pytest.mark.timeout(60)
async def test_two_callers_see_and_hear_each_other_and_a_reload_disturbs_nobody(site: Any) -> None:
    async with site() as relay, aiohttp.ClientSession() as http:
        ann, bob = Caller(http, 60), Caller(http, 120)
        await ann.join(await relay.grant("ann"))
        await bob.join(await relay.grant("bob"))
        async with asyncio.timeout(20):
            await asyncio.gather(ann.sees(120), bob.sees(60), ann.hears(10), bob.hears(10))
        assert relay.driver.statistics()["connected"] == 2
        assert sorted(relay.sent) == [("room", "ann", {"ready": True}), ("room", "bob", {"ready": True})]

        again = Caller(http, 200)
        await again.join(await relay.grant("bob"))
        async with asyncio.timeout(20):
            await asyncio.gather(ann.sees(200), again.sees(60), ann.hears(5), again.hears(5))
        statistics = relay.driver.statistics()
        assert (statistics["rooms"], statistics["legs"]) == (1, 2)
        assert statistics.get("dropped_srtp", 0) == 0

        for caller in (ann, bob, again):
            await caller.close()
        async with asyncio.timeout(10):
            while relay.driver.statistics()["legs"]:
                await asyncio.sleep(0.02)
        assert relay.driver.statistics()["rooms"] == 0
