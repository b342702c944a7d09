"""A browser whose router has given its flow another address: its media come from there before it knows of it.

Chromium checks a path that works every 2.5 s, and until then what is sent to it goes to where it no longer is.  So the
relay, which as an ICE-lite agent sends no checks otherwise, sends one to an address from which a stream of a known
source comes.  Who answers it, in the browser's name and from there, is there (RFC 8445 section 7.2.5; RFC 9000
section 9.3 has the same idea).  The media alone prove nothing: who can see a packet can send it from anywhere.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from helpouts_video_aiortc import private
from helpouts_video_aiortc.private import Address

AGAIN = 0.1
"""Seconds between two questions for one leg."""
PATIENCE = 2.0
"""Seconds in which an answer counts."""
OPEN = 256
"""Questions whose answers are waited for; the oldest is given up for a new one."""


class Mover(Protocol):
    """What is needed of a leg."""

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User name and password of a check to the browser (RFC 8445 section 7.2.2); None before its answer."""


M = TypeVar("M", bound=Mover)


class Moves(Generic[M]):
    """The questions that are open.

    :param send: puts a datagram on the wire.
    :param clock: seconds of a monotonic clock.
    """

    def __init__(self, send: Callable[[bytes, Address], None], clock: Callable[[], float]) -> None:
        self._send, self._clock = send, clock
        self._open: OrderedDict[bytes, tuple[M, Address, str, float]] = OrderedDict()
        self._asked: dict[M, float] = {}

    def ask(self, leg: M, address: Address) -> None:
        """The leg may be at ``address`` now: ask there, not more often than every :data:`AGAIN`."""
        now, credentials = self._clock(), leg.credentials
        if credentials is None or now - self._asked.get(leg, -AGAIN) < AGAIN:
            return
        self._asked[leg] = now
        username, password = credentials
        transaction, datagram = private.binding_request(username, password)
        self._open[transaction] = (leg, address, password, now + PATIENCE)
        if len(self._open) > OPEN:
            self._open.popitem(last=False)
        self._send(datagram, address)

    def proved(self, datagram: bytes, address: Address) -> M | None:
        """The leg that this answer proves to be at ``address``; None for an answer to nothing, or a forged one."""
        answer = private.parse_binding_success(datagram)
        asked = self._open.get(answer.transaction_id) if answer is not None else None
        if answer is None or asked is None:
            return None
        leg, where, password, until = asked
        if where != address or self._clock() > until or not answer.check_message_integrity(password.encode()):
            return None
        del self._open[answer.transaction_id]
        return leg

    def forget(self, leg: M) -> None:
        """The leg is over."""
        self._asked.pop(leg, None)
        for transaction in [transaction for transaction, asked in self._open.items() if asked[0] is leg]:
            del self._open[transaction]
