"""One participant's side of a call: ICE credentials, DTLS-SRTP, and what is sent to the browser."""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from helpouts_video_aiortc import rtcp
from helpouts_video_aiortc.agreement import ALL, Payloads, Side
from helpouts_video_aiortc.keyframes import RTP_HEADER, starts_keyframe
from helpouts_video_aiortc.memory import Slot, ffi, new_slot
from helpouts_video_aiortc.private import Address, DtlsLink, RTCCertificate, sha256_fingerprint
from helpouts_video_aiortc.rewrite import Outgoing, Packet, Stream
from helpouts_video_aiortc.sdp import Answer, Ice, Offer
from helpouts_video_aiortc.slots import SLOTS, VIDEO
from helpouts_video_aiortc.srtp import Cipher
from helpouts_video_aiortc.wire import Route

if TYPE_CHECKING:
    from helpouts_video_aiortc.port import UdpPort

log = logging.getLogger(__name__)

GAP_SECONDS = 4.0
"""Browsers check at least every 2.5 s; who has not for this long was away."""
PACKETS_PER_SWEEP = 8000
"""Packets that a leg may send between two sweeps (2 s): several times what pictures at 10 Mb/s take, 5 % of a core."""
SOURCES_PER_LEG = 32
"""SSRCs that one leg may send with: libsrtp keeps state for each, and a browser needs five."""
_source = struct.Struct("!I").unpack_from
_OWN = new_slot()
"""Where RTCP of the relay's own making is sealed, while a packet waits in its slot."""
PAYLOADS = [payload for slot in SLOTS for payload in (slot.payload, slot.rtx) if payload is not None]


def new_ice() -> Ice:
    """Fresh credentials; 128 bits of password as RFC 8445 section 5.3 asks for."""
    return Ice(secrets.token_hex(6), secrets.token_hex(16))


class Leg:
    """A browser's connection to the relay.  Made with the offer, closed for good by :meth:`close`.

    :param clock: seconds of a monotonic clock.
    :param changed: called with the leg when it becomes connected or is over.
    """

    def __init__(
        self,
        participant: str,
        port: UdpPort,
        certificate: RTCCertificate,
        clock: Callable[[], float],
        changed: Callable[[Leg], None],
    ) -> None:
        self.id = secrets.token_urlsafe(24)
        self.participant = participant
        self.peer: Leg | None = None
        self.outgoing = Outgoing(self._new_source)
        self.addresses: dict[Address, None] = {}
        self.sources: dict[int, int] = {}
        """SSRCs that the browser sends with, and their payload types; the latest of a payload type comes last."""
        self._tap: Callable[[bytes, float], None] | None = None
        self._tap_failed = False
        self.made = self.heard = clock()
        """Instants of the offer and of the last authenticated check."""
        self.flow = ffi.new("struct flow *", {"allowance": PACKETS_PER_SWEEP})
        """What of the browser's media the fast path may take, and how many packets are taken before the next sweep."""
        self._lends = port.takes_flows
        self._lent: object = None
        self._address: Address | None = None
        self._route: Route | None = None
        self._opening: Cipher | None = None
        self._sealing: Cipher | None = None
        self._port = port
        self._clock = clock
        self._changed = changed
        self._certificate = certificate
        self._session = secrets.randbits(62)
        self._version = 0
        self._ice = new_ice()
        self._next_ice: Ice | None = None
        self._browser_ice: Ice | None = None
        self.wanted: Payloads = ALL
        """Payload types of codecs to offer, as the other side needs it."""
        self._offered = ALL
        self.codecs = Side(frozenset(), frozenset())
        """What the browser accepts."""
        self._link = DtlsLink(certificate, self._send, self._link_changed)
        self._handshake: asyncio.Task[None] | None = None
        self._closed = False
        port.register(self._ice.ufrag, self._ice.password, self)

    @property
    def state(self) -> str:
        """``new``, ``connecting``, ``connected``, ``failed`` or ``closed``."""
        return "closed" if self._closed else self._link.state

    @property
    def connected(self) -> bool:
        """Whether media can flow to and from the browser."""
        return not self._closed and self._link.state == "connected"

    @property
    def answered(self) -> bool:
        """Whether the first offer has been answered."""
        return self._handshake is not None

    @property
    def settled(self) -> bool:
        """Whether the answer in force is one to an offer of the codecs that are wanted now."""
        return self.answered and self.codecs.offered == self.wanted

    @property
    def etag(self) -> str:
        """Names the latest ICE session (RFC 9725 section 4.3.2 uses the entity tag so)."""
        return f'"{(self._next_ice or self._ice).ufrag}"'

    def offer(self, candidates: list[tuple[str, int]], *, tcp: bool = False) -> str:
        """The description for the browser, with TCP candidates if so; each call counts its version on."""
        self._version += 1
        ssrcs = {payload: self.outgoing.ssrc(payload) for payload in PAYLOADS}
        fingerprint = sha256_fingerprint(self._certificate)
        ice = self._next_ice or self._ice
        self._offered = self.wanted
        return Offer(self._session, self._version, ice, fingerprint, ssrcs, candidates, tcp, self._offered).sdp()

    def answer(self, answer: Answer) -> None:
        """Begin the DTLS handshake; on later answers (after a restart) only the accepted codecs count."""
        self._recall()
        self.outgoing.accept(answer.payloads)
        self._browser_ice = answer.ice
        able = answer.payloads if self._offered == ALL else self.codecs.able
        self.codecs = Side(able, answer.payloads, self._offered)
        if self._handshake is None:
            handshake = self._link.handshake(server=answer.active, fingerprints=answer.fingerprints)
            self._handshake = asyncio.get_running_loop().create_task(handshake)

    @property
    def tap(self) -> Callable[[bytes, float], None] | None:
        """Shown every opened RTP packet and RTCP compound of the browser, before rewriting, with its arrival on
        the leg's clock in seconds.  What it raises is logged once and counted; the call goes on."""
        return self._tap

    @tap.setter
    def tap(self, tap: Callable[[bytes, float], None] | None) -> None:
        self._recall()
        self._tap = tap

    @property
    def credentials(self) -> tuple[str, str] | None:
        """See :class:`helpouts_video_aiortc.moves.Mover`."""
        browser = self._browser_ice
        return (f"{browser.ufrag}:{self._ice.ufrag}", browser.password) if browser is not None else None

    def restart(self) -> None:
        """New ICE credentials for the next offer.  The old ones stay until a check proves the new (RFC 8445 2.4)."""
        if self._next_ice is not None:
            self._port.unregister(self._next_ice.ufrag)
        self._next_ice = new_ice()
        self._port.register(self._next_ice.ufrag, self._next_ice.password, self)

    def checked(self, ufrag: str, address: Address, *, nominated: bool) -> None:
        """An authenticated check came in: the browser is alive, and there if it says so."""
        now, place = self._clock(), self._address
        gap = now - self.heard > GAP_SECONDS
        self.heard = now
        if nominated or self._address is None:
            self._go_to(address)
        if self._next_ice is not None and ufrag == self._next_ice.ufrag:
            self._port.unregister(self._ice.ufrag)
            self._ice, self._next_ice = self._next_ice, None
            self._go_to(address)
        if gap or self._address != place:
            self._returned()

    def moved(self, address: Address) -> None:
        """The browser has answered from there, and not long ago from elsewhere."""
        self.heard = self._clock()
        self._go_to(address)
        self._returned()

    def _go_to(self, address: Address) -> None:
        self._recall()
        self._address, self._route = address, self._port.route(address)

    def _returned(self) -> None:
        """The browser is back, or elsewhere: packets were lost, and a fresh picture mends that soonest, both ways."""
        self.request_keyframes()
        if self.peer is not None:
            self.peer.request_keyframes()

    def dtls(self, datagram: bytes) -> None:
        """A DTLS record; kept until the answer is there, when the browser was faster than its answer."""
        if not self._link.feed(datagram):
            self._port.counters["dropped_dtls"] += 1

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
            self._lend(peer, payload)
        return peer._route

    def _lend(self, peer: Leg, payload: int) -> None:
        """Let the fast path have the packets that follow in this stream, until :meth:`_recall`."""
        numbers, flow = peer.outgoing.lend(payload), self.flow
        opening, sealing = self._opening, peer._sealing
        if numbers is None or opening is None or sealing is None:
            return
        if not opening.context or not sealing.context:
            return
        if not flow.open:
            self._lent = (opening, sealing, peer.outgoing)  # C points into them
            flow.opening, flow.sealing = ffi.cast("void *", opening.context), ffi.cast("void *", sealing.context)
            flow.route, flow.streams, flow.open = peer._route, [ffi.NULL] * len(flow.streams), True
            flow.transport_shift, flow.shown = peer.outgoing.transport.shift, self._tap is not None
        flow.streams[payload] = numbers

    def _recall(self) -> None:
        """Something changes, here or there: the next packet of each stream, both ways, is ours again."""
        self.flow.open = False
        if self.peer is not None:
            self.peer.flow.open = False

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

    def join(self, peer: Leg | None) -> None:
        """Receive from ``peer`` from now on."""
        if peer is not self.peer:
            self._recall()
            self.peer = peer
            self.outgoing.detach()

    def _send(self, datagram: bytes) -> None:
        if self._address is not None:
            self._port.send(datagram, self._address)

    def _link_changed(self) -> None:
        self._recall()
        if self.connected:
            self._opening, self._sealing = self._link.opening, self._link.sealing
        else:
            self._opening = self._sealing = None
        if not self._closed and self._link.state in ("connected", "failed", "closed"):
            self._changed(self)

    async def close(self) -> None:
        """Say goodbye to the browser and free everything; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._recall()
        self._opening = self._sealing = None
        await self._link.close()
        self._port.forget(self)
        self.peer = None
        if self._handshake is not None:
            await asyncio.wait([self._handshake])
