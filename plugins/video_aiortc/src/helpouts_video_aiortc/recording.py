"""Recording in the live process: every packet of both browsers goes to the core's sink, as it was before rewriting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from helpouts.sessions.transport import Sink
from helpouts_video_aiortc.dump import entry
from helpouts_video_aiortc.leg import Leg

SENDER_REPORT = 200


class Taps:
    """Which rooms are recorded, and where to; legs are tapped whenever they come."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sinks: dict[str, Sink] = {}

    def open(self, room: str, legs: Iterable[Leg], sink: Sink) -> None:
        """Record a room from now on."""
        self._sinks[room] = sink
        for leg in legs:
            tap(leg, sink, self._clock)

    def add(self, room: str, leg: Leg) -> None:
        """A leg has come; it is tapped when its room is recorded."""
        if room in self._sinks:
            tap(leg, self._sinks[room], self._clock)

    def close(self, room: str, legs: Iterable[Leg] = ()) -> None:
        """Record no more."""
        self._sinks.pop(room, None)
        for leg in legs:
            leg.tap = None


def tap(leg: Leg, sink: Sink, clock: Callable[[], float]) -> None:
    """Show ``sink`` what the browser of ``leg`` sends, and ask it for a key picture.

    Of RTCP only compounds that begin with a sender report are kept: they tell the time, the others are for the peer.
    """
    participant, since_1970 = leg.participant, time.time() - clock()

    def show(packet: bytes, arrival: float) -> None:
        if not 192 <= packet[1] <= 223 or packet[1] == SENDER_REPORT:
            sink(participant, entry(arrival + since_1970, packet))

    leg.tap = show
    leg.request_keyframes()
