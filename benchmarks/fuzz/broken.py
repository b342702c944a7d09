"""Broken messages of each kind, all from one random generator; pure."""

from __future__ import annotations

import json
import random
import string
import struct
from collections.abc import Iterator, Sequence
from typing import Any

PAYLOADS = (111, *range(96, 104), 0, 72, 127)


def flipped(chance: random.Random, message: bytes, start: int = 0) -> bytes:
    """Some bits of a good message turned over, behind the first bytes; sometimes cut short or longer."""
    out = bytearray(message)
    for _bit in range(chance.choice((1, 1, 2, 8, 64))):
        if len(out) > start:
            out[chance.randrange(start, len(out))] ^= 1 << chance.randrange(8)
    if not chance.randrange(4):
        out = out[: max(start, chance.randrange(len(out) + 1))]
    if not chance.randrange(8):
        out += chance.randbytes(chance.randrange(200))
    if out == message and len(out) > start:  # the same bit twice
        out[start] ^= 1
    return bytes(out)


def noise(chance: random.Random, firsts: Sequence[int]) -> bytes:
    """A random datagram whose first byte says what it claims to be."""
    return bytes([chance.choice(firsts)]) + chance.randbytes(chance.choice((0, 1, 3, 11, 19, 40, 300, 1400)))


def stun(chance: random.Random, good: bytes) -> bytes:
    """A check: noise, with bits turned over, with attributes of any length."""
    kind = chance.randrange(4)
    if kind == 0:
        return noise(chance, range(4))
    if kind == 1:
        return flipped(chance, good)
    attributes = b""
    for _attribute in range(chance.randrange(40)):
        value = chance.randbytes(chance.randrange(24))
        length = len(value) if kind == 2 else chance.randrange(1 << 16)
        attributes += struct.pack(
            "!HH", chance.choice((1, 6, 8, 9, 0x20, 0x24, 0x25, 0x802A, chance.randrange(1 << 16))), length
        )
        attributes += value + bytes(-len(value) % 4)
    return struct.pack("!HHI", 1, len(attributes) & 0xFFFF, 0x2112A442) + chance.randbytes(12) + attributes


def rtp(chance: random.Random, number: int) -> bytes:
    """A packet that says of itself what is not so: sources, extensions, padding, retransmissions of nothing.

    Mostly it has the sequence number that it is given, or libsrtp would not take many from one source.
    """
    first = 0x80 | chance.randrange(64)
    kind = chance.choice(PAYLOADS) | chance.choice((0, 0x80))
    sequence = chance.choice((number, number, number, chance.randrange(1 << 16)))
    source = chance.choice((7, 8, 9, chance.randrange(1 << 32)))
    head = struct.pack("!BBHII", first, kind, sequence, chance.randrange(1 << 32), source)
    tail = chance.randbytes(chance.choice((0, 1, 2, 4, 5, 60, 1100)))
    if first & 0x10 and chance.randrange(2):
        tail = struct.pack("!HH", chance.choice((0xBEDE, 0x1000, 7)), chance.choice((0, 1, 3, 0xFFFF))) + tail
    return head + tail


def rtcp(chance: random.Random, ssrcs: Sequence[int]) -> bytes:
    """A compound of packets with any counts, lengths and contents, about streams that exist and others."""
    out = b""
    for _packet in range(chance.randrange(1, 5)):
        body = b"".join(
            struct.pack("!I", chance.choice((*ssrcs, 7, chance.randrange(1 << 32))))
            for _word in range(chance.randrange(14))
        )
        if not chance.randrange(4):
            body = body[:8] + chance.choice((b"REMB", b"\0\0\0\0")) + bytes([chance.randrange(256)]) + body[13:]
        words = len(body) // 4 if chance.randrange(4) else chance.randrange(1 << 16)
        out += struct.pack("!BBH", 0x80 | chance.randrange(64), chance.randrange(192, 224), words) + body
    return out


def frames(chance: random.Random, good: Sequence[bytes]) -> bytes:
    """What somebody sends over TCP."""
    out = b""
    for _frame in range(chance.randrange(1, 12)):
        datagram = flipped(chance, chance.choice(good)) if chance.randrange(2) else noise(chance, range(256))
        length = len(datagram) if chance.randrange(4) else chance.choice((0, 1, 2048, 2049, 65535))
        out += struct.pack("!H", length) + datagram
    return out


def answer(chance: random.Random, good: str) -> bytes:
    """A session description that was an answer once."""
    text = flipped(chance, good.encode())
    lines = text.split(b"\r\n")
    for _line in range(chance.randrange(4)):
        at = chance.randrange(len(lines))
        lines[at : at + 1] = chance.choice(
            ([], [lines[at]] * 2, [b"a=" + chance.randbytes(9)], [b"m=video"], [b"m=" + b"9 " * 500])
        )
    return b"\r\n".join(lines)


def signal(chance: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can say, and now and then something that means something."""
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return chance.choice((None, True, 0, -1, 1e300, 2**70, "", "audio", "video"))
    if kind == 1:
        return "".join(chance.choices(string.printable + "\x00é\U0001f600", k=chance.randrange(200)))
    if kind < 4:
        return {"sending": signal(chance, depth + 1)}
    if kind < 6:
        return {chance.choice(("hello", "ready", "negotiate", "")): chance.choice((True, [], {}, "x"))}
    if kind == 6:
        return [signal(chance, depth + 1) for _entry in range(chance.randrange(5))]
    return {str(key): signal(chance, depth + 1) for key in range(chance.randrange(5))}


def requests(
    chance: random.Random, base: str, location: str, good: str
) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Method, URL, headers and body of calls that the signalling must refuse, or take without harm."""
    legs = f"{base}/x/video_aiortc/legs"
    while True:
        url = chance.choice(
            (legs, location, f"{location}/restart", f"{location}/offer", f"{legs}/{chance.randrange(99)}")
        )
        headers = {}
        if chance.randrange(2):
            headers["Content-Type"] = chance.choice(("application/sdp", "application/json", "text/plain; charset=nope"))
        if chance.randrange(2):
            headers["If-Match"] = chance.choice(("*", '"', '"old"', "W/x, *", "," * 50))
        if chance.randrange(2):
            headers["Authorization"] = chance.choice(("Bearer", "Bearer x", "Bearer " + "y" * 900, "Basic eA=="))
        body = chance.choice((b"", answer(chance, good), chance.randbytes(50), json.dumps(signal(chance)).encode()))
        yield chance.choice(("POST", "PATCH", "PATCH", "PATCH", "GET", "PUT")), url, headers, body
