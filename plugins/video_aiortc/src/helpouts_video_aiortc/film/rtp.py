"""Reading RTP packets (RFC 3550 section 5.1, RFC 8285) and taking retransmissions out of theirs (RFC 4588)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from helpouts_video_aiortc.slots import SLOTS, Codec, Slot

ORIENTATION = 6
"""Id of the header extension urn:3gpp:video-orientation, the same in every call (see ``slots``)."""
_HEAD = struct.Struct("!BBHII")

Kind = tuple[Slot, Codec]
PRIMARY: dict[int, Kind] = {codec.payload: (slot, codec) for slot in SLOTS for codec in slot.codecs}
REPEATED: dict[int, Kind] = {codec.rtx: (slot, codec) for slot, codec in PRIMARY.values() if codec.rtx is not None}


@dataclass(frozen=True, slots=True)
class Rtp:
    """One packet.  ``turned`` is by how many quarters clockwise the picture has to be turned, None when not said."""

    payload_type: int
    marker: bool
    number: int
    timestamp: int
    ssrc: int
    payload: bytes
    turned: int | None = None


def parse(packet: bytes) -> Rtp | None:
    """The packet without header extensions and padding; None when it is broken."""
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    first, second, number, timestamp, ssrc = _HEAD.unpack_from(packet)
    at, end, turned = 12 + 4 * (first & 0x0F), len(packet), None
    if first & 0x10:
        if at + 4 > end:
            return None
        profile, words = struct.unpack_from("!HH", packet, at)
        at += 4 + 4 * words
        if profile == 0xBEDE and at <= end:
            turned = _turned(packet[at - 4 * words : at])
    if first & 0x20 and at < end:
        end -= packet[-1]
    if at > end:
        return None
    return Rtp(second & 0x7F, bool(second & 0x80), number, timestamp, ssrc, packet[at:end], turned)


def _turned(extensions: bytes) -> int | None:
    at = 0
    while at < len(extensions):
        name, length = extensions[at] >> 4, (extensions[at] & 0x0F) + 1
        if name == 0:  # padding
            at += 1
            continue
        if name == ORIENTATION and at + 1 < len(extensions):
            return extensions[at + 1] & 0x03
        at += 1 + length
    return None


def repeated(packet: Rtp, ssrc: int) -> Rtp | None:
    """The packet that a retransmission carries, sent at first by ``ssrc``; None when it is only padding."""
    if len(packet.payload) <= 2:
        return None
    _slot, codec = REPEATED[packet.payload_type]
    number = int.from_bytes(packet.payload[:2])
    return Rtp(codec.payload, packet.marker, number, packet.timestamp, ssrc, packet.payload[2:], packet.turned)
