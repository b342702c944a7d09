"""Memory that Python and C share: datagrams in slots, and the structures of fastpath.h."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import cffi

DATAGRAM = 2048
TRAILER = 256
"""Room behind a datagram: SRTP adds up to 148 bytes (libsrtp, SRTP_MAX_TRAILER_LEN)."""
ffi = cffi.FFI()
ffi.cdef(files("helpouts_video_aiortc").joinpath("fastpath.h").read_text("utf-8"))


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


def new_slot() -> Slot:
    """A slot of its own."""
    block = ffi.new("unsigned char[]", DATAGRAM + TRAILER)
    return Slot(memoryview(ffi.buffer(block)), block, ffi.new("int *"))
