"""One participant's side of a call: ICE credentials, offers and answers, and DTLS-SRTP."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from helpouts_video_aiortc.agreement import ALL, Payloads, Side
from helpouts_video_aiortc.media import MediaEnd
from helpouts_video_aiortc.private import Address, DtlsLink, RTCCertificate, sha256_fingerprint
from helpouts_video_aiortc.sdp import Answer, Ice, Offer
from helpouts_video_aiortc.slots import SLOTS

if TYPE_CHECKING:
    from helpouts_video_aiortc.port import UdpPort

GAP_SECONDS = 4.0
"""Browsers check at least every 2.5 s; who has not for this long was away."""
PAYLOADS = [payload for slot in SLOTS for payload in (slot.payload, slot.rtx) if payload is not None]


def new_ice() -> Ice:
    """Fresh credentials; 128 bits of password as RFC 8445 section 5.3 asks for."""
    return Ice(secrets.token_hex(6), secrets.token_hex(16))


class Leg(MediaEnd):
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
        super().__init__(port, clock)
        self.id = secrets.token_urlsafe(24)
        self.participant = participant
        self.addresses: dict[Address, None] = {}
        self.made = self.heard = clock()
        """Instants of the offer and of the last authenticated check."""
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

    def _returned(self) -> None:
        """The browser is back, or elsewhere: packets were lost, and a fresh picture mends that soonest, both ways."""
        self.request_keyframes()
        if self.peer is not None:
            self.peer.request_keyframes()

    def dtls(self, datagram: bytes) -> None:
        """A DTLS record; kept until the answer is there, when the browser was faster than its answer."""
        if not self._link.feed(datagram):
            self._port.counters["dropped_dtls"] += 1

    def _link_changed(self) -> None:
        self._recall()
        if self.state == "connected":
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
