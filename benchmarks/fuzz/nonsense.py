"""What broken and hostile browsers say to a live process, all from one random generator; pure."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Sequence
from typing import Any

from benchmarks.fuzz import broken

PATHS = (
    "/ws",
    "/ws/desk",
    "/check",
    "/check/echo",
    "/healthz",
    "/readyz",
    "/x/video_aiortc/legs",
    "/x/none",
    "/%00",
    "/../x",
)


def value(chance: random.Random) -> Any:
    """A value that no field of a message expects."""
    return chance.choice((
        None, True, -1, 1e308, 2**70, float("nan"), "", "x" * chance.randrange(3000), "\0", "\ud800", [], {}, [[]] * 9,
        {"a": {"b": [None]}}, "9" * 400, broken.signal(chance),
    ))  # fmt: skip


def message(chance: random.Random, kinds: Sequence[str]) -> str:
    """A text that a page in a room would not send: wrong types, too deep, too long, no JSON."""
    kind = chance.randrange(8)
    if kind == 0:
        return broken.flipped(chance, json.dumps({"type": "chat", "body": "hello"}).encode()).decode("utf-8", "replace")
    if kind == 1:
        return chance.choice(
            ("[" * 20_000, '{"a":' * 8_000, "9" * 9_000, "", "null", "[]", '"ping"', "{" + " " * 50_000)
        )
    names = ("client_id", "body", "data", "mic", "agree", "adult", "delete", "id", "strokes", "revision", "change",
             "minutes", "rttMs", "path", "quality", "media", "snapshot", "stroke", "points", "after")  # fmt: skip
    said = {chance.choice(names): value(chance) for _field in range(chance.randrange(7))}
    said["type"] = chance.choice((*kinds, *kinds, None, 7, "x" * 99, []))
    return json.dumps(said)


def hello(chance: random.Random, used: str) -> str | bytes:
    """A first message that leads nowhere; ``used`` is a ticket that was good once."""
    ticket: object = chance.choice((used, "x" * chance.randrange(40_000), None, 7, [], "\0", "\ud800", "é" * 32))
    said = {"type": "hello", "ticket": ticket, "after": value(chance), "device": value(chance), "media": value(chance)}
    return chance.choice((json.dumps(said), json.dumps(said), message(chance, ("hello",)), chance.randbytes(50)))


def frames(chance: random.Random) -> bytes:
    """WebSocket frames (RFC 6455, section 5.2) that are cut off, unmasked, reserved, or announce too much."""
    out = b""
    for _frame in range(chance.randrange(1, 5)):
        first = chance.choice((0x81, 0x01, 0x80, 0x82, 0x88, 0x89, 0x8F, 0xF1, 0x83, chance.randrange(256)))
        size = chance.choice((0, 5, 125, 126, 127, 127))
        mask = chance.choice((0x80, 0x80, 0x80, 0))
        out += bytes([first, mask | size])
        if size > 125:
            wide = struct.pack("!H", chance.choice((1, 300, 65535)))
            out += wide if size == 126 else struct.pack("!Q", chance.choice((70_000, 2**31, 2**63, 2**64 - 1)))
        out += chance.randbytes(chance.choice((0, 2, 4, 9, 130, 2000)))
    return out


def request(chance: random.Random) -> bytes:
    """The beginning of an HTTP request, good or not, perhaps its end as well."""
    method = chance.choice(("GET", "POST", "OPTIONS", "PATCH", "G\0T", "", "X" * 9000))
    lines = [f"{method} {chance.choice(PATHS)} HTTP/1.1"]
    lines += ["Host: x"] * chance.randrange(3)
    for _header in range(chance.randrange(9)):
        lines.append(chance.choice((
            "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999", "Transfer-Encoding: chunked",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x",
            "a" * 9000, "Origin: null", "Authorization: Bearer " + "é" * 30, ": x", "Expect: 100-continue",
            "Content-Encoding: gzip",
        )))  # fmt: skip
    whole = (
        "\r\n".join(lines).encode() + b"\r\n\r\n" + chance.choice((b"", b"5\r\nhello", b"ffffffff\r\n", b"0\r\n\r\n"))
    )
    return whole[: chance.choice((len(whole), len(whole), chance.randrange(len(whole) + 1)))]
