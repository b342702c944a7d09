"""SRTP in a slot (RFC 3711): what a leg does to each packet, whichever way into libsrtp there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cffi
import pylibsrtp

SrtpError = (pylibsrtp.Error, ValueError)
"""What ``protect`` and ``unprotect`` raise: refused by libsrtp, or longer than its buffer."""
Work = Callable[[Any, Any], int]
"""Called with a slot's ``pointer`` and ``size``, which it changes.  0, or libsrtp refused and the packet is spoilt."""
_ffi = cffi.FFI()


@dataclass(frozen=True, slots=True)
class Cipher:
    """One session's work on packets where they lie, called as libsrtp itself is: nothing of Python in between."""

    open_rtp: Work
    open_rtcp: Work
    seal_rtp: Work
    seal_rtcp: Work
    session: pylibsrtp.Session
    """Whose memory they work with."""
    context: int | None = None
    """Where libsrtp keeps the session, for who may call it directly."""


def copying(session: pylibsrtp.Session) -> Cipher:
    """Through the public interface of pylibsrtp, which takes and gives copies."""

    def through(work: Callable[[bytes], bytes]) -> Work:
        def run(pointer: Any, size: Any) -> int:
            try:
                packet = work(_ffi.buffer(pointer, size[0])[:])
            except SrtpError:
                return 1
            size[0] = len(packet)
            _ffi.memmove(pointer, packet, len(packet))
            return 0

        return run

    return Cipher(
        through(session.unprotect), through(session.unprotect_rtcp),
        through(session.protect), through(session.protect_rtcp), session,
    )  # fmt: skip
