"""The one place that touches parts of aiortc, aioice and pylibsrtp which are not their public interface.

What is used, and why nothing public will do:

* ``pylibsrtp._binding`` and ``Session._srtp``: libsrtp itself, which works in the memory where a packet lies; the
  public ``Session`` copies it twice.  Where this does not work, ``Session`` does all (:func:`cipher`).
* ``aiortc.rtcdtlstransport.RTCDtlsTransport``: public, but its DTLS role (``_set_role``) and the SRTP sessions
  it derives (``_rx_srtp``, ``_tx_srtp``) are not; its ICE transport is duck-typed (``_recv``, ``_send``, ``role``).
* ``aioice.stun``: importable and undocumented, all that an ICE-lite agent needs of STUN.
* ``aioice.ice.get_host_addresses``: the addresses of this machine.

Each touch has a test (``test_aiortc_private.py``), so that a new release fails there and not in a call.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from importlib.metadata import version

import pylibsrtp
from aioice import ice, stun
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from helpouts.clock import clock
from helpouts.errors import ConfigurationError
from helpouts.i18n import gettext as _
from helpouts_video_aiortc import srtp
from helpouts_video_aiortc.memory import new_slot
from helpouts_video_aiortc.srtp import Cipher

log = logging.getLogger(__name__)

TESTED = {"aiortc": "1.16.", "aioice": "0.13.", "pylibsrtp": "1.0."}

Address = tuple[str, int] | tuple[str, int, int]
"""Host and port; with a third number for a TCP connection (:class:`helpouts_video_aiortc.tcp.Way`)."""
QUEUED_DATAGRAMS = 64
HOST_PRIORITY = (126 << 24) + (65535 << 8) + 255
"""Of a peer-reflexive candidate that a check would make: RFC 8445 section 5.1.2.1, for a host."""
CERTIFICATE_MARGIN = timedelta(days=2)


def check_versions(installed: Callable[[str], str] = version) -> None:
    """Refuse to run on releases whose inner parts nobody has tried.

    :raises ConfigurationError: naming the distribution, its version and the one to install.
    """
    for name, prefix in TESTED.items():
        found = installed(name)
        if not found.startswith(prefix):
            text = _(
                "The video relay was made for %(name)s %(wanted)s* and found %(found)s: install %(name)s==%(wanted)s*",
                name=name, wanted=prefix, found=found,
            )  # fmt: skip
            raise ConfigurationError(text)


def host_addresses() -> list[str]:
    """The IPv4 addresses of this machine, without 127.0.0.1."""
    return list(ice.get_host_addresses(use_ipv4=True, use_ipv6=False))


class Certificate:
    """The DTLS certificate of this process, renewed before it expires; running calls keep theirs."""

    def __init__(self) -> None:
        self._current = RTCCertificate.generateCertificate()

    def current(self) -> RTCCertificate:
        """The certificate for a new leg, valid for at least two more days."""
        if self._current.expires - clock.now() < CERTIFICATE_MARGIN:
            self._current = RTCCertificate.generateCertificate()
        return self._current


def sha256_fingerprint(certificate: RTCCertificate) -> str:
    """The fingerprint as it stands in SDP (RFC 8122 section 5): upper-case hexadecimal pairs."""
    values = {print_.algorithm: str(print_.value) for print_ in certificate.getFingerprints()}
    return values["sha-256"]


class _Wire:
    """What RTCDtlsTransport takes for an ICE transport: datagrams in from a queue, out through a function."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._out = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_DATAGRAMS)
        self._closed = False

    async def _recv(self) -> bytes:
        if self._closed:
            raise ConnectionError
        datagram = await self._queue.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._out(datagram)

    def put(self, datagram: bytes) -> bool:
        if self._queue.full():
            return False
        self._queue.put_nowait(datagram)
        return True

    def close(self) -> None:
        self._closed = True
        while self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


def direct_cipher(session: pylibsrtp.Session) -> Cipher:
    """libsrtp on the slot itself, which has room for what it adds.

    :raises ImportError: pylibsrtp has no such inner part.
    :raises AttributeError: it has another shape.
    """
    from pylibsrtp._binding import ffi, lib

    context = session._srtp[0]
    return Cipher(
        partial(lib.srtp_unprotect, context), partial(lib.srtp_unprotect_rtcp, context),
        partial(lib.srtp_protect, context), partial(lib.srtp_protect_rtcp, context),
        session, int(ffi.cast("uintptr_t", context)),
    )  # fmt: skip


def srtp_calls() -> tuple[int, int]:
    """Where ``srtp_unprotect`` and ``srtp_protect`` are, for C to call with a :attr:`Cipher.context`.

    :raises OSError: this pylibsrtp does not let us at them.
    """
    if not direct():
        raise OSError("libsrtp cannot be called directly")
    from pylibsrtp._binding import ffi, lib

    opening, sealing = ffi.addressof(lib, "srtp_unprotect"), ffi.addressof(lib, "srtp_protect")
    return int(ffi.cast("uintptr_t", opening)), int(ffi.cast("uintptr_t", sealing))


@cache
def direct() -> bool:
    """Whether :func:`direct_cipher` works here: a packet comes out as the public interface lets it out."""
    key, packet = secrets.token_bytes(30), b"\x80\x60\x00\x01" + bytes(8) + b"picture"
    sealing, public = (
        pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)) for _end in range(2)
    )
    slot = new_slot()
    slot.put(packet)
    try:
        good = not direct_cipher(sealing).seal_rtp(slot.pointer, slot.size) and slot.bytes() == public.protect(packet)
    except (ImportError, AttributeError, TypeError):
        good = False
    if not good:
        log.warning("libsrtp cannot be called directly in this pylibsrtp: the video relay costs a little more")
    return good


def cipher(session: pylibsrtp.Session) -> Cipher:
    """The cheapest way to use a session that works here."""
    return direct_cipher(session) if direct() else srtp.copying(session)


class DtlsLink:
    """DTLS-SRTP of one leg over datagrams that somebody else moves (RFC 5764).

    :param send: puts one datagram on the wire.
    :param changed: called with no arguments whenever :attr:`state` has changed.
    """

    def __init__(self, certificate: RTCCertificate, send: Callable[[bytes], None], changed: Callable[[], None]) -> None:
        self.state = "new"
        """``new``, ``connecting``, ``connected``, ``closed`` or ``failed``."""
        self.receiving: pylibsrtp.Session | None = None
        """Opens what the other end protected; there once ``connected``."""
        self.sending: pylibsrtp.Session | None = None
        """Protects what goes to the other end; there once ``connected``."""
        self.opening: Cipher | None = None
        """The same as ``receiving``, working in slots."""
        self.sealing: Cipher | None = None
        """The same as ``sending``, working in slots."""
        self._changed = changed
        self._wire = _Wire(send)
        self._dtls = RTCDtlsTransport(self._wire, [certificate])  # type: ignore[arg-type]  # duck-typed on purpose
        self._dtls.on("statechange", self._statechange)

    def _statechange(self) -> None:
        self.state = self._dtls.state
        receiving, sending = self._dtls._rx_srtp, self._dtls._tx_srtp
        if receiving is not self.receiving and receiving is not None and sending is not None:
            self.opening, self.sealing = cipher(receiving), cipher(sending)
        self.receiving, self.sending = receiving, sending
        self._changed()

    def feed(self, datagram: bytes) -> bool:
        """One DTLS datagram from the wire, also before :meth:`handshake`; false when the queue is full."""
        return self._wire.put(datagram)

    async def handshake(self, *, server: bool, fingerprints: Mapping[str, str]) -> None:
        """Run the handshake to its end, ``connected`` or ``failed``; never raises for what the other end does.

        :param fingerprints: hash function name to value, of the certificate that the other end must show.
        """
        self._dtls._set_role("server" if server else "client")
        expected = [RTCDtlsFingerprint(algorithm=name, value=value) for name, value in fingerprints.items()]
        await self._dtls.start(RTCDtlsParameters(fingerprints=expected))

    async def close(self) -> None:
        """Say goodbye to the other end (close_notify) and end the handshake or the reader."""
        await self._dtls.stop()
        self._wire.close()


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """A STUN binding request (RFC 8489) with what ICE adds to it (RFC 8445 section 7.1)."""

    username: str
    nominated: bool
    controlled: bool
    message: stun.Message

    def signed_with(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY is there and right."""
        return bool(self.message.check_message_integrity(password.encode()))


def parse_binding_request(datagram: bytes) -> BindingRequest | None:
    """The request in ``datagram``, or None when it is anything else, broken or not."""
    try:
        message = stun.parse_message(datagram)
    except (ValueError, IndexError, struct.error):
        return None
    attributes = message.attributes
    if message.message_method != stun.Method.BINDING or message.message_class != stun.Class.REQUEST:
        return None
    if "USERNAME" not in attributes:
        return None
    return BindingRequest(
        attributes["USERNAME"], "USE-CANDIDATE" in attributes, "ICE-CONTROLLED" in attributes, message
    )


def binding_request(username: str, password: str) -> tuple[bytes, bytes]:
    """A check of our own, as the agent that does not decide: its transaction id, and the datagram."""
    attributes = {"USERNAME": username, "PRIORITY": HOST_PRIORITY, "ICE-CONTROLLED": secrets.randbits(64)}
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    message.add_message_integrity(password.encode())
    return message.transaction_id, bytes(message)


def parse_binding_success(datagram: bytes) -> stun.Message | None:
    """The answer to a check in ``datagram``, or None when it is anything else, broken or not."""
    try:
        message = stun.parse_message(datagram)
    except (ValueError, IndexError, struct.error):
        return None
    success = message.message_method == stun.Method.BINDING and message.message_class == stun.Class.RESPONSE
    return message if success else None


def probe_answer(datagram: bytes, address: Address) -> bytes:
    """The answer to a request that proves nothing and asks for nothing (:mod:`helpouts_video_aiortc.probe`)."""
    attributes = {"XOR-MAPPED-ADDRESS": address[:2]}
    return bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, datagram[8:20], attributes))


def binding_success(request: BindingRequest, address: Address, password: str) -> bytes:
    """The answer to an authenticated request: where it was seen to come from, signed."""
    return _signed(request, stun.Class.RESPONSE, {"XOR-MAPPED-ADDRESS": address[:2]}, password)


def role_conflict(request: BindingRequest, password: str) -> bytes:
    """The answer to an agent that thinks that we, who are ICE-lite, decide (RFC 8445 section 7.3.1.1)."""
    return _signed(request, stun.Class.ERROR, {"ERROR-CODE": (487, "Role Conflict")}, password)


def _signed(request: BindingRequest, kind: stun.Class, attributes: dict[str, object], password: str) -> bytes:
    answer = stun.Message(stun.Method.BINDING, kind, request.message.transaction_id, attributes)
    answer.add_message_integrity(password.encode())
    return bytes(answer)


__all__: Sequence[str] = (
    "Address",
    "BindingRequest",
    "Certificate",
    "DtlsLink",
    "RTCCertificate",
    "binding_request",
    "binding_success",
    "check_versions",
    "cipher",
    "host_addresses",
    "parse_binding_request",
    "parse_binding_success",
    "probe_answer",
    "role_conflict",
    "sha256_fingerprint",
)
