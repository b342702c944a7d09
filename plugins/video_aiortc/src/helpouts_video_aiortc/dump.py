"""How packets of a recorded call are kept: arrival (seconds since 1970, by this machine's clock), length, bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEAD = struct.Struct("!dH")


def entry(arrival: float, packet: bytes) -> bytes:
    """One packet of at most 65 535 bytes as it is kept."""
    return _HEAD.pack(arrival, len(packet)) + packet


def entries(data: bytes) -> Iterator[tuple[float, bytes]]:
    """The packets that were kept, with their arrival; stops where the bytes are cut off."""
    at, end = 0, len(data)
    while at + _HEAD.size <= end:
        arrival, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > end:
            return
        yield arrival, data[at - length : at]
