"""One SSRC of one person: its packets in their order again, and what they carry, put together."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from helpouts_video_aiortc.film import payloads
from helpouts_video_aiortc.film.rtp import Rtp
from helpouts_video_aiortc.film.timing import SenderClock, StreamClock
from helpouts_video_aiortc.slots import Codec, Slot

MOST_WAITING = 50_000
"""Packets of one stream that may wait; many times what a call sends in the time that is looked ahead."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An encoded picture or 20 ms of sound.

    :ivar moment: seconds since 1970 on the recording machine's clock.
    :ivar timestamp: RTP, extended beyond 32 bits.
    :ivar turned: quarters clockwise by which a picture is to be turned.
    """

    moment: float
    timestamp: int
    data: bytes
    turned: int = 0


class Source:
    """Takes packets in any order; hands out units up to an instant, whatever was late or lost by then left out."""

    def __init__(self, slot: Slot, codec: Codec, sender: SenderClock) -> None:
        self.slot, self.codec = slot, codec
        self.clock = StreamClock(slot.clock, sender)
        self.latest = 0.0
        """Arrival of the newest packet that was looked at."""
        self._waiting: list[tuple[int, float, int, Rtp]] = []
        self._fed = 0
        self._highest: int | None = None
        self._given = -1
        self._stamp: int | None = None
        self._turned = 0
        self._parts: list[bytes] = []
        self._expected: int | None = None
        self._broken = True
        """Nothing is shown until a picture comes that needs no other before it."""

    def feed(self, packet: Rtp, arrival: float) -> None:
        """One packet, first sent or repeated."""
        number = self._extended(packet.number)
        if number > self._given and len(self._waiting) < MOST_WAITING:
            self._fed += 1  # so that packets themselves are never compared
            heapq.heappush(self._waiting, (number, arrival, self._fed, packet))

    def _extended(self, number: int) -> int:
        if self._highest is None:
            self._highest = number + 0x10000
            return self._highest
        extended = self._highest + ((number - self._highest + 0x8000) & 0xFFFF) - 0x8000
        self._highest = max(self._highest, extended)
        return extended

    def units(self, until: float) -> Iterator[Unit]:
        """What arrived up to ``until``, in the order in which it was sent."""
        while self._waiting and self._waiting[0][1] <= until:
            number, arrival, _, packet = heapq.heappop(self._waiting)
            self.latest = max(self.latest, arrival)
            if number <= self._given:
                continue
            whole = number == self._given + 1 or self._given < 0
            self._given = number
            unit = self._sound(packet, arrival) if self.slot.media == "audio" else self._picture(packet, arrival, whole)
            if unit is not None:
                yield unit

    def _extend_stamp(self, timestamp: int) -> int:
        if self._stamp is None:
            self._stamp = timestamp + 2**32
        else:
            self._stamp += ((timestamp - self._stamp + 2**31) & 0xFFFFFFFF) - 2**31
        return self._stamp

    def _sound(self, packet: Rtp, arrival: float) -> Unit | None:
        if not packet.payload:
            return None
        return Unit(self.clock.when(packet.timestamp, arrival), self._extend_stamp(packet.timestamp), packet.payload)

    def _picture(self, packet: Rtp, arrival: float, whole: bool) -> Unit | None:
        """Collect the packets of a picture; None until the last, or when it cannot be shown."""
        if not whole:
            self._broken, self._parts, self._expected = True, [], None
        if not packet.payload:
            return None
        part = payloads.part(self.codec.name, packet.payload)
        if part is None:
            return None
        if part.begins and packet.timestamp != self._expected:
            self._parts, self._expected = [], packet.timestamp
            self._broken = self._broken and not part.key
        if self._expected != packet.timestamp:
            return None
        self._turned = packet.turned if packet.turned is not None else self._turned
        self._parts.append(part.data)
        if not packet.marker:
            return None
        data, self._parts, self._expected = b"".join(self._parts), [], None
        if self._broken:
            return None
        return Unit(
            self.clock.when(packet.timestamp, arrival), self._extend_stamp(packet.timestamp), data, self._turned
        )
