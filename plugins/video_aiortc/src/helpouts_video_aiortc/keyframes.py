"""Telling the first packet of a picture that stands for itself from all others; pure."""

from __future__ import annotations

import struct

from helpouts_video_aiortc.slots import H264, VP8

RTP_HEADER = 12
IDR, SPS, STAP_A, FU_A = 5, 7, 24, 28
_SHORT = struct.Struct("!H")


def header_length(packet: bytes | memoryview) -> int:
    """Bytes of the RTP header with CSRCs and extension; beyond the packet's end when it is broken."""
    length = RTP_HEADER + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < length + 4:
            return len(packet) + 1
        length += 4 + 4 * _SHORT.unpack_from(packet, length + 2)[0]
    return length


def starts_keyframe(packet: bytes | memoryview) -> bool:
    """Whether this is the first packet of a keyframe, in any of the codecs that are offered."""
    codec = _CODECS.get(packet[1] & 0x7F)
    return codec is not None and codec(packet)


def starts_vp8_keyframe(packet: bytes | memoryview) -> bool:
    """Whether this is the first packet of a VP8 keyframe (RFC 7741 sections 4.2 and 4.3)."""
    at = header_length(packet)
    if at >= len(packet):
        return False
    first = packet[at]
    if not first & 0x10 or first & 0x07:
        return False
    at += 1
    if first & 0x80 and at < len(packet):
        extended = packet[at]
        at += 1
        if extended & 0x80 and at < len(packet):
            at += 2 if packet[at] & 0x80 else 1
        at += bool(extended & 0x40) + bool(extended & 0x30)
    return at < len(packet) and not packet[at] & 0x01


def starts_h264_keyframe(packet: bytes | memoryview) -> bool:
    """Whether this is the first packet of an H.264 keyframe (RFC 6184 sections 5.6 to 5.8).

    A keyframe begins with a sequence parameter set, alone or in a STAP-A, or with its first slice, whole or in FU-As.
    """
    at = header_length(packet)
    if at >= len(packet):
        return False
    kind = packet[at] & 0x1F
    if kind == FU_A:
        return len(packet) > at + 2 and bool(packet[at + 1] & 0x80) and _begins(packet, packet[at + 1] & 0x1F, at + 2)
    if kind != STAP_A:
        return _begins(packet, kind, at + 1)
    at += 1
    while at + 2 < len(packet):
        size = _SHORT.unpack_from(packet, at)[0]
        if _begins(packet, packet[at + 2] & 0x1F, at + 3):
            return True
        at += 2 + size
    return False


def _begins(packet: bytes | memoryview, kind: int, at: int) -> bool:
    """Whether a NAL unit of that kind, whose payload is at ``at``, begins a keyframe: the first macroblock is 0."""
    return kind == SPS or (kind == IDR and at < len(packet) and bool(packet[at] & 0x80))


_CODECS = dict.fromkeys(VP8, starts_vp8_keyframe) | dict.fromkeys(H264, starts_h264_keyframe)
