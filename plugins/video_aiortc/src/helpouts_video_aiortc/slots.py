"""What every call negotiates: three slots, and the numbers that stand for them in every packet.

Both legs of a call get the same offer, so that a packet of one leg is valid on the other: payload types,
header-extension ids and mids are equal everywhere.  Distinct payload types per slot and codec make finding the stream
of a packet a table look-up.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec of one slot.

    :param name: as in a=rtpmap.
    :param rtx: payload type of its retransmissions (RFC 4588), None where there are none.
    :param format: its a=fmtp, empty where there is none.
    """

    name: str
    payload: int
    rtx: int | None
    format: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One m-section of the canonical description.

    :param kind: what the room page calls it: ``audio``, ``video`` (the camera) or ``screen``.
    :param media: the SDP media type.
    :param codecs: the preferred one first.
    :param clock: RTP timestamp units per second.
    """

    kind: str
    mid: str
    media: str
    codecs: tuple[Codec, ...]
    clock: int

    @property
    def payload(self) -> int:
        """The payload type of the preferred codec, which stands for the slot's stream."""
        return self.codecs[0].payload

    @property
    def rtx(self) -> int | None:
        """The payload type of its retransmissions."""
        return self.codecs[0].rtx


START_KBPS = 800
_OPUS = "minptime=10;useinbandfec=1"
# Chromium begins at 300 kb/s and finds the path's rate by probing.  On a busy machine a probe fails at times, and the
# rate then rises by a few per cent a second: with 300, two of eight senders were below 800 after ten seconds, with 800
# all were at 1700 after three.  Where 800 is too much congestion control is down within a second.  Others ignore it.
_START = f"x-google-start-bitrate={START_KBPS}"
# Constrained baseline, level 3.1 (RFC 6184 section 8.1): what every browser with H.264 can send and show.
_BASELINE = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


def _pictures(first: int) -> tuple[Codec, ...]:
    return (
        Codec("VP8/90000", first, first + 1, _START),
        Codec("H264/90000", first + 4, first + 5, f"{_BASELINE};{_START}"),
    )


AUDIO = Slot("audio", "a", "audio", (Codec("opus/48000/2", 111, None, _OPUS),), 48000)
CAMERA = Slot("video", "v", "video", _pictures(96), 90000)
SCREEN = Slot("screen", "s", "video", _pictures(98), 90000)
SLOTS = (AUDIO, CAMERA, SCREEN)
KINDS = frozenset(slot.kind for slot in SLOTS)
VIDEO = {codec.payload for slot in (CAMERA, SCREEN) for codec in slot.codecs}
"""Payload types of pictures, retransmissions aside."""
VP8, H264 = ({slot.codecs[place].payload for slot in (CAMERA, SCREEN)} for place in (0, 1))

EXTENSIONS: dict[int, tuple[str, frozenset[str]]] = {
    1: ("urn:ietf:params:rtp-hdrext:sdes:mid", frozenset({"audio", "video"})),
    2: ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", frozenset({"audio"})),
    3: ("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", frozenset({"audio", "video"})),
    4: (
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        frozenset({"audio", "video"}),
    ),
    5: ("urn:ietf:params:rtp-hdrext:toffset", frozenset({"video"})),
    6: ("urn:3gpp:video-orientation", frozenset({"video"})),
}
"""Header extensions by id: the URI and the media types that carry it."""

TRANSPORT_CC = 4
"""The id of the transport-wide sequence number."""
