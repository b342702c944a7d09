"""One participant of a call as a load client: ICE, DTLS, SRTP; its packets are protected before the clock runs."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Iterator

from aioice import stun
from helpouts_video_aiortc import private
from pylibsrtp import Session

from benchmarks.media.material import FPS, Material

Address = tuple[str, int]
AUDIO, VIDEO = 111, 96
CERTIFICATE = private.Certificate().current()
FINGERPRINT = private.sha256_fingerprint(CERTIFICATE)
EXTENSIONS = {
    2: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    3: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    4: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
}


class Endpoint:
    """Connects with :meth:`connect`; what it sends comes from :meth:`datagrams`."""

    def __init__(self, local: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((local, 0))
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, 1 << 20)
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.ssrcs = {AUDIO: secrets.randbits(31), VIDEO: secrets.randbits(31)}
        self.link = private.DtlsLink(CERTIFICATE, self._out, lambda: None)
        self.check = b""
        self._remote: Address | None = None
        self._answered = asyncio.Event()

    @property
    def address(self) -> Address:
        host, port = self.socket.getsockname()
        return host, port

    def _out(self, datagram: bytes) -> None:
        if self._remote is not None:
            self.socket.send(datagram)

    async def connect(self, remote: Address, ufrag: str, password: str, fingerprint: str, *, server: bool) -> None:
        """Until SRTP works; ``server`` is the DTLS role."""
        self.socket.connect(remote)
        self._remote = remote
        request = stun.Message(
            stun.Method.BINDING,
            stun.Class.REQUEST,
            attributes={
                "USERNAME": f"{ufrag}:{self.ufrag}", "PRIORITY": 1853824767,
                "ICE-CONTROLLING": secrets.randbits(63), "USE-CANDIDATE": None,
            },
        )  # fmt: skip
        request.add_message_integrity(password.encode())
        self.check = bytes(request)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.socket, self._readable)
        try:
            async with asyncio.timeout(30):
                while not self._answered.is_set():
                    self.socket.send(self.check)
                    try:
                        async with asyncio.timeout(0.2):
                            await self._answered.wait()
                    except TimeoutError:
                        continue
                name, _space, value = fingerprint.partition(" ")
                await self.link.handshake(server=server, fingerprints={name: value})
        finally:
            loop.remove_reader(self.socket)
        if self.link.state != "connected":
            raise RuntimeError(f"DTLS is {self.link.state}")

    def _readable(self) -> None:
        try:
            datagram = self.socket.recv(2048)
        except OSError:
            return
        if datagram[:1] < b"\x04":
            self.stun(datagram)
        elif datagram[:1] < b"\x40":
            self.link.feed(datagram)

    def stun(self, datagram: bytes) -> None:
        """An answer to our check, or a check of a server that makes some."""
        if datagram[:2] == b"\x01\x01":
            self._answered.set()
            return
        request = private.parse_binding_request(datagram)
        if request is not None and request.signed_with(self.password):
            self.socket.send(private.binding_success(request, self.socket.getpeername(), self.password))

    @property
    def receiving(self) -> Session:
        assert self.link.receiving is not None
        return self.link.receiving

    def datagrams(self, material: Material, seconds: float) -> Iterator[tuple[float, int, list[bytes]]]:
        """(when, picture number or -1 for sound, protected packets that leave together), in order of time."""
        protect = self.link.sending.protect  # type: ignore[union-attr]  # connect() was awaited
        groups = [(frame / FPS, frame) for frame in range(int(seconds * FPS))]
        groups += [(number / 50 + 0.007, -1 - number) for number in range(int(seconds * 50))]
        sequence = {AUDIO: 1000, VIDEO: 2000}
        wide = 0
        for when, key in sorted(groups):
            sound = key < 0
            kind = AUDIO if sound else VIDEO
            number = (-1 - key) % len(material.audio) if sound else key % len(material.video)
            bodies = [material.audio[number]] if sound else material.video[number]
            stamp = (-1 - key) * 960 if sound else key * (90000 // FPS)
            packets = []
            for place, body in enumerate(bodies):
                marker = 0x80 if not sound and place == len(bodies) - 1 else 0
                sent = int(when * (1 << 18)) & 0xFFFFFF
                extension = struct.pack("!BBHBBH", 0x32, sent >> 16, sent & 0xFFFF, 0x41, wide >> 8, (wide & 0xFF) << 8)
                if sound:
                    extension += b"\x20\x9e\x00\x00"
                head = struct.pack("!BBHII", 0x90, kind | marker, sequence[kind] & 0xFFFF, stamp, self.ssrcs[kind])
                head += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
                packets.append(protect(head + body))
                sequence[kind] += 1
                wide = (wide + 1) & 0xFFFF
            yield when, -1 if sound else number, packets

    # -- descriptions ----------------------------------------------------------------------------------------

    def description(self, setup: str) -> str:
        """An offer or an answer with sound and picture, for servers that take the client's description."""
        host, port = self.address
        lines = ["v=0", f"o=- {secrets.randbits(31)} 1 IN IP4 {host}", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
        for mid, (kind, payload, codec) in enumerate((("audio", AUDIO, "opus/48000/2"), ("video", VIDEO, "VP8/90000"))):
            lines += [
                f"m={kind} {port} UDP/TLS/RTP/SAVPF {payload}",
                f"c=IN IP4 {host}",
                f"a=rtcp:{port} IN IP4 {host}",
                f"a=ice-ufrag:{self.ufrag}",
                f"a=ice-pwd:{self.password}",
                f"a=fingerprint:sha-256 {FINGERPRINT}",
                f"a=setup:{setup}",
                f"a=mid:{mid}",
                "a=sendrecv",
                "a=rtcp-mux",
                f"a=rtpmap:{payload} {codec}",
                f"a=rtcp-fb:{payload} transport-cc",
                *(f"a=extmap:{id_} {uri}" for id_, uri in EXTENSIONS.items() if id_ != 2 or kind == "audio"),
                *((f"a=rtcp-fb:{payload} nack", f"a=rtcp-fb:{payload} nack pli") if kind == "video" else ()),
                f"a=msid:stream {kind}",
                f"a=ssrc:{self.ssrcs[payload]} cname:client",
                f"a=candidate:1 1 udp 2130706431 {host} {port} typ host",
                "a=end-of-candidates",
            ]
        return "\r\n".join(lines) + "\r\n"

    async def follow(self, remote: str, *, server: bool, host: str) -> None:
        """Connect to what a server's description says; ``host`` names the candidate to use."""

        def value(name: str) -> str:
            return next(line for line in remote.splitlines() if line.startswith(f"a={name}:")).partition(":")[2]

        candidates = [line.split() for line in remote.splitlines() if line.startswith("a=candidate:")]
        port = next(int(words[5]) for words in candidates if words[4] == host and words[2].lower() == "udp")
        await self.connect((host, port), value("ice-ufrag"), value("ice-pwd"), value("fingerprint"), server=server)
