"""Two real WebRTC endpoints (aiortc's RTCPeerConnection) call each other through the relay."""

from __future__ import annotations

import asyncio
from typing import Any, Self

import aiohttp
import av
import pytest
import uvloop
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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        # Its decoder threads outlive a test that fails, and then the whole test run.
        await self.pc.close()


async def reload_in_a_call(site: Any) -> None:
    async with site() as relay:
        async with (
            aiohttp.ClientSession() as http,
            Caller(http, 60) as ann,
            Caller(http, 120) as bob,
            Caller(http, 200) as again,
            asyncio.timeout(45),
        ):
            await ann.join(await relay.grant("ann"))
            await bob.join(await relay.grant("bob"))
            await asyncio.gather(ann.sees(120), bob.sees(60), ann.hears(10), bob.hears(10))
            assert relay.driver.statistics()["connected"] == 2
            assert sorted(relay.sent) == [("room", "ann", {"ready": True}), ("room", "bob", {"ready": True})]

            await again.join(await relay.grant("bob"))
            await asyncio.gather(ann.sees(200), again.sees(60), ann.hears(5), again.hears(5))
            statistics = relay.driver.statistics()
            assert (statistics["rooms"], statistics["legs"]) == (1, 2)
            assert statistics.get("dropped_srtp", 0) == 0

        async with asyncio.timeout(10):
            while relay.driver.statistics()["legs"]:
                await asyncio.sleep(0.02)
        assert relay.driver.statistics()["rooms"] == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_two_callers_see_and_hear_each_other_and_a_reload_disturbs_nobody(site: Any, loop: Any) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(reload_in_a_call(site))
