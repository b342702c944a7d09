"""How much one browser may say, and how many may knock at the door at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

#: Messages that a browser may send at once, and how many more each second: a page at work sends about five a second,
#: a drawing hand thirty, a transport that looks for a path a hundred at once.
BURST, RATE = 300, 60
#: A browser that has sent so many too many is shown out.
MOST_REFUSED = 1000
#: Sockets that may be open without having said hello.
MOST_KNOCKING = 500


class Bucket:
    """The allowance of one connection: a token bucket."""

    def __init__(self) -> None:
        self._tokens = float(BURST)
        self._at = asyncio.get_running_loop().time()
        self.refused = 0

    def may_speak(self) -> bool:
        """Whether one more message is within the allowance; counts it."""
        now = asyncio.get_running_loop().time()
        self._tokens = min(BURST, self._tokens + (now - self._at) * RATE)
        self._at = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True

    @property
    def to_be_told(self) -> bool:
        """Whether this refusal is one of those that the browser is told of: the first of each hundred."""
        return self.refused % 100 == 1


class Door:
    """Counts the sockets that have not said hello yet."""

    def __init__(self) -> None:
        self.waiting = 0

    @contextmanager
    def knock(self) -> Iterator[bool]:
        """Whether there is room for one more; held until the hello is there."""
        self.waiting += 1
        try:
            yield self.waiting <= MOST_KNOCKING
        finally:
            self.waiting -= 1
