"""Datagrams in and out of the socket, one by one: on any system.

They are read into a *slot*, a piece of memory in which a packet is opened, rewritten and protected where it lies, and
sent from it.  :mod:`helpouts_video_aiortc.fastpath` does the same with many at once.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from helpouts_video_aiortc.memory import DATAGRAM, Slot, new_slot

Address = tuple[str, int]
Route = int
"""An IPv4 address and a port as is cheapest to compare: made by :func:`route`, read by :func:`address`."""

BURST = 256
"""Datagrams read before the event loop gets its turn."""
log = logging.getLogger(__name__)
_FAMILY = socket.AF_INET.to_bytes(2, sys.byteorder)


def route(address: Address) -> Route:
    """The first eight bytes of a ``struct sockaddr_in`` as a number."""
    host, port = address
    return int.from_bytes(_FAMILY + port.to_bytes(2, "big") + socket.inet_aton(host), sys.byteorder)


def address(way: Route) -> Address:
    """The address that a route stands for."""
    name = way.to_bytes(8, sys.byteorder)
    return socket.inet_ntoa(name[4:]), int.from_bytes(name[2:4], "big")


Take = Callable[[Slot], Route | None]
"""Called with a filled slot; returns where to send what is in the slot then, or None."""
Deliver = Callable[[Slot, Route], Route | None]
"""The same, called also with where it came from."""


class Wire(Protocol):
    """Moves datagrams between a socket and slots, until it is closed."""

    takes_flows: ClassVar[bool]
    """Whether it moves packets of flows by itself: others need not be made ready for it."""

    def pump(self) -> int:
        """Read what is there, up to :data:`BURST`; deliver each; send what comes back.  0 when nothing was there."""

    def learn(self, way: Route, flow: Any) -> None:
        """What comes from there is this flow's (a ``struct flow`` of fastpath.h, to be kept alive by the caller)."""

    def forget(self, way: Route) -> None:
        """It is nobody's any more."""

    def tally(self) -> None:
        """Bring the counters up to date."""

    def close(self) -> None:
        """Free what is not Python's; idempotent."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What a wire connects.

    :param known: takes media (RFC 7983: the first byte is 128 to 191), by where it comes from.
    :param other: is given all else.
    :param show: is shown what was opened without its help, where a flow asks for it.
    :param clock: seconds of a monotonic clock.
    """

    udp: socket.socket
    counters: Counter[str]
    known: Mapping[Route, Take]
    other: Deliver
    show: Callable[[Slot, Route], None]
    clock: Callable[[], float]

    def deliver(self, slot: Slot, way: Route) -> Route | None:
        """Let whoever it is for have a datagram; where to send what is in the slot then."""
        take = self.known.get(way) if slot.length and 127 < slot.memory[0] < 192 else None
        try:
            return take(slot) if take is not None else self.other(slot, way)
        except Exception as error:
            # One packet must not take the others with it.  A bug: shown once in full.
            if not self.counters["dropped_error"]:
                log.error("a packet could not be handled; the others are", exc_info=error)
            self.counters["dropped_error"] += 1
            return None


class Plain:
    """One datagram at a time, on any system."""

    takes_flows: ClassVar[bool] = False

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._slot = new_slot()
        self._room = self._slot.memory[:DATAGRAM]

    def pump(self) -> int:
        """See :class:`Wire`."""
        for turn in range(BURST):
            if not self._one():
                return turn
        return BURST

    def _one(self) -> bool:
        slot, ends, counters = self._slot, self._ends, self._ends.counters
        try:
            slot.size[0], sender = ends.udp.recvfrom_into(self._room)
        except BlockingIOError:
            return False
        except OSError:
            counters["dropped_receive"] += 1
            return False
        counters["packets_in"] += 1
        counters["bytes_in"] += slot.length
        out = ends.deliver(slot, route(sender))
        if out is None:
            return True
        try:
            ends.udp.sendto(slot.memory[: slot.length], address(out))
        except OSError:
            counters["dropped_send"] += 1
        else:
            counters["packets_out"] += 1
            counters["bytes_out"] += slot.length
        return True

    def learn(self, way: Route, flow: Any) -> None:
        """Nothing to do: who is known says so."""

    def forget(self, way: Route) -> None:
        """Nothing to do either."""

    def tally(self) -> None:
        """They always are."""

    def close(self) -> None:
        """There is nothing to free."""


MakeWire = Callable[[Ends], Wire]
