"""Keeping transport-wide sequence numbers in one line when the source of a call is replaced.

Congestion control runs from browser to browser: packets carry a 16-bit number (extension 4), the receiver reports
which arrived and when (draft-holmer-rmcat-transport-wide-cc-extensions-01).  A participant who reloads starts
counting anew; the receiver, who knows nothing of it, would take the new numbers for very old packets and report tens
of thousands of losses.  So the numbers of a second source are moved behind the first's, and moved back in reports.
"""

from __future__ import annotations

import struct

from helpouts_video_aiortc.slots import TRANSPORT_CC

GAP = 1024
"""How far behind the last report a new source begins: more than can have been sent since."""
ONE_BYTE = 0xBEDE
_SHORT = struct.Struct("!H")
_TWO_SHORTS = struct.Struct("!HH")


def distance(later: int, earlier: int) -> int:
    """Signed distance of two 16-bit sequence numbers, -32768 to 32767 (RFC 1982)."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def sequence_position(packet: memoryview | bytes) -> int | None:
    """Where the transport-wide number stands in an RTP packet; None when it has none (RFC 8285 section 4.2)."""
    if not packet[0] & 0x10:
        return None
    at = 12 + 4 * (packet[0] & 0x0F)
    if len(packet) < at + 4:
        return None
    profile, words = _TWO_SHORTS.unpack_from(packet, at)
    at += 4
    end = at + 4 * words
    if profile != ONE_BYTE or end > len(packet):
        return None
    while at < end:
        name, length = packet[at] >> 4, (packet[at] & 0x0F) + 1
        if name == 15:
            return None
        if packet[at] == 0:
            at += 1
            continue
        if name == TRANSPORT_CC:
            return at + 1 if length == 2 and at + 3 <= end else None
        at += 1 + length
    return None


class TransportSequence:
    """The transport-wide numbers of all packets to one leg.  Does nothing until a source has been replaced."""

    __slots__ = ("_fresh", "_shift", "_start", "_told", "active")

    def __init__(self) -> None:
        self.active = False
        """Whether packets need :meth:`move`."""
        self._told: int | None = None
        self._start: int | None = None
        self._shift = 0
        self._fresh = False

    @property
    def shift(self) -> int | None:
        """What is added to each number, modulo 65536; None before the first packet of a new source."""
        return None if self._fresh else self._shift

    def detach(self) -> None:
        """The source is gone; the next packet comes from another."""
        self._fresh = self._told is not None
        self.active = self._fresh or self._shift != 0

    def move(self, packet: memoryview) -> None:
        """Put the packet's number behind those of the sources before, where it stands."""
        at = sequence_position(packet)
        if at is None:
            return
        number = _SHORT.unpack_from(packet, at)[0]
        if self._fresh and self._told is not None:
            self._fresh = False
            self._start = (self._told + GAP) & 0xFFFF
            self._shift = (self._start - number) & 0xFFFF
            self.active = self._shift != 0
        _SHORT.pack_into(packet, at, (number + self._shift) & 0xFFFF)

    def report(self, control: bytes) -> bytes:
        """A report of the leg, in the numbers of the present source; empty when it is all about the one before."""
        if len(control) < 8:
            return b""
        base, count = _TWO_SHORTS.unpack_from(control)
        end = (base + count) & 0xFFFF
        if self._told is None or distance(end, self._told) > 0:
            self._told = end
        if self._fresh:
            return b""
        if self._start is not None:
            if distance(end, self._start) <= 0:
                return b""
            self._start = None
        return _SHORT.pack((base - self._shift) & 0xFFFF) + control[2:] if self._shift else control
