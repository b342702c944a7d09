"""SRTP in a slot (RFC 3711): what a leg does to each packet, whichever way into libsrtp there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pylibsrtp

from helpouts_video_aiortc.batch import Slot

SrtpError = (pylibsrtp.Error, ValueError)
"""What ``protect`` and ``unprotect`` raise: refused by libsrtp, or longer than its buffer."""
LONGEST = 1500
RTP_TRAILER, RTCP_TRAILER = 144, 148
"""Bytes: what pylibsrtp takes, and what it keeps free for what is added (``SRTP_MAX_TRAILER_LEN``)."""
Work = Callable[[Slot], bool]


@dataclass(frozen=True, slots=True)
class Cipher:
    """One session's work on a slot; each is false, and the slot is spoilt, when libsrtp refuses."""

    open_rtp: Work
    open_rtcp: Work
    seal_rtp: Work
    seal_rtcp: Work


def copying(session: pylibsrtp.Session) -> Cipher:
    """Through the public interface of pylibsrtp, which takes and gives copies."""

    def through(work: Callable[[bytes], bytes]) -> Work:
        def run(slot: Slot) -> bool:
            try:
                return slot.put(work(slot.bytes()))
            except SrtpError:
                return False

        return run

    return Cipher(
        through(session.unprotect), through(session.unprotect_rtcp),
        through(session.protect), through(session.protect_rtcp),
    )  # fmt: skip
