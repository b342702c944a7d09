"""What every call negotiates: three slots, and the numbers that stand for them in every packet.

Both legs of a call get the same offer, so that a packet of one leg is valid on the other: payload types,
header-extension ids and mids are equal everywhere.  Distinct payload types per slot make finding the slot of a
packet a table look-up.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """One m-section of the canonical description.

    :param kind: what the room page calls it: ``audio``, ``video`` (the camera) or ``screen``.
    :param media: the SDP media type.
    :param rtx: payload type of its retransmissions (RFC 4588), None where there are none.
    :param clock: RTP timestamp units per second.
    """

    kind: str
    mid: str
    media: str
    codec: str
    payload: int
    rtx: int | None
    clock: int


AUDIO = Slot("audio", "a", "audio", "opus/48000/2", 111, None, 48000)
CAMERA = Slot("video", "v", "video", "VP8/90000", 96, 97, 90000)
SCREEN = Slot("screen", "s", "video", "VP8/90000", 98, 99, 90000)
SLOTS = (AUDIO, CAMERA, SCREEN)
KINDS = frozenset(slot.kind for slot in SLOTS)

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
