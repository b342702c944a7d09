"""Datagrams in and out of the socket: many with one system call where the system has that, else one by one.

Both ways read into *slots*, pieces of memory in which a packet is opened, rewritten and protected where it lies, and
send from the same slots.  Linux has ``recvmmsg`` and ``sendmmsg``; they are called through cffi without a compiler.
"""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import cffi

Address = tuple[str, int]
Route = int
"""An IPv4 address and a port as is cheapest to compare: made by :func:`route`, read by :func:`address`."""

DATAGRAM = 2048
TRAILER = 256
"""Room behind a datagram: SRTP adds up to 148 bytes (libsrtp, SRTP_MAX_TRAILER_LEN)."""
BATCH = 64
BURST = 256
"""Datagrams read before the event loop gets its turn."""
log = logging.getLogger(__name__)
_ffi = cffi.FFI()
_ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
    int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
    """
)
_DONTWAIT = 0x40
_FAMILY = socket.AF_INET.to_bytes(2, sys.byteorder)
_NAME, _VECTOR, _MESSAGE = 16, 16, 64
"""Bytes of sockaddr_in, iovec and mmsghdr on 64-bit Linux."""


class Slot:
    """Room for one datagram: ``memory`` for Python, ``pointer`` to the same for C, ``size`` to its length."""

    __slots__ = ("memory", "pointer", "size")

    def __init__(self, memory: memoryview, pointer: Any, size: Any) -> None:
        self.memory, self.pointer, self.size = memory, pointer, size

    @property
    def length(self) -> int:
        """Bytes of the datagram."""
        return int(self.size[0])

    def put(self, datagram: bytes) -> bool:
        """Fill it; false when the datagram is too long."""
        if len(datagram) > DATAGRAM:
            return False
        self.memory[: len(datagram)] = datagram
        self.size[0] = len(datagram)
        return True

    def bytes(self) -> bytes:
        """A copy of what is in it."""
        return bytes(self.memory[: self.size[0]])


def slots(count: int, size: Callable[[int], Any] | None = None) -> list[Slot]:
    """Slots in one piece of memory, which lives as long as one of them.

    :param size: where the length of a numbered slot is kept; the caller's to keep alive.
    """
    stride = DATAGRAM + TRAILER
    block = _ffi.new("unsigned char[]", count * stride)
    memory = memoryview(_ffi.buffer(block))
    return [
        Slot(memory[at : at + stride], block + at, size(number) if size is not None else _ffi.new("int *"))
        for number, at in enumerate(range(0, count * stride, stride))
    ]


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


def _failed(counters: Counter[str], error: Exception) -> None:
    """A packet could not be handled: a bug, shown once in full."""
    if not counters["dropped_error"]:
        log.error("a packet could not be handled; the others are", exc_info=error)
    counters["dropped_error"] += 1


class Wire(Protocol):
    """Moves datagrams between a socket and slots."""

    def pump(self, known: Mapping[Route, Take], other: Deliver) -> int:
        """Read what is there, up to :data:`BURST`; deliver each; send what comes back; return how many were read.

        :param known: takes media (RFC 7983: the first byte is 128 to 191), by where it comes from; all else is the
            ``other``'s.
        """


class Plain:
    """One datagram at a time, on any system."""

    def __init__(self, udp: socket.socket, counters: Counter[str]) -> None:
        self._socket, self._counters = udp, counters
        self._slot = slots(1)[0]
        self._room = self._slot.memory[:DATAGRAM]

    def pump(self, known: Mapping[Route, Take], other: Deliver) -> int:
        """See :class:`Wire`."""
        slot, counters = self._slot, self._counters
        for turn in range(BURST):
            try:
                slot.size[0], sender = self._socket.recvfrom_into(self._room)
            except BlockingIOError:
                return turn
            except OSError:
                counters["dropped_receive"] += 1
                return turn
            counters["packets_in"] += 1
            counters["bytes_in"] += slot.length
            way = route(sender)
            take = known.get(way) if 127 < slot.memory[0] < 192 and slot.length else None
            try:
                out = take(slot) if take is not None else other(slot, way)
            except Exception as error:
                _failed(counters, error)
                out = None
            if out is None:
                continue
            try:
                self._socket.sendto(slot.memory[: slot.length], address(out))
            except OSError:
                counters["dropped_send"] += 1
            else:
                counters["packets_out"] += 1
                counters["bytes_out"] += slot.length
        return BURST


class Batched:
    """As many as are there, up to :data:`BATCH`, with one call in and one out.

    What is sent leaves from where it was received: the same message headers serve both directions, only address and
    length change, and packets that lie side by side go out with one call.

    :raises OSError: the system has no such calls, or lays its structures out in another way.
    """

    def __init__(self, udp: socket.socket, counters: Counter[str]) -> None:
        try:
            libc = _ffi.dlopen(None)
            self._receive, self._send = libc.recvmmsg, libc.sendmmsg
        except AttributeError as error:
            raise OSError("no recvmmsg and sendmmsg here") from error
        if not sys.platform.startswith("linux") or _ffi.sizeof("struct mmsghdr") != _MESSAGE:
            raise OSError("not 64-bit Linux")
        if sys.byteorder != "little":
            raise OSError("the lower half of a length does not come first here")
        self._descriptor, self._counters = udp.fileno(), counters
        # Whatever C points to must stay referenced from Python, or it is freed under the kernel's hands.
        self._name_block = _ffi.new("unsigned char[]", BATCH * _NAME)
        self._vector_block = _ffi.new("struct iovec[]", BATCH)
        self._messages = _ffi.new("struct mmsghdr[]", BATCH)
        vectors = self._vector_block
        self._slots = slots(BATCH, lambda number: _ffi.cast("int *", _ffi.addressof(vectors[number], "iov_len")))
        for number, slot in enumerate(self._slots):
            vector, header = vectors + number, self._messages[number].msg_hdr
            vector.iov_base, vector.iov_len = slot.pointer, DATAGRAM
            header.msg_name, header.msg_namelen = self._name_block + number * _NAME, _NAME
            header.msg_iov, header.msg_iovlen = vector, 1
        self._at = [self._messages + number for number in range(BATCH)]
        self._routes = memoryview(_ffi.buffer(self._name_block)).cast("Q")
        self._vectors = memoryview(_ffi.buffer(vectors)).cast("B")
        self._empty = bytes(self._vectors)
        self._rooms = self._vectors.cast("Q")
        self._lengths = memoryview(_ffi.buffer(self._messages)).cast("B").cast("I")

    def pump(self, known: Mapping[Route, Take], other: Deliver) -> int:
        """See :class:`Wire`."""
        routes, rooms, lengths, everything = self._routes, self._rooms, self._lengths, self._slots
        counters = self._counters
        for turn in range(BURST // BATCH):
            count = self._receive(self._descriptor, self._messages, BATCH, _DONTWAIT, _ffi.NULL)
            if count < 0:
                if _ffi.errno != errno.EAGAIN:
                    counters["dropped_receive"] += 1
                return turn * BATCH
            first = octets = 0
            for number in range(count):
                slot = everything[number]
                rooms[2 * number + 1] = length = lengths[16 * number + 14]
                octets += length
                way = routes[2 * number]
                take = known.get(way) if length and 127 < slot.memory[0] < 192 else None
                try:
                    out = take(slot) if take is not None else other(slot, way)
                except Exception as error:
                    # One packet must not take the rest of the batch with it.
                    _failed(counters, error)
                    out = None
                if out is None:
                    if number > first:
                        self._flush(first, number)
                    first = number + 1
                else:
                    routes[2 * number] = out
            if count > first:
                self._flush(first, count)
            self._vectors[: _VECTOR * count] = self._empty[: _VECTOR * count]
            counters["packets_in"] += count
            counters["bytes_in"] += octets
            if count < BATCH:
                return turn * BATCH + int(count)
        return BURST

    def _flush(self, first: int, end: int) -> None:
        """Send the slots from ``first`` up to ``end``; what the kernel does not take is dropped: late is no use."""
        rooms, counters = self._rooms, self._counters
        octets = sum(rooms[2 * first + 1 : 2 * end : 2])
        dropped = 0
        at = first
        while at < end:
            sent = self._send(self._descriptor, self._at[at], end - at, _DONTWAIT)
            if sent > 0:
                at += sent
                continue
            # The first of the rest cannot be sent: only this one, or, when the buffer is full, none of them.
            refused = end - at if _ffi.errno == errno.EAGAIN else 1
            octets -= sum(rooms[2 * number + 1] for number in range(at, at + refused))
            dropped += refused
            at += refused
        counters["packets_out"] += end - first - dropped
        counters["bytes_out"] += octets
        if dropped:
            counters["dropped_send"] += dropped


MakeWire = Callable[[socket.socket, Counter[str]], Wire]


def best_wire(udp: socket.socket, counters: Counter[str]) -> Wire:
    """The batched way where it works, else the plain one."""
    try:
        return Batched(udp, counters)
    except OSError:
        return Plain(udp, counters)
