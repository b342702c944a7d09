"""Asking the relay, from outside its process, whether datagrams reach it: a plain STUN request over UDP and TCP."""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from typing import Literal

HEADER = bytes.fromhex("000100002112a442")
"""A binding request without attributes (RFC 8489 section 5); a transaction id of 12 bytes follows."""
ANSWER = b"\x01\x01"
SECONDS = 1.5
"""How long an answer may take; over UDP the question is asked three times meanwhile."""
Protocol = Literal["udp", "tcp"]


def is_probe(datagram: bytes) -> bool:
    """Whether this is such a request; browsers' checks say who they are, and are longer."""
    return len(datagram) == 20 and datagram.startswith(HEADER)


def answers(protocol: Protocol, host: str, port: int) -> bool:
    """Whether a relay answers there; False after :data:`SECONDS` at the latest."""
    question = HEADER + secrets.token_bytes(12)
    with contextlib.suppress(OSError):
        answer = _udp(question, (host, port)) if protocol == "udp" else _tcp(question, (host, port))
        return answer[:2] == ANSWER and answer[8:20] == question[8:20]
    return False


def _udp(question: bytes, address: tuple[str, int]) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(SECONDS / 3)
        asker.connect(address)
        for _attempt in range(3):
            asker.send(question)
            with contextlib.suppress(TimeoutError):
                return asker.recv(2048)
    return b""


def _tcp(question: bytes, address: tuple[str, int]) -> bytes:
    end = time.monotonic() + SECONDS
    with socket.create_connection(address, SECONDS) as asker:
        asker.sendall(len(question).to_bytes(2) + question)
        got = b""
        while len(got) < 2 or len(got) < 2 + int.from_bytes(got[:2]):
            asker.settimeout(max(0.01, end - time.monotonic()))
            more = asker.recv(2048)
            if not more:
                break
            got += more
    return got[2:]
