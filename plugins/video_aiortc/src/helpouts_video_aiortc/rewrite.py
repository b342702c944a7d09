"""Rewriting RTP so that a receiver sees one continuous stream, whoever sends it (RFC 3550, RFC 4588).

A leg is promised a fixed SSRC per stream in its offer.  Whatever source feeds the stream, and however often it is
replaced (the other side reloads), sequence numbers and timestamps go on without a jump backwards: libsrtp refuses
one ("index too old"), and the receiver would take it for old packets.  Nothing here knows sockets or SRTP.
"""

from __future__ import annotations

import secrets
import struct
from collections import deque
from collections.abc import Callable, Iterable

from helpouts_video_aiortc.congestion import TransportSequence, distance
from helpouts_video_aiortc.keyframes import RTP_HEADER, header_length
from helpouts_video_aiortc.slots import SLOTS, Slot

MISORDER = 1024
"""Packets; libsrtp's replay window.  Further back is a source that has started anew (RFC 3550 appendix A.1)."""
Packet = memoryview
"""Writable bytes of one packet."""
_FIELDS = struct.Struct("!HII")
_SHORT = struct.Struct("!H")


class Stream:
    """One outgoing stream of a leg: a fixed SSRC, fed by one source at a time.

    Sequence numbers are counted beyond 16 bits inside, so that a wrap is nothing special.
    """

    __slots__ = (
        "base",
        "highest",
        "primary",
        "reports",
        "shift",
        "slot",
        "source",
        "source_highest",
        "ssrc",
        "time",
        "timestamp",
        "timestamp_shift",
    )

    def __init__(self, slot: Slot, ssrc: int, primary: Stream | None = None) -> None:
        self.slot = slot
        self.ssrc = ssrc
        self.primary = primary
        """The stream that this one repairs, for RTX."""
        self.source: int | None = None
        # RFC 3711 section 3.3.1: starting below 2^15 keeps the receiver's guess of the roll-over counter right.
        self.highest = 255 + secrets.randbelow(1 << 14)
        self.base = self.highest + 1
        self.source_highest = 0
        self.shift = 0
        self.timestamp = 0
        self.timestamp_shift = 0
        self.time: float | None = None
        self.reports: deque[int] = deque(maxlen=16)
        """Middle 32 bits of the NTP times in the sender reports that were forwarded from this source."""

    def adopt(self, source: int, sequence: int, timestamp: int, now: float) -> None:
        """Go on with another source, whose first packet this is, right behind what was sent last."""
        if self.time is None:
            self.timestamp_shift = 0
        else:
            step = max(1, int((now - self.time) * self.slot.clock))
            self.timestamp_shift = self.timestamp + step - timestamp
        self.source = source
        self.base = self.highest + 1
        self.source_highest = sequence
        self.shift = self.base - sequence
        self.reports.clear()

    def place(self, sequence: int) -> int | None:
        """Where a sequence number of the source stands in this stream; None for what was sent before the adoption.

        Numbers below the base belong to the source before: using one again would protect two packets with one
        SRTP index.
        """
        placed = self.source_highest + distance(sequence, self.source_highest) + self.shift
        return placed if placed >= self.base else None

    def unplace(self, sequence: int) -> int | None:
        """The source's own 16-bit number for one of this stream; None when this source did not send it."""
        placed = self.highest + distance(sequence, self.highest)
        return (placed - self.shift) & 0xFFFF if self.base <= placed else None


class Outgoing:
    """All streams that one leg receives, and the way from their sources' numbers to its own.

    :param on_new_source: called with the stream and the first packet of a source.
    """

    def __init__(self, on_new_source: Callable[[Stream, Packet], None] = lambda stream, packet: None) -> None:
        self.by_ssrc: dict[int, Stream] = {}
        self.by_source: dict[int, Stream] = {}
        self._by_payload: dict[int, Stream] = {}
        self._all: dict[int, Stream] = {}
        self.transport = TransportSequence()
        self._on_new_source = on_new_source
        for slot in SLOTS:
            primary = self._add(slot, [codec.payload for codec in slot.codecs], None)
            repairs = [codec.rtx for codec in slot.codecs if codec.rtx is not None]
            if repairs:
                self._add(slot, repairs, primary)

    def _add(self, slot: Slot, payloads: list[int], primary: Stream | None) -> Stream:
        """One stream, whichever codec it is in: a browser that changes the codec goes on with SSRC and numbers."""
        ssrc = 0
        while ssrc == 0 or ssrc in self.by_ssrc:
            ssrc = secrets.randbits(32)
        stream = Stream(slot, ssrc, primary)
        self.by_ssrc[ssrc] = stream
        for payload in payloads:
            self._all[payload] = self._by_payload[payload] = stream
        return stream

    def ssrc(self, payload: int) -> int:
        """The SSRC promised for a payload type."""
        return self._all[payload].ssrc

    def stream(self, payload: int) -> Stream:
        """The stream of a payload type."""
        return self._all[payload]

    def accept(self, payloads: Iterable[int]) -> None:
        """Forward these payload types only."""
        self._by_payload = {payload: self._all[payload] for payload in payloads if payload in self._all}

    def detach(self) -> None:
        """The source leg is gone or replaced: the next packet of each stream comes from a new source."""
        self.by_source.clear()
        self.transport.detach()
        for stream in self._all.values():
            stream.source = None
            stream.reports.clear()

    def rewrite(self, packet: Packet, length: int, now: float) -> bool:
        """Turn a packet into what this leg is to see, where it lies; false when it is not for this leg.

        :param length: of the packet, which stays; there may be more room behind it.
        :param now: seconds of a monotonic clock.
        """
        if length < RTP_HEADER:
            return False
        stream = self._by_payload.get(packet[1] & 0x7F)
        if stream is None:
            return False
        sequence, timestamp, ssrc = _FIELDS.unpack_from(packet, 2)
        # This runs for every packet: Stream.place(), without the call.
        step = ((sequence - stream.source_highest + 0x8000) & 0xFFFF) - 0x8000
        if ssrc != stream.source or step < -MISORDER:
            self._adopt(stream, packet[:length], now)
            step = 0
        placed = stream.source_highest + step + stream.shift
        if placed < stream.base:
            return False
        primary = stream.primary
        shift = stream.timestamp_shift if primary is None else primary.timestamp_shift
        moved = (timestamp + shift) & 0xFFFFFFFF
        if placed > stream.highest:
            stream.highest = placed
            stream.source_highest += step
            stream.timestamp = moved
            stream.time = now
        _FIELDS.pack_into(packet, 2, placed & 0xFFFF, moved, stream.ssrc)
        if self.transport.active:
            self.transport.move(packet[:length])
        return primary is None or _move_original(packet[:length], primary)

    def _adopt(self, stream: Stream, packet: Packet, now: float) -> None:
        sequence, timestamp, ssrc = _FIELDS.unpack_from(packet, 2)
        if stream.source is not None:
            self.by_source.pop(stream.source, None)
        stream.adopt(ssrc, sequence, timestamp, now)
        self.by_source[ssrc] = stream
        self._on_new_source(stream, packet)


def _move_original(packet: Packet, primary: Stream) -> bool:
    """Move the original sequence number of an RTX packet (RFC 4588 section 4) along with the primary stream."""
    at = header_length(packet)
    padding = packet[-1] if packet[0] & 0x20 else 0
    if len(packet) - padding < at + 2:
        # Padding only: a probe for bandwidth, which carries no original sequence number.  Browsers begin a call with
        # such packets, on any slot, before there is a picture: without them the estimate starts low and stays low.
        return len(packet) >= at
    original = None if primary.source is None else primary.place(_SHORT.unpack_from(packet, at)[0])
    if original is None:
        return False
    _SHORT.pack_into(packet, at, original & 0xFFFF)
    return True
