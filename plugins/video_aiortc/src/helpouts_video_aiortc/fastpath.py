"""The fast path: fastpath.c moves the packets of established streams, and asks Python about all others.

It is compiled when the plugin is installed, where there is a compiler; without it
:class:`helpouts_video_aiortc.wire.Plain` does the same at several times the cost.  Python decides what is an
established stream: :meth:`helpouts_video_aiortc.media.MediaEnd.media` handles its first packet and lends it to the
fast path, and takes it back when anything changes.
"""

from __future__ import annotations

import importlib.util
import logging
from functools import cache, partial
from typing import Any, ClassVar

from helpouts_video_aiortc import private
from helpouts_video_aiortc.memory import Slot, ffi
from helpouts_video_aiortc.wire import Ends, Plain, Route, Wire

BATCH = 64
"""Datagrams in and out with one call of the system."""
DONE = -1
"""What ``wire_turn`` answers when all is done; less when there was nothing to do."""
log = logging.getLogger(__name__)


@cache
def library() -> Any:
    """What was compiled.

    :raises OSError: nothing was, or it cannot be loaded here.
    """
    found = importlib.util.find_spec("helpouts_video_aiortc._fastpath")
    if found is None or found.origin is None:
        raise OSError("the fast path was not compiled")
    return ffi.dlopen(found.origin)


class FastPath:
    """As many datagrams as are there, up to :data:`BATCH`, with one call in and one out.

    :raises OSError: it was not compiled, or pylibsrtp does not let it reach libsrtp.
    """

    takes_flows: ClassVar[bool] = True

    def __init__(self, ends: Ends) -> None:
        self._library, self._ends = library(), ends
        wire = self.memory = ffi.new("struct wire *")
        wire.unprotect, wire.protect = (ffi.cast("int (*)(void *, void *, int *)", at) for at in private.srtp_calls())
        if self._library.wire_start(wire, ends.udp.fileno()):
            raise MemoryError
        self._turn, self._clock = partial(self._library.wire_turn, wire), ends.clock
        everything, lengths = memoryview(ffi.buffer(wire.slots)), ffi.cast("int *", wire.lengths)
        stride = ffi.sizeof(wire.slots[0])
        self._slots = [
            Slot(everything[number * stride : (number + 1) * stride], wire.slots[number], lengths + number)
            for number in range(BATCH)
        ]

    def pump(self) -> int:
        """See :class:`helpouts_video_aiortc.wire.Wire`."""
        now = self._clock()
        while (number := self._turn(now)) >= 0:
            routes, slot = self.memory.routes, number % BATCH
            if number < BATCH:
                routes[slot] = self._ends.deliver(self._slots[slot], routes[slot]) or 0
            else:
                self._ends.show(self._slots[slot], routes[slot])
        return int(number == DONE)

    def learn(self, way: Route, flow: Any) -> None:
        """See :class:`helpouts_video_aiortc.wire.Wire`.

        :raises MemoryError: there is none left.
        """
        if self._library.wire_learn(self.memory, way, flow):
            raise MemoryError

    def forget(self, way: Route) -> None:
        """See :class:`helpouts_video_aiortc.wire.Wire`."""
        self._library.wire_forget(self.memory, way)

    def tally(self) -> None:
        """See :class:`helpouts_video_aiortc.wire.Wire`."""
        totals = self.memory.totals
        for name, _field in ffi.typeof(totals).fields:
            self._ends.counters[name] += getattr(totals, name)
            setattr(totals, name, 0)

    def close(self) -> None:
        """Free its memory; idempotent."""
        self.tally()
        self._library.wire_stop(self.memory)


def works() -> bool:
    """Whether there is a fast path here."""
    try:
        return bool(library()) and bool(private.srtp_calls())
    except OSError:
        return False


def best_wire(ends: Ends) -> Wire:
    """The fast path where it works, else datagram by datagram."""
    try:
        return FastPath(ends)
    except OSError:
        log.warning("no fast path here, see helpouts doctor: a call costs several times as much")
        return Plain(ends)
