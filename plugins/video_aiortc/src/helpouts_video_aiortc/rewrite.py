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
from typing import Any

from helpouts_video_aiortc.congestion import TransportSequence, distance
from helpouts_video_aiortc.keyframes import RTP_HEADER, header_length
from helpouts_video_aiortc.memory import ffi
from helpouts_video_aiortc.slots import SLOTS, Slot

MISORDER = 1024
"""Packets; libsrtp's replay window.  Further back is a source that has started anew (RFC 3550 appendix A.1)."""
Packet = memoryview
"""Writable bytes of one packet."""
_FIELDS = struct.Struct("!HII")
_SHORT = struct.Struct("!H")


NOBODY = -1
"""In place of a payload type, or of a time: there is none."""


class Stream:
    """One outgoing stream of a leg: a fixed SSRC, fed by one source at a time.

    Sequence numbers are counted beyond 16 bits inside, so that a wrap is nothing special.  ``numbers`` are a ``struct
    stream`` (fastpath.h), in which the fast path counts as well.
    """

    __slots__ = ("fed", "numbers", "primary", "reports", "slot", "ssrc")

    def __init__(self, slot: Slot, ssrc: int, primary: Stream | None = None) -> None:
        self.slot = slot
        self.ssrc = ssrc
        self.primary = primary
        """The stream that this one repairs, for RTX."""
        self.fed = False
        # RFC 3711 section 3.3.1: starting below 2^15 keeps the receiver's guess of the roll-over counter right.
        first = 256 + secrets.randbelow(1 << 14)
        self.numbers = ffi.new("struct stream *", {"ssrc": ssrc, "base": first, "highest": first - 1})
        self.numbers.time = self.numbers.payload = NOBODY
        self.reports: deque[int] = deque(maxlen=16)
        """Middle 32 bits of the NTP times in the sender reports that were forwarded from this source."""

    @property
    def source(self) -> int | None:
        """The SSRC that feeds it."""
        return int(self.numbers.source) if self.fed else None

    def leave(self) -> None:
        """Nobody feeds it, until the next packet."""
        self.fed = False
        self.numbers.payload = NOBODY
        self.reports.clear()

    def adopt(self, source: int, sequence: int, timestamp: int, now: float) -> None:
        """Go on with another source, whose first packet this is, right behind what was sent last."""
        numbers = self.numbers
        if numbers.time == NOBODY:
            numbers.timestamp_shift = 0
        else:
            step = max(1, int((now - numbers.time) * self.slot.clock))
            numbers.timestamp_shift = (numbers.timestamp + step - timestamp) & 0xFFFFFFFF
        self.leave()
        self.fed, numbers.source = True, source
        numbers.base = numbers.highest + 1
        numbers.source_highest = sequence
        numbers.shift = numbers.base - sequence

    def place(self, sequence: int) -> int | None:
        """Where a sequence number of the source stands in this stream; None for what was sent before the adoption.

        Numbers below the base belong to the source before: using one again would protect two packets with one
        SRTP index.
        """
        numbers = self.numbers
        placed = numbers.source_highest + distance(sequence, numbers.source_highest) + numbers.shift
        return int(placed) if placed >= numbers.base else None

    def unplace(self, sequence: int) -> int | None:
        """The source's own 16-bit number for one of this stream; None when this source did not send it."""
        numbers = self.numbers
        placed = numbers.highest + distance(sequence, numbers.highest)
        return int(placed - numbers.shift) & 0xFFFF if numbers.base <= placed else None


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
            stream.leave()

    def lend(self, payload: int) -> Any | None:
        """The numbers of a payload type's stream, for the fast path to count in; None where that cannot do it.

        It knows nothing of retransmissions, which carry the number of another packet.
        """
        stream = self._by_payload.get(payload)
        if stream is None or not stream.fed or stream.primary is not None or self.transport.shift is None:
            return None
        stream.numbers.payload = payload
        return stream.numbers

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
        numbers = stream.numbers
        # Without fastpath.c this runs for every packet: Stream.place(), without the call.
        step = ((sequence - numbers.source_highest + 0x8000) & 0xFFFF) - 0x8000
        if ssrc != numbers.source or not stream.fed or step < -MISORDER:
            self._adopt(stream, packet[:length], now)
            step = 0
        placed = numbers.source_highest + step + numbers.shift
        if placed < numbers.base:
            return False
        primary = stream.primary
        shift = numbers.timestamp_shift if primary is None else primary.numbers.timestamp_shift
        moved = (timestamp + shift) & 0xFFFFFFFF
        if placed > numbers.highest:
            numbers.highest = placed
            numbers.source_highest += step
            numbers.timestamp = moved
            numbers.time = now
        _FIELDS.pack_into(packet, 2, placed & 0xFFFF, moved, stream.ssrc)
        if self.transport.active:
            self.transport.move(packet[:length])
        return primary is None or _move_original(packet[:length], primary)

    def _adopt(self, stream: Stream, packet: Packet, now: float) -> None:
        sequence, timestamp, ssrc = _FIELDS.unpack_from(packet, 2)
        if stream.fed:
            self.by_source.pop(stream.numbers.source, None)
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
