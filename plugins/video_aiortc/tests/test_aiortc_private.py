"""Every touch of inner parts of aiortc, aioice and pylibsrtp still does what the relay relies on."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from datetime import timedelta

import pylibsrtp
import pytest
from aioice import stun
from helpouts_video_aiortc import private
from helpouts_video_aiortc.memory import DATAGRAM, Slot, ffi, new_slot
from helpouts_video_aiortc.private import DtlsLink
from helpouts_video_aiortc.srtp import Cipher, SrtpError, copying

from helpouts.clock import clock
from helpouts.errors import ConfigurationError

RTP = bytes([0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7]) + b"picture"
RTCP = bytes([0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7])


def test_the_installed_releases_are_the_tested_ones() -> None:
    private.check_versions()


def test_an_untested_release_is_named_with_the_one_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"aiortc 1\.16\.\* and found 2\.0\.0: install aiortc==1\.16\.\*"):
        private.check_versions(lambda name: "2.0.0")


def test_host_addresses_are_ipv4_and_not_loopback() -> None:
    for address in private.host_addresses():
        assert not ipaddress.IPv4Address(address).is_loopback


def test_the_certificate_is_kept_and_renewed_before_it_expires() -> None:
    certificate = private.Certificate()
    first = certificate.current()
    assert certificate.current() is first
    assert len(private.sha256_fingerprint(first)) == 32 * 3 - 1
    clock.set(first.expires - timedelta(days=1))
    try:
        assert certificate.current() is not first
    finally:
        clock.set(None)


class Ends:
    """Two links wired to each other; datagrams to a link can be lost."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.certificates = [private.Certificate().current() for _end in range(2)]
        self.links: list[DtlsLink] = []
        self.links += [
            DtlsLink(self.certificates[0], lambda data: self._to(1, data), lambda: None),
            DtlsLink(self.certificates[1], lambda data: self._to(0, data), self._changed),
        ]

    def _to(self, end: int, data: bytes) -> None:
        self.links[end].feed(data)

    def _changed(self) -> None:
        self.changes.append(self.links[1].state)

    async def handshake(self, fingerprint: str | None = None) -> None:
        prints = [{"sha-256": private.sha256_fingerprint(certificate)} for certificate in self.certificates]
        if fingerprint is not None:
            prints[0] = {"sha-256": fingerprint}
        await asyncio.gather(
            self.links[0].handshake(server=True, fingerprints=prints[1]),
            self.links[1].handshake(server=False, fingerprints=prints[0]),
        )

    async def close(self) -> None:
        for link in self.links:
            await link.close()


async def test_a_handshake_gives_srtp_sessions_that_fit_together() -> None:
    ends = Ends()
    server, client = ends.links
    assert server.state == "new"
    assert server.sending is None
    await ends.handshake()
    assert server.state == client.state == "connected"
    assert ends.changes == ["connecting", "connected"]
    assert server.sending
    assert server.receiving
    assert client.sending
    assert client.receiving
    for one, other in ((server.sending, client.receiving), (client.sending, server.receiving)):
        assert other.unprotect(one.protect(RTP)) == RTP
        assert other.unprotect_rtcp(one.protect_rtcp(RTCP)) == RTCP
    with pytest.raises(SrtpError):
        client.receiving.unprotect(RTP + bytes(16))
    with pytest.raises(SrtpError):
        client.sending.protect(RTP + bytes(1500))
    await ends.close()


# -- libsrtp in a slot ------------------------------------------------------------------------------------------


def sessions() -> tuple[pylibsrtp.Session, pylibsrtp.Session]:
    """One that seals, and one that opens what it sealed."""
    kinds = (pylibsrtp.Policy.SSRC_ANY_OUTBOUND, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    sealing, opening = (pylibsrtp.Session(pylibsrtp.Policy(key=bytes(range(30)), ssrc_type=kind)) for kind in kinds)
    return sealing, opening


def filled(datagram: bytes) -> Slot:
    slot = new_slot()
    assert slot.put(datagram)
    return slot


CIPHERS = pytest.mark.parametrize("cipher", [private.direct_cipher, copying], ids=["direct", "copying"])


def test_libsrtp_can_be_called_directly_in_the_tested_release() -> None:
    assert private.direct()


def test_c_can_call_libsrtp_with_the_addresses_that_it_is_given() -> None:
    calls = [ffi.cast("int (*)(void *, void *, int *)", at) for at in private.srtp_calls()]
    opening, sealing = calls
    slot, ends = filled(RTP), [private.direct_cipher(session) for session in sessions()]
    contexts = [ffi.cast("void *", end.context) for end in ends]
    assert sealing(contexts[0], slot.pointer, slot.size) == 0
    assert slot.bytes() == sessions()[0].protect(RTP)
    assert opening(contexts[1], slot.pointer, slot.size) == 0
    assert slot.bytes() == RTP
    assert opening(contexts[1], slot.pointer, slot.size) != 0


def test_what_cannot_be_called_directly_is_done_through_the_public_interface(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def other_shape(session: pylibsrtp.Session) -> Cipher:
        raise AttributeError("_srtp")

    monkeypatch.setattr(private, "direct_cipher", other_shape)
    private.direct.cache_clear()
    try:
        with pytest.raises(OSError, match="directly"):
            private.srtp_calls()
        sealing, opening = sessions()
        slot = filled(RTP)
        assert not private.cipher(sealing).seal_rtp(slot.pointer, slot.size)
        assert opening.unprotect(slot.bytes()) == RTP
        assert [record.levelname for record in caplog.records] == ["WARNING"]
    finally:
        private.direct.cache_clear()


@CIPHERS
def test_a_slot_is_sealed_and_opened_where_it_lies(cipher: Callable[[pylibsrtp.Session], Cipher]) -> None:
    sealing, opening = map(cipher, sessions())
    slot = filled(RTP)
    assert sealing.seal_rtp(slot.pointer, slot.size) == 0
    assert slot.bytes() == sessions()[0].protect(RTP)
    assert opening.open_rtp(slot.pointer, slot.size) == 0
    assert slot.bytes() == RTP
    slot = filled(RTCP)
    assert sealing.seal_rtcp(slot.pointer, slot.size) == 0
    assert slot.bytes() == sessions()[0].protect_rtcp(RTCP)
    assert opening.open_rtcp(slot.pointer, slot.size) == 0
    assert slot.bytes() == RTCP


@CIPHERS
def test_what_was_not_sealed_with_the_key_is_refused(cipher: Callable[[pylibsrtp.Session], Cipher]) -> None:
    opening = cipher(sessions()[1])
    for datagram in (RTP + bytes(16), RTP[:11], b""):
        for work in (opening.open_rtp, opening.open_rtcp):
            slot = filled(datagram)
            assert work(slot.pointer, slot.size) != 0


def test_a_full_slot_has_room_for_what_is_added() -> None:
    for packet, work in ((RTP, "seal_rtp"), (RTCP, "seal_rtcp")):
        slot = filled(packet + bytes(DATAGRAM - len(packet)))
        assert getattr(private.direct_cipher(sessions()[0]), work)(slot.pointer, slot.size) == 0
        assert DATAGRAM < slot.length <= len(slot.memory)


async def test_another_certificate_than_the_answers_is_refused() -> None:
    ends = Ends()
    await ends.handshake(fingerprint=":".join(["AB"] * 32))
    assert ends.links[1].state == "failed"
    await ends.close()


async def test_closing_says_goodbye_to_the_other_end_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    ends = Ends()
    await ends.handshake()
    await ends.links[0].close()
    async with asyncio.timeout(5):
        while ends.links[1].state != "closed" or asyncio.all_tasks() != before:
            await asyncio.sleep(0)
    await ends.close()


async def test_closing_ends_a_handshake_that_nobody_answers() -> None:
    ends = Ends()
    waiting = asyncio.create_task(ends.links[0].handshake(server=True, fingerprints={"sha-256": "AB"}))
    await asyncio.sleep(0)
    await ends.links[0].close()
    async with asyncio.timeout(5):
        await waiting
    assert ends.links[0].state == "failed"


async def test_records_before_the_handshake_are_kept_up_to_a_bound() -> None:
    link = DtlsLink(private.Certificate().current(), lambda data: None, lambda: None)
    taken = [link.feed(b"\x16") for _record in range(private.QUEUED_DATAGRAMS + 1)]
    assert taken == [True] * private.QUEUED_DATAGRAMS + [False]
    await link.close()


# -- STUN -------------------------------------------------------------------------------------------------------


def binding(password: str = "secret", **more: object) -> bytes:
    attributes = {"USERNAME": "relay:browser", "PRIORITY": 1, "ICE-CONTROLLING": 5} | more
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, b"transaction1", attributes)
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_a_check_is_read_and_its_signature_checked() -> None:
    request = private.parse_binding_request(binding(**{"USE-CANDIDATE": None}))
    assert request is not None
    assert (request.username, request.nominated, request.controlled) == ("relay:browser", True, False)
    assert request.signed_with("secret")
    assert not request.signed_with("other")


def test_the_answer_is_signed_and_names_the_address() -> None:
    request = private.parse_binding_request(binding())
    assert request is not None
    answer = stun.parse_message(private.binding_success(request, ("192.0.2.1", 4711), "secret"))
    assert answer.message_class is stun.Class.RESPONSE
    assert answer.transaction_id == b"transaction1"
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 4711)
    assert answer.check_message_integrity(b"secret")
    conflict = stun.parse_message(private.role_conflict(request, "secret"))
    assert conflict.attributes["ERROR-CODE"][0] == 487


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x00\x01",
        bytes(20),
        binding()[:-3],
        bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST, b"transaction1", {})),
        bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION, b"transaction1", {"USERNAME": "a:b"})),
        bytes(stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST, b"transaction1", {"USERNAME": "a:b"})),
        bytes.fromhex("0001000c2112a442") + b"transaction1" + bytes.fromhex("0024000100000000") + bytes(4),
        bytes.fromhex("000100082112a442") + b"transaction1" + bytes.fromhex("0006ffff61620000"),
        bytes.fromhex("000100082112a442") + b"transaction1" + bytes.fromhex("00060002fffe0000"),
    ],
)
def test_anything_but_a_binding_request_is_none(datagram: bytes) -> None:
    request = private.parse_binding_request(datagram)
    assert request is None or not request.signed_with("secret")
