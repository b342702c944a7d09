"""Two Chromium pages that do not accept the same codecs."""

from __future__ import annotations

from typing import Any

import helpouts_video_aiortc
import pytest

from helpouts.testing.calls import calling, moves

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]

WITHOUT = """
const native = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = async function (...all) {
  await native.apply(this, all);
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs.filter(({mimeType}) => mimeType !== "video/%s");
  for (const transceiver of this.getTransceivers()) {
    if (transceiver.receiver.track.kind === "video") transceiver.setCodecPreferences(codecs);
  }
};
"""
SENT = """async () => {
  const entries = [...(await peers.at(-1).getStats()).values()];
  const sent = entries.filter(({type, kind, bytesSent}) => type === "outbound-rtp" && kind === "video" && bytesSent);
  return sent.map(({codecId}) => entries.find(({id}) => id === codecId)?.mimeType);
}"""


async def sends(page: Any, codec: str) -> None:
    await moves(page)
    assert await page.evaluate(SENT) == [f"video/{codec}"]


async def test_pictures_go_as_vp8_where_both_can_and_as_h264_where_one_can_do_only_that() -> None:
    async with calling(helpouts_video_aiortc) as calls:
        ann = await calls.page("ann")
        bob = await calls.page("bob", script=WITHOUT % "VP8")
        await sends(bob, "H264")
        await sends(ann, "H264")
        assert await ann.evaluate("states") == ["connecting", "connected"], "another round, no other connection"
        await bob.close()
        again = await calls.page("bob", script=WITHOUT % "H264")
        await sends(again, "VP8")
        await sends(ann, "VP8")
        await ann.evaluate("connection.restart()")
        await sends(ann, "VP8")
        await ann.evaluate("share()")
        await again.wait_for_function("document.getElementById('screen').videoWidth === 320")


async def test_two_that_can_do_h264_only_see_each_other_and_a_reload_shows_the_picture_again() -> None:
    async with calling(helpouts_video_aiortc) as calls:
        ann, bob = [await calls.page(who, script=WITHOUT % "VP8") for who in ("ann", "bob")]
        await sends(ann, "H264")
        await sends(bob, "H264")
        await bob.reload()
        await bob.evaluate("enter('bob')")
        await sends(ann, "H264")
        await sends(bob, "H264")
