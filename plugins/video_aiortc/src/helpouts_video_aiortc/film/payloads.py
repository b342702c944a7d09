"""What the packets of a codec carry: VP8 (RFC 7741) and H.264 (RFC 6184)."""

from __future__ import annotations

from dataclasses import dataclass

DECODERS = {"VP8/90000": "vp8", "H264/90000": "h264"}
_START = b"\0\0\0\1"
"""Before each unit of H.264 (ITU-T H.264 annex B)."""
_SPS, _IDR, _STAP_A, _FU_A = 7, 5, 24, 28


@dataclass(frozen=True, slots=True)
class Part:
    """The codec's bytes in one packet: of a picture's beginning, perhaps, and of one that needs no other before it."""

    data: bytes
    begins: bool
    key: bool


def part(codec: str, payload: bytes) -> Part | None:
    """Take the payload's own head off; None when the packet is broken."""
    return _vp8(payload) if codec == "VP8/90000" else _h264(payload)


def _vp8(payload: bytes) -> Part | None:
    """RFC 7741 section 4.2: the descriptor is one byte, up to six with its extensions."""
    first, at = payload[0], 1
    if first & 0x80:
        if at >= len(payload):
            return None
        extended, at = payload[at], at + 1
        if extended & 0x80:
            at += 2 if at < len(payload) and payload[at] & 0x80 else 1
        if extended & 0x40:
            at += 1
        if extended & 0x30:
            at += 1
    if at >= len(payload):
        return None
    begins = bool(first & 0x10) and first & 0x0F == 0
    return Part(payload[at:], begins, begins and not payload[at] & 0x01)


def _h264(payload: bytes) -> Part | None:
    """RFC 6184 sections 5.6 to 5.8: one unit, several in one packet (STAP-A), or one over several (FU-A)."""
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        if len(payload) < 3:
            return None
        inner, starts = payload[1] & 0x1F, bool(payload[1] & 0x80)
        head = _START + bytes([payload[0] & 0xE0 | inner]) if starts else b""
        return Part(head + payload[2:], starts, starts and inner in (_IDR, _SPS))
    if kind != _STAP_A:
        return Part(_START + payload, True, kind in (_IDR, _SPS)) if 0 < kind < _STAP_A else None
    at, units = 1, []
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2])
        units.append(payload[at + 2 : at + 2 + size])
        at += 2 + size
    units = [unit for unit in units if unit]
    return Part(b"".join(_START + unit for unit in units), True, any(u[0] & 0x1F in (_IDR, _SPS) for u in units))
