"""When something was seen or heard, on the clock of the machine that recorded it.

Sender reports (RFC 3550 section 6.4.1) tie each stream's timestamps to the sender's clock, so sound and picture of
one person fit together.  The sender's clock is tied to ours by the packets that came fastest.  Until a report comes,
and for a sender whose reports make no sense, a stream is placed by the arrival of its packets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from helpouts_video_aiortc import rtcp

SENSIBLE = 2.0
"""Seconds by which a sender's clock may differ from what the arrival says."""
WINDOW = 30.0
"""Seconds after which the fastest packet is looked for anew: clocks drift."""


def _signed(value: int) -> int:
    return (value & 0xFFFFFFFF) - (0x100000000 if value & 0x80000000 else 0)


def reports(compound: bytes) -> Iterator[tuple[int, float, int]]:
    """(SSRC, seconds on the sender's clock, timestamp) of each sender report."""
    for _count, kind, body in rtcp.packets(compound):
        if kind == rtcp.SENDER_REPORT and len(body) >= 24:
            ssrc, seconds, fraction, timestamp = struct.unpack_from("!IIII", body)
            yield ssrc, seconds + fraction / 2**32, timestamp


class SenderClock:
    """How one person's clock differs from ours: the least of (arrival - sender's time), over a minute at most."""

    def __init__(self) -> None:
        self._now: float | None = None
        self._before: float | None = None
        self._since = 0.0

    def heard(self, sent: float, arrival: float) -> None:
        """A packet that was sent at ``sent`` on their clock came at ``arrival`` on ours."""
        difference = arrival - sent
        known = self.offset
        if known is not None and abs(difference - known) > SENSIBLE:  # another device, or their clock was set
            self._now = self._before = None
        if self._now is None or arrival - self._since > WINDOW:
            self._before, self._now, self._since = self._now, difference, arrival
        self._now = min(self._now, difference)

    @property
    def offset(self) -> float | None:
        """What to add to their time; None while nothing is known."""
        if self._now is None:
            return None
        return self._now if self._before is None else min(self._now, self._before)


class StreamClock:
    """Places the timestamps of one SSRC."""

    def __init__(self, rate: int, sender: SenderClock) -> None:
        self._rate = rate
        self._sender = sender
        self._report: tuple[float, int] | None = None
        self._first: tuple[float, int] | None = None

    def report(self, sent: float, timestamp: int) -> None:
        """A sender report: at ``sent`` on the sender's clock the stream was at ``timestamp``."""
        self._report = sent, timestamp

    def heard(self, timestamp: int, arrival: float) -> None:
        """A packet with this timestamp came."""
        if self._report is not None:
            self._sender.heard(self._sent(timestamp), arrival)
        by_arrival = None if self._first is None else self._first[0] + _signed(timestamp - self._first[1]) / self._rate
        if by_arrival is None or arrival < by_arrival or arrival - by_arrival > SENSIBLE:
            self._first = arrival, timestamp

    def _sent(self, timestamp: int) -> float:
        assert self._report is not None
        return self._report[0] + _signed(timestamp - self._report[1]) / self._rate

    def when(self, timestamp: int, arrival: float) -> float:
        """Seconds since 1970 on our clock."""
        offset = self._sender.offset
        if self._report is not None and offset is not None:
            placed = self._sent(timestamp) + offset
            if abs(placed - arrival) <= SENSIBLE:
                return placed
        if self._first is not None:
            placed = self._first[0] + _signed(timestamp - self._first[1]) / self._rate
            if abs(placed - arrival) <= SENSIBLE:
                return placed
        return arrival
