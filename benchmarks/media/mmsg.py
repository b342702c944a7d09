"""Sending and receiving many datagrams with one system call (Linux), so that the load costs little."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import cffi

ffi = cffi.FFI()
ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int recvmmsg(int, struct mmsghdr *, unsigned int, int, void *);
    int sendmmsg(int, struct mmsghdr *, unsigned int, int);
    """
)
libc = ffi.dlopen(None)
DONTWAIT = 0x40
ROOM, SLOTS = 2048, 64


class Prepared:
    """Datagrams that lie ready for one connected socket, in groups that leave together."""

    def __init__(self, groups: Sequence[Sequence[bytes]]) -> None:
        flat = [packet for group in groups for packet in group]
        self._data = ffi.from_buffer(b"".join(flat))
        self._vectors = ffi.new("struct iovec[]", len(flat))
        self._headers = ffi.new("struct mmsghdr[]", len(flat))
        at = 0
        for number, packet in enumerate(flat):
            self._vectors[number].iov_base = self._data + at
            self._vectors[number].iov_len = len(packet)
            header = self._headers[number].msg_hdr
            header.msg_iov = self._vectors + number
            header.msg_iovlen = 1
            at += len(packet)
        self.groups = []
        first = 0
        for group in groups:
            self.groups.append((self._headers + first, len(group)))
            first += len(group)

    def send(self, number: int, descriptor: int) -> int:
        """How many of the group's datagrams the kernel took."""
        headers, count = self.groups[number]
        return max(0, int(libc.sendmmsg(descriptor, headers, count, DONTWAIT)))


class Drain:
    """Reads what has come in on any socket."""

    def __init__(self) -> None:
        self._block = ffi.new("unsigned char[]", ROOM * SLOTS)
        self._vectors = ffi.new("struct iovec[]", SLOTS)
        self._headers = ffi.new("struct mmsghdr[]", SLOTS)
        for number in range(SLOTS):
            self._vectors[number].iov_base = self._block + number * ROOM
            self._vectors[number].iov_len = ROOM
            self._headers[number].msg_hdr.msg_iov = self._vectors + number
            self._headers[number].msg_hdr.msg_iovlen = 1
        self._view = memoryview(ffi.buffer(self._block))

    def media(self, descriptor: int, others: list[bytes]) -> int:
        """How many media packets were there; what is neither media nor its control goes to ``others``."""
        found = 0
        while True:
            count = libc.recvmmsg(descriptor, self._headers, SLOTS, DONTWAIT, ffi.NULL)
            for number in range(max(0, count)):
                at = number * ROOM
                if self._view[at] < 128:
                    others.append(bytes(self._view[at : at + self._headers[number].msg_len]))
                else:
                    found += not 192 <= self._view[at + 1] <= 223
            if count < SLOTS:
                return found


def stamped(receiver: socket.socket) -> tuple[bytes, float] | None:
    """A datagram and when the kernel got it, in seconds of the wall clock (SO_TIMESTAMPNS); None when none is there."""
    try:
        data, extra, _flags, _address = receiver.recvmsg(ROOM, 64)
    except OSError:
        return None
    for _level, kind, value in extra:
        if kind == TIMESTAMP:
            seconds, nanoseconds = memoryview(value).cast("q")
            return data, seconds + nanoseconds / 1e9
    raise RuntimeError("the kernel put no time on a datagram")


TIMESTAMP = 35
"""SO_TIMESTAMPNS, also the type of its control message (asm-generic/socket.h)."""
