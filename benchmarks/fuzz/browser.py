"""A browser's part in a few lines: joins, checks, shakes hands, and then speaks SRTP over UDP."""

from __future__ import annotations

import asyncio
import re
import socket
import struct

from aioice import stun
from helpouts_video_aiortc import private

from benchmarks.fuzz.process import Relay

CERTIFICATE = private.Certificate().current()
FINGERPRINT = private.sha256_fingerprint(CERTIFICATE)
SDP = {"Content-Type": "application/sdp"}


def rtp(payload: int, ssrc: int, sequence: int, timestamp: int, body: bytes) -> bytes:
    """A packet with nothing special about it."""
    return struct.pack("!BBHII", 0x80, payload, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + body


class Browser:
    """One participant, on a socket of its own."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.link = private.DtlsLink(CERTIFICATE, self._out, lambda: None)
        self.location = self.offer = self.etag = ""
        self.recorded: list[bytes] = []
        """The datagrams of our side of the handshake."""
        self.got: list[bytes] = []
        """RTP that has arrived, opened."""

    def _out(self, datagram: bytes) -> None:
        self.recorded.append(datagram)
        self.socket.send(datagram)

    def _of_offer(self, name: str) -> str:
        found = re.search(rf"(?m)^a={name}:(.+?)\r?$", self.offer)
        assert found is not None
        return found[1]

    @property
    def answer(self) -> str:
        """Our answer to the offer."""
        text = self.offer.replace("a=setup:actpass", "a=setup:active").replace("a=ice-lite\r\n", "")
        return re.sub(r"a=fingerprint:.+", f"a=fingerprint:sha-256 {FINGERPRINT}", text)

    async def join(self, room: str, who: str) -> None:
        """Get an offer, and look at where it says the relay is."""
        grant = await self.relay.grant(room, who)
        bearer = {"Authorization": f"Bearer {grant['token']}"}
        async with self.relay.http.post(grant["url"], headers=bearer) as response:
            assert response.status == 201, await response.text()
            self.location, self.etag = response.headers["Location"], response.headers["ETag"]
            self.offer = await response.text()
        host, port = self._of_offer("candidate").split()[4:6]
        self.socket.connect((host, int(port)))

    def check(self, password: str = "") -> bytes:
        """A check that nominates, signed with the leg's password or another."""
        attributes = {
            "USERNAME": f"{self._of_offer('ice-ufrag')}:browser", "PRIORITY": 1, "ICE-CONTROLLING": 5,
            "USE-CANDIDATE": None,
        }  # fmt: skip
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        message.add_message_integrity((password or self._of_offer("ice-pwd")).encode())
        return bytes(message)

    async def respond(self) -> None:
        """Send the answer, and one check."""
        headers = SDP | {"If-Match": self.etag}
        async with self.relay.http.patch(self.location, data=self.answer, headers=headers) as response:
            assert response.status == 204, await response.text()
        self.socket.send(self.check())

    async def connect(self, room: str, who: str) -> None:
        """All of it, until SRTP works."""
        await self.join(room, who)
        await self.respond()
        asyncio.get_running_loop().add_reader(self.socket, self._readable)
        name, _space, value = self._of_offer("fingerprint").partition(" ")
        # As browsers do: the relay does not listen to new addresses of a host that has just failed too often.
        checking = asyncio.create_task(self._keep_checking())
        try:
            async with asyncio.timeout(20):
                await self.link.handshake(server=False, fingerprints={name: value})
        finally:
            checking.cancel()
        assert self.link.state == "connected"

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.socket.send(self.check())

    def _readable(self) -> None:
        for _datagram in range(200):
            try:
                datagram = self.socket.recv(2048)
            except OSError:
                return
            if 19 < datagram[0] < 64:
                self.link.feed(datagram)
            elif datagram[0] > 127 and not 192 <= datagram[1] <= 223 and self.link.receiving is not None:
                self.got.append(self.link.receiving.unprotect(datagram))

    def protect(self, packet: bytes) -> bytes:
        """SRTP."""
        assert self.link.sending is not None
        return bytes(self.link.sending.protect(packet))

    def protect_rtcp(self, compound: bytes) -> bytes:
        """SRTCP."""
        assert self.link.sending is not None
        return bytes(self.link.sending.protect_rtcp(compound))

    async def close(self) -> None:
        """Leave without a word to the relay."""
        asyncio.get_running_loop().remove_reader(self.socket)
        await self.link.close()
        self.socket.close()
