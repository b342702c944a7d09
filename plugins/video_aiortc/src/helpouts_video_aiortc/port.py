"""The one UDP socket of all calls: tells STUN, DTLS and media apart, and whose they are (RFC 7983, RFC 8445).

ICE-lite: the relay answers checks and never sends one, so it needs no candidates of the browser's.  It learns where
a leg is from authenticated checks, and sends to the address that was nominated last.
"""

from __future__ import annotations

import socket
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from helpouts_video_aiortc import private, wire
from helpouts_video_aiortc.fastpath import best_wire
from helpouts_video_aiortc.keyframes import RTP_HEADER
from helpouts_video_aiortc.memory import Slot, new_slot
from helpouts_video_aiortc.moves import Mover, Moves
from helpouts_video_aiortc.private import Address
from helpouts_video_aiortc.probe import is_probe
from helpouts_video_aiortc.tcp import Way
from helpouts_video_aiortc.turns import Turns
from helpouts_video_aiortc.wire import Route

BUFFER = 4 << 20
_SNDBUFFORCE, _RCVBUFFORCE = 32, 33
"""Of Linux (asm-generic/socket.h), which have no name in Python; they take CAP_NET_ADMIN."""
STUN_LONGEST = 548
"""RFC 8489 section 6.1: the most that a request may take when the path MTU is unknown."""
SUCCESS = b"\x01\x01"
"""How the answer to a check begins (RFC 8489 section 5)."""
ADDRESSES_PER_LEG = 16
IN_USE_SECONDS = 10.0
"""An address that its leg was heard from so lately is not given to another: the sender may be forged."""


class Owner(Mover, Protocol):
    """What the port needs of a leg."""

    addresses: dict[Address, None]
    flow: Any
    """A ``struct flow`` of fastpath.h: which of its packets the fast path may take."""
    heard: float
    sources: dict[int, int]

    def moved(self, address: Address) -> None:
        """It is at another address, and has proved it."""

    def checked(self, ufrag: str, address: Address, *, nominated: bool) -> None:
        """An authenticated check came in."""

    def dtls(self, datagram: bytes) -> None:
        """A DTLS record came in."""

    def media(self, slot: Slot) -> Route | None:
        """SRTP or SRTCP came in; returns where to send what is in the slot then."""

    def show(self, slot: Slot) -> None:
        """RTP came in and was opened, and goes on."""


class Budget:
    """How many checks each unknown address may have failed per second; beyond, it is not listened to."""

    def __init__(self, per_second: int = 50, addresses: int = 4096) -> None:
        self._per_second = per_second
        self._addresses = addresses
        self._second = 0
        self._failed: Counter[str] = Counter()

    def spent(self, host: str, now: float) -> bool:
        """Whether ``host`` has used up its share of this second; forged senders share what is left of the table."""
        if int(now) != self._second:
            self._second = int(now)
            self._failed.clear()
        return self._failed[host] >= self._per_second or len(self._failed) >= self._addresses

    def charge(self, host: str) -> None:
        """Another failed check."""
        self._failed[host] += 1


def make_room(udp: socket.socket) -> None:
    """Let the kernel keep :data:`BUFFER` bytes each way: all calls share them while this process is busy elsewhere.

    Linux gives no more than ``net.core.rmem_max`` (208 KiB as it comes: 20 ms of 60 calls) unless one may say so.
    """
    for plain, forced in ((socket.SO_RCVBUF, _RCVBUFFORCE), (socket.SO_SNDBUF, _SNDBUFFORCE)):
        try:
            if sys.platform != "linux":
                raise PermissionError
            udp.setsockopt(socket.SOL_SOCKET, forced, BUFFER)
        except PermissionError:
            udp.setsockopt(socket.SOL_SOCKET, plain, BUFFER)


class UdpPort:
    """The socket.  ``await`` nothing here: every datagram is handled to its end as it comes in."""

    def __init__(self, bind: str, port: int, clock: Callable[[], float], make: wire.MakeWire = best_wire) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            make_room(self._socket)
            self._socket.bind((bind, port))
        except OSError:
            self._socket.close()
            raise
        self._clock = clock
        self._budget = Budget()
        self._credentials: dict[str, tuple[str, Owner]] = {}
        self._owners: dict[Address, Owner] = {}
        self._by_route: dict[Route, wire.Take] = {}
        self._counters: Counter[str] = Counter()
        self._wire = make(wire.Ends(self._socket, self._counters, self._by_route, self._arrived, self._shown, clock))
        self._aside = new_slot()
        self._moves = Moves[Owner](self.send, clock)
        self._turns = Turns(self._socket.fileno(), self._wire.pump, clock)

    @property
    def counters(self) -> Counter[str]:
        """Packets and bytes in and out, and ``dropped_*`` by cause."""
        self._wire.tally()
        return self._counters

    @property
    def takes_flows(self) -> bool:
        """Whether packets of streams that are lent to it do not come to their leg any more."""
        return self._wire.takes_flows

    @property
    def number(self) -> int:
        """The port number in use."""
        return int(self._socket.getsockname()[1])

    def register(self, ufrag: str, password: str, owner: Owner) -> None:
        """Answer checks for these credentials; they belong to ``owner``."""
        self._credentials[ufrag] = (password, owner)

    def unregister(self, ufrag: str) -> None:
        """Answer no more checks for them."""
        self._credentials.pop(ufrag, None)

    def forget(self, owner: Owner) -> None:
        """Deliver nothing to ``owner`` any more."""
        for address in owner.addresses:
            if self._owners.get(address) is owner:
                self._release(address)
        owner.addresses.clear()
        self._moves.forget(owner)
        for ufrag in [ufrag for ufrag, (_, other) in self._credentials.items() if other is owner]:
            del self._credentials[ufrag]

    def held(self) -> tuple[int, int]:
        """Registered credentials and known addresses; both 0 when nobody is there."""
        return len(self._credentials), len(self._owners)

    def send(self, datagram: bytes, address: Address) -> None:
        """Put a datagram on the wire, or drop it when the kernel's buffer is full: late media is no use."""
        if isinstance(address, Way):
            self.counters["tcp_packets_out" if address.stream.send(datagram) else "dropped_tcp"] += 1
            return
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            self.counters["dropped_send"] += 1
            return
        self.counters["packets_out"] += 1
        self.counters["bytes_out"] += len(datagram)

    def route(self, address: Address) -> Route | None:
        """Where a wire would send to an address; None when it is not reached over the socket."""
        return None if isinstance(address, Way) else wire.route(address[:2])

    def deliver(self, datagram: bytes, address: Address) -> None:
        """A datagram that came in another way than over the socket."""
        owner = self._owners.get(address)
        if owner is None or not 127 < datagram[0] < 192:
            self._other(datagram, address)
        elif self._aside.put(datagram):
            onward = owner.media(self._aside)
            if onward is not None:
                self.send(self._aside.bytes(), wire.address(onward))

    def knows(self, address: Address) -> bool:
        """Whether a leg that lives has proved to be at this address."""
        return address in self._owners

    def close(self) -> None:
        """Release the port number; idempotent."""
        if self._socket.fileno() < 0:
            return
        self._turns.close()
        self._socket.close()
        self._credentials.clear()
        self._owners.clear()
        self._by_route.clear()
        self._wire.close()

    def _arrived(self, slot: Slot, sender: Route) -> None:
        self._other(slot.bytes(), wire.address(sender))

    def _shown(self, slot: Slot, sender: Route) -> None:
        self._owners[wire.address(sender)].show(slot)

    def _other(self, datagram: bytes, address: Address) -> None:
        """All that is not media of somebody who is known."""
        first = datagram[0] if datagram else 255
        if first < 4:
            self._stun(datagram, address)
            return
        owner = self._owners.get(address)
        if owner is None:
            self._stranger(datagram, address)
        elif 19 < first < 64:
            owner.dtls(datagram)
        else:
            self.counters["dropped_unknown"] += 1

    def _stranger(self, datagram: bytes, address: Address) -> None:
        """Nobody has proved to be there; but the media of somebody who is known may have moved."""
        self.counters["dropped_stranger"] += 1
        if len(datagram) < RTP_HEADER or not 127 < datagram[0] < 192 or isinstance(address, Way):
            return
        if self._budget.spent(address[0], self._clock()):
            return
        source = int.from_bytes(datagram[8:12])
        owner = next((owner for owner in self._owners.values() if source in owner.sources), None)
        if owner is None:
            self._budget.charge(address[0])
        else:
            self._moves.ask(owner, address)

    def _proved(self, datagram: bytes, address: Address) -> None:
        """An answer to a check of ours."""
        owner = self._moves.proved(datagram, address)
        if owner is not None and self._adopt(owner, address):
            self.counters["moved"] += 1
            owner.moved(address)
        elif owner is None:
            self._budget.charge(address[0])
            self.counters["dropped_stun"] += 1

    def _stun(self, datagram: bytes, address: Address) -> None:
        known = address in self._owners
        if not known and self._budget.spent(address[0], self._clock()):
            self.counters["dropped_stun_budget"] += 1
            return
        if is_probe(datagram):
            # As any STUN server; within the budget, for the sender may be forged.
            self._budget.charge(address[0])
            self.counters["probes"] += 1
            self.send(private.probe_answer(datagram, address), address)
            return
        if datagram.startswith(SUCCESS):
            self._proved(datagram, address)
            return
        request = private.parse_binding_request(datagram) if len(datagram) <= STUN_LONGEST else None
        ufrag = request.username.partition(":")[0] if request is not None else ""
        password, owner = self._credentials.get(ufrag, ("", None))
        if request is None or owner is None or not request.signed_with(password):
            # Silence, not 401: the sender may be forged, and a browser gains nothing from the answer.
            self._budget.charge(address[0])
            self.counters["dropped_stun"] += 1
            return
        if request.controlled:
            self.send(private.role_conflict(request, password), address)
            return
        if not self._adopt(owner, address):
            return
        self.send(private.binding_success(request, address, password), address)
        owner.checked(ufrag, address, nominated=request.nominated)

    def _adopt(self, owner: Owner, address: Address) -> bool:
        """Media from ``address`` is ``owner``'s from now on, unless it is in use by another leg."""
        earlier = self._owners.get(address)
        if earlier is owner:
            return True
        if earlier is not None:
            if self._clock() - earlier.heard < IN_USE_SECONDS:
                self.counters["dropped_in_use"] += 1
                return False
            earlier.addresses.pop(address, None)
        if len(owner.addresses) >= ADDRESSES_PER_LEG:
            # A traveller: the oldest address will be taken back by its next check if it is still good.
            oldest = next(iter(owner.addresses))
            del owner.addresses[oldest]
            self._release(oldest)
        self._owners[address] = owner
        owner.addresses[address] = None
        way = self.route(address)
        if way is not None:
            self._by_route[way] = owner.media
            self._wire.learn(way, owner.flow)
        return True

    def _release(self, address: Address) -> None:
        del self._owners[address]
        way = self.route(address)
        if way is not None:
            del self._by_route[way]
            self._wire.forget(way)
