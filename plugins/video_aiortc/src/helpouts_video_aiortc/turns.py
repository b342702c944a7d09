"""When the process wakes up to move packets: at each arrival while they are few, at a steady pace while they are many.

Waking up costs several times what moving a packet costs, because others have had the caches meanwhile.  So when it
happens very often, a timer of the kernel's wakes the process instead, as a network card moderates its interrupts.  A
packet then waits half a period on average.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

import cffi

PERIOD = 0.0007
"""Seconds from turn to turn at the steady pace."""
OFTEN = 2000
"""Times a second: at fewer turns, 13 calls, the timer would wake us in vain too often to be worth its while."""
IN_VAIN = 0.25
"""The part of the timer's turns with nothing to do at which there are no longer so many."""
LOOK = 256
"""Turns after which the pace is decided anew."""
_MONOTONIC, _NONBLOCKING, _CLOSED_ON_EXEC = 1, 0o4000, 0o2000000
_ffi = cffi.FFI()
_ffi.cdef(
    """
    struct itimerspec { long interval, interval_nanoseconds, first, first_nanoseconds; };
    int timerfd_create(int clock, int flags);
    int timerfd_settime(int descriptor, int flags, struct itimerspec *wanted, struct itimerspec *before);
    """
)


def timer(period: float) -> int:
    """A descriptor that can be read from whenever ``period`` seconds have passed; the caller closes it.

    :raises OSError: the system is not Linux, or has no more descriptors.
    """
    if not sys.platform.startswith("linux"):
        raise OSError("no timerfd here")
    libc = _ffi.dlopen(None)
    descriptor = int(libc.timerfd_create(_MONOTONIC, _NONBLOCKING | _CLOSED_ON_EXEC))
    if descriptor < 0:
        raise OSError(_ffi.errno, "no timer")
    nanoseconds = round(period * 1e9)
    libc.timerfd_settime(descriptor, 0, _ffi.new("struct itimerspec *", (0, nanoseconds, 0, nanoseconds)), _ffi.NULL)
    return descriptor


class Turns:
    """Has ``work`` done whenever there may be something to read.

    :param descriptor: of the socket.
    :param work: reads all that is there and returns how many packets that were.
    :param clock: seconds of a monotonic clock.
    """

    def __init__(self, descriptor: int, work: Callable[[], int], clock: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor, self._work, self._clock = descriptor, work, clock
        self._timer: int | None = None
        self._turns = self._idle = 0
        self._since = clock()
        self._loop.add_reader(descriptor, self._arrived)

    @property
    def steady(self) -> bool:
        """Whether the timer wakes us, and not each arrival."""
        return self._timer is not None

    def _arrived(self) -> None:
        self._work()
        self._turns += 1
        if self._turns == LOOK:
            now = self._clock()
            if now - self._since < LOOK / OFTEN:
                self._begin()
            self._turns, self._since = 0, now

    def _ticked(self) -> None:
        if self._timer is None:
            return
        os.read(self._timer, 8)
        if not self._work():
            self._idle += 1
        self._turns += 1
        if self._turns == LOOK:
            if self._idle > LOOK * IN_VAIN:
                self._end()
            self._turns = self._idle = 0

    def _begin(self) -> None:
        try:
            self._timer = timer(PERIOD)
        except OSError:
            return
        self._loop.remove_reader(self._descriptor)
        self._loop.add_reader(self._timer, self._ticked)

    def _end(self) -> None:
        if self._timer is not None:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer, self._since = None, self._clock()
            self._loop.add_reader(self._descriptor, self._arrived)

    def close(self) -> None:
        """Wake no more; idempotent.  Called before the descriptor is closed."""
        self._end()
        self._loop.remove_reader(self._descriptor)
