"""One end of a call's media: what the browser sends is opened, rewritten, and protected for the other end."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from helpouts_video_aiortc import rtcp
from helpouts_video_aiortc.keyframes import RTP_HEADER, starts_keyframe
from helpouts_video_aiortc.lending import Loan
from helpouts_video_aiortc.memory import Slot, new_slot
from helpouts_video_aiortc.private import Address
from helpouts_video_aiortc.rewrite import Outgoing, Packet, Stream
from helpouts_video_aiortc.slots import VIDEO
from helpouts_video_aiortc.srtp import Cipher
from helpouts_video_aiortc.wire import Route

if TYPE_CHECKING:
    from helpouts_video_aiortc.port import UdpPort

log = logging.getLogger(__name__)

PACKETS_PER_SWEEP = 8000
"""Packets that a leg may send between two sweeps (2 s): several times what pictures at 10 Mb/s take, 5 % of a core."""
SOURCES_PER_LEG = 32
"""SSRCs that one leg may send with: libsrtp keeps state for each, and a browser needs five."""
_source = struct.Struct("!I").unpack_from
_OWN = new_slot()
"""Where RTCP of the relay's own making is sealed, while a packet waits in its slot."""


class MediaEnd:
    """Where the browser is, its keys and its streams; who finds all this out is :class:`helpouts_video_aiortc.leg.Leg`.

    :param clock: seconds of a monotonic clock.
    """

    def __init__(self, port: UdpPort, clock: Callable[[], float]) -> None:
        self.peer: MediaEnd | None = None
        self.outgoing = Outgoing(self._new_source)
        self.sources: dict[int, int] = {}
        """SSRCs that the browser sends with, and their payload types; the latest of a payload type comes last."""
        self._loan, self._lends = Loan(PACKETS_PER_SWEEP), port.takes_flows
        self.flow = self._loan.flow
        """What of the browser's media the fast path may take, and how many packets are taken before the next sweep."""
        self._tap: Callable[[bytes, float], None] | None = None
        self._tap_failed = False
        self._address: Address | None = None
        self._route: Route | None = None
        self._opening: Cipher | None = None
        self._sealing: Cipher | None = None
        self._port = port
        self._clock = clock

    @property
    def connected(self) -> bool:
        """Whether media can flow to and from the browser."""
        return self._sealing is not None

    @property
    def tap(self) -> Callable[[bytes, float], None] | None:
        """Shown every opened RTP packet and RTCP compound of the browser, before rewriting, with its arrival on
        the leg's clock in seconds.  What it raises is logged once and counted; the call goes on."""
        return self._tap

    @tap.setter
    def tap(self, tap: Callable[[bytes, float], None] | None) -> None:
        self._recall()
        self._tap = tap

    def join(self, peer: MediaEnd | None) -> None:
        """Receive from ``peer`` from now on."""
        if peer is not self.peer:
            self._recall()
            self.peer = peer
            self.outgoing.detach()

    def _go_to(self, address: Address) -> None:
        self._recall()
        self._address, self._route = address, self._port.route(address)

    def _recall(self) -> None:
        """Something changes, here or there: the next packet of each stream, both ways, is ours again."""
        self._loan.recall()
        if self.peer is not None:
            self.peer._loan.recall()

    def media(self, slot: Slot) -> Route | None:
        """SRTP or SRTCP from the browser: opened, also when nobody listens, and made ready for the other leg.

        Opening everything keeps the roll-over counter in step (RFC 3711 section 3.3.1): after 65 536 packets that
        were skipped nothing could be opened any more.  Returns where to send what is in the slot then.
        """
        opening = self._opening
        if opening is None:
            return self._drop("early")
        self.flow.allowance -= 1
        if self.flow.allowance < 0:
            return self._drop("rate")
        memory, size = slot.memory, slot.size
        if size[0] < RTP_HEADER or 192 <= memory[1] <= 223:
            return self._control(slot, opening)
        source, sources = _source(memory, 8)[0], self.sources
        if source not in sources and len(sources) >= SOURCES_PER_LEG:
            return self._drop("sources")
        if opening.open_rtp(slot.pointer, size):
            return self._drop("srtp")
        payload = memory[1] & 0x7F
        if sources.get(source) != payload:
            sources.pop(source, None)
            sources[source] = payload
        if self._tap is not None:
            self.show(slot)
        peer = self.peer
        if peer is None or peer._sealing is None:
            return None
        if not peer.outgoing.rewrite(memory, size[0], self._clock()):
            return self._drop("unplaced")
        if peer._sealing.seal_rtp(slot.pointer, size):
            return self._drop("srtp")
        if peer._route is None:
            return peer._detour(slot)
        if self._lends:
            self._loan.lend(payload, opening, peer._sealing, peer.outgoing, peer._route, shown=self._tap is not None)
        return peer._route

    def _control(self, slot: Slot, opening: Cipher) -> Route | None:
        """Feedback and reports, for the other leg in its own numbers."""
        if not rtcp.is_rtcp(slot.memory[: slot.length]) or opening.open_rtcp(slot.pointer, slot.size):
            return self._drop("srtp")
        if self._tap is not None:
            self.show(slot)
        peer = self.peer
        if peer is None or peer._sealing is None:
            return None
        return peer._seal_rtcp(slot, rtcp.translate(slot.bytes(), self.outgoing, peer.outgoing))

    def show(self, slot: Slot) -> None:
        """Let the tap see a packet; whatever becomes of it, the packet goes on and so do the others."""
        if self._tap is None:
            return
        try:
            self._tap(slot.bytes(), self._clock())
        except Exception:
            self._drop("tap")
            if not self._tap_failed:
                self._tap_failed = True
                log.exception("a tap failed; the call goes on without it")

    def _drop(self, cause: str) -> Route | None:
        """Count a packet that goes nowhere, which is what it returns."""
        self._port.counters[f"dropped_{cause}"] += 1
        return None

    def _seal_rtcp(self, slot: Slot, compound: bytes) -> Route | None:
        """RTCP in this browser's own numbers; nothing when it is empty."""
        if not compound or self._sealing is None:
            return None
        if not slot.put(compound) or self._sealing.seal_rtcp(slot.pointer, slot.size):
            return self._drop("srtp")
        return self._route if self._route is not None else self._detour(slot)

    def _detour(self, slot: Slot) -> Route | None:
        """To a browser that is not behind the socket, at once."""
        self._send(slot.bytes())
        return None

    def send_rtcp(self, compound: bytes) -> None:
        """Say something to this browser of our own."""
        if self._seal_rtcp(_OWN, compound) is not None:
            self._send(_OWN.bytes())

    def refill(self) -> None:
        """Another stretch of time has begun: see :data:`PACKETS_PER_SWEEP`."""
        self.flow.allowance = PACKETS_PER_SWEEP

    def request_keyframes(self) -> None:
        """Ask the browser for a fresh picture of everything that it shows, so that a newcomer sees it at once."""
        if self.connected:
            latest = {payload: source for source, payload in self.sources.items() if payload in VIDEO}
            for source in latest.values():
                self.send_rtcp(rtcp.picture_loss(next(iter(self.outgoing.by_ssrc)), source))

    def _new_source(self, stream: Stream, packet: Packet) -> None:
        peer = self.peer
        if peer is None or stream.primary is not None or stream.slot.media != "video":
            return
        if not starts_keyframe(packet) and stream.source is not None:
            peer.send_rtcp(rtcp.picture_loss(next(iter(peer.outgoing.by_ssrc)), stream.source))

    def _send(self, datagram: bytes) -> None:
        if self._address is not None:
            self._port.send(datagram, self._address)
