"""RTCP between two legs that have different SSRCs, sequence numbers and timestamps for the same media."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from helpouts_video_aiortc import rtcp
from helpouts_video_aiortc.rewrite import Outgoing
from hypothesis import given
from hypothesis import strategies as st

ANN_CAMERA, ANN_RTX, BOB_CAMERA, BOB_AUDIO = 0xA1, 0xA2, 0xB1, 0xB2


def rtp(payload: int, ssrc: int, sequence: int, timestamp: int = 0, body: bytes = b"\x10\x00") -> bytes:
    return struct.pack("!BBHII", 0x80, payload, sequence & 0xFFFF, timestamp, ssrc) + body


def rewrite(outgoing: Outgoing, packet: bytes, now: float) -> None:
    assert outgoing.rewrite(memoryview(bytearray(packet)), len(packet), now)


@dataclass
class Pair:
    """Ann and Bob; Ann's camera has sent numbers 1000 to 1009 to Bob, Bob's microphone 1 to Ann."""

    ann: Outgoing
    bob: Outgoing

    def to_ann(self, compound: bytes) -> bytes:
        return rtcp.translate(compound, heard=self.bob, shown=self.ann)

    def to_bob(self, compound: bytes) -> bytes:
        return rtcp.translate(compound, heard=self.ann, shown=self.bob)


@pytest.fixture
def pair() -> Pair:
    pair = Pair(Outgoing(), Outgoing())
    for number in range(1000, 1010):
        rewrite(pair.bob, rtp(96, ANN_CAMERA, number, 5000), 0.0)
    rewrite(pair.bob, rtp(97, ANN_RTX, 1, body=b"\x03\xe8"), 0.0)
    rewrite(pair.ann, rtp(111, BOB_AUDIO, 1, 70), 0.0)
    return pair


def packet(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def words(*values: int) -> bytes:
    return struct.pack(f"!{len(values)}I", *values)


def single(compound: bytes) -> tuple[int, int, bytes]:
    (only,) = rtcp.packets(compound)
    return only


def test_a_sender_report_moves_to_the_receivers_ssrc_and_timestamps(pair: Pair) -> None:
    pair.bob.detach()
    rewrite(pair.bob, rtp(96, ANN_CAMERA, 7, 123), 3.0)
    stream = pair.bob.stream(96)
    count, kind, body = single(pair.to_bob(packet(0, 200, words(ANN_CAMERA, 0x11112222, 0x33334444, 223, 9, 900))))
    ssrc, high, low, timestamp, packets, octets = struct.unpack("!6I", body)
    assert (count, kind, ssrc) == (0, 200, stream.ssrc)
    assert (high, low, packets, octets) == (0x11112222, 0x33334444, 9, 900), "the clock of the source stays"
    assert timestamp == (stream.numbers.timestamp + 100) & 0xFFFFFFFF


def test_a_receiver_report_comes_back_in_the_sources_numbers(pair: Pair) -> None:
    pair.to_bob(packet(0, 200, words(ANN_CAMERA, 0x11112222, 0x33334444, 223, 9, 900)))
    stream = pair.bob.stream(96)
    block = words(stream.ssrc, 0x01000002, stream.numbers.highest, 33, 0x22223333, 44)
    count, kind, body = single(pair.to_ann(packet(1, 201, words(BOB_AUDIO) + block)))
    assert (count, kind) == (1, 201)
    assert body == words(pair.ann.ssrc(111), ANN_CAMERA, 0x01000002, 1009, 33, 0x22223333, 44)


def test_cycles_of_the_highest_number_follow_the_sources_wraps(pair: Pair) -> None:
    for number in range(1010, 140_000):
        rewrite(pair.bob, rtp(96, ANN_CAMERA, number), 0.0)
    stream = pair.bob.stream(96)
    block = words(stream.ssrc, 0, stream.numbers.highest, 0, 0, 0)
    assert struct.unpack_from("!I", single(pair.to_ann(packet(1, 201, words(1) + block)))[2], 12)[0] == 139_999


@pytest.mark.parametrize("announced", [True, False])
def test_a_round_trip_time_is_not_computed_with_the_clock_of_the_source_before(pair: Pair, announced: bool) -> None:
    pair.to_bob(packet(0, 200, words(ANN_CAMERA, 0x11112222, 0x33334444, 223, 9, 900)))
    if announced:
        pair.bob.detach()
    rewrite(pair.bob, rtp(96, 0xA9, 7), 3.0)
    stream = pair.bob.stream(96)
    body = single(pair.to_ann(packet(1, 201, words(1, stream.ssrc, 0, stream.numbers.highest, 0, 0x22223333, 44))))[2]
    assert body[-8:] == bytes(8)


def test_reports_on_streams_without_a_source_or_of_the_source_before_are_left_out(pair: Pair) -> None:
    camera = pair.bob.stream(96)
    before = camera.numbers.highest
    pair.bob.detach()
    rewrite(pair.bob, rtp(96, 0xA9, 7), 3.0)
    blocks = words(camera.ssrc, 0, before, 0, 0, 0) + words(pair.bob.ssrc(98), 0, 5, 0, 0, 0)
    assert single(pair.to_ann(packet(2, 201, words(1) + blocks)))[::2] == (0, words(pair.ann.ssrc(111)))


def test_a_sender_report_of_an_unknown_source_keeps_its_reception_blocks(pair: Pair) -> None:
    block = words(pair.bob.ssrc(96), 0, pair.bob.stream(96).numbers.highest, 0, 0, 0)
    count, kind, _body = single(pair.to_ann(packet(1, 200, words(BOB_CAMERA, 1, 2, 3, 4, 5) + block)))
    assert (count, kind) == (1, 201)


def test_a_name_goes_with_its_ssrc_and_goodbyes_stay(pair: Pair) -> None:
    chunk = b"\x01\x02ab\x00\x00\x00\x00"
    compound = packet(1, 202, words(ANN_CAMERA) + chunk) + packet(1, 203, words(ANN_CAMERA))
    assert single(pair.to_bob(compound)) == (1, 202, words(pair.bob.ssrc(96)) + chunk)


def test_lost_packets_are_asked_for_by_the_sources_numbers(pair: Pair) -> None:
    stream = pair.bob.stream(96)
    missing = (stream.numbers.base + 4) & 0xFFFF
    body = words(BOB_AUDIO, stream.ssrc) + struct.pack("!HH", missing, 0x0005)
    expected = words(pair.ann.ssrc(111), ANN_CAMERA) + struct.pack("!HH", 1004, 0x0005)
    assert single(pair.to_ann(packet(1, 205, body))) == (1, 205, expected)


def test_what_the_source_before_sent_is_not_asked_for(pair: Pair) -> None:
    stream = pair.bob.stream(96)
    body = words(BOB_AUDIO, stream.ssrc) + struct.pack("!HH", (stream.numbers.base - 1) & 0xFFFF, 0)
    assert pair.to_ann(packet(1, 205, body)) == b""


def test_a_keyframe_is_asked_of_the_source(pair: Pair) -> None:
    out = pair.to_ann(rtcp.picture_loss(BOB_AUDIO, pair.bob.ssrc(96)))
    assert out == rtcp.picture_loss(pair.ann.ssrc(111), ANN_CAMERA)
    assert pair.to_ann(rtcp.picture_loss(BOB_AUDIO, pair.bob.ssrc(98))) == b"", "nobody shares a screen"


def test_a_full_intra_request_names_the_source_in_its_entries(pair: Pair) -> None:
    entry = bytes([7, 0, 0, 0])
    body = words(BOB_AUDIO, 0, pair.bob.ssrc(98)) + entry + words(pair.bob.ssrc(96)) + entry
    assert single(pair.to_ann(packet(4, 206, body)))[2] == words(pair.ann.ssrc(111), 0, ANN_CAMERA) + entry


def test_a_bandwidth_estimate_lists_the_sources(pair: Pair) -> None:
    listed = words(pair.bob.ssrc(96), pair.bob.ssrc(97), pair.bob.ssrc(99))
    body = words(BOB_AUDIO, 0) + b"REMB\x03\x0b\xad\xc0" + listed
    expected = words(pair.ann.ssrc(111), 0) + b"REMB\x02\x0b\xad\xc0" + words(ANN_CAMERA, ANN_RTX)
    assert single(pair.to_ann(packet(15, 206, body))) == (15, 206, expected)


@pytest.mark.parametrize("media", [96, 97, None])
def test_transport_wide_feedback_passes_with_its_contents(pair: Pair, media: int | None) -> None:
    control = bytes.fromhex("0001000200000105") + bytes(4)
    ssrc = pair.bob.ssrc(media) if media else 0x12345678
    _count, _kind, body = single(pair.to_ann(packet(15, 205, words(BOB_AUDIO, ssrc) + control)))
    assert body[8:] == control
    assert int.from_bytes(body[4:8]) in (ANN_CAMERA, ANN_RTX)


@pytest.mark.parametrize("packets", range(1, 9))
def test_the_last_arrival_of_a_report_that_is_padded_comes_through(pair: Pair, packets: int) -> None:
    """Chromium pads reports to whole words.  Cut short, they are not believed, and the sender's estimate stays."""
    arrivals = bytes(range(1, packets + 1))
    control = struct.pack("!HHIH", 1, packets, 0x105, 0x2000 | packets) + arrivals
    gap = -len(control) % 4
    padded = bytearray(packet(15, 205, words(BOB_AUDIO, pair.bob.ssrc(96)) + control + bytes([0, 0, gap][3 - gap :])))
    padded[0] |= 0x20 if gap else 0
    out = pair.to_ann(bytes(padded))
    assert len(out) == 4 + 4 * struct.unpack_from("!H", out, 2)[0]
    assert single(out) == (15, 205, words(pair.ann.ssrc(111), ANN_CAMERA) + control)


def test_padding_is_removed_and_kinds_that_were_not_negotiated_stay_here(pair: Pair) -> None:
    padded = bytearray(packet(1, 206, words(BOB_AUDIO, pair.bob.ssrc(96)) + b"\x00\x00\x00\x04"))
    padded[0] |= 0x20
    assert pair.to_ann(bytes(padded)) == rtcp.picture_loss(pair.ann.ssrc(111), ANN_CAMERA)
    for kind, form in ((204, 0), (207, 0), (205, 11), (206, 9)):
        assert pair.to_ann(packet(form, kind, words(BOB_AUDIO, pair.bob.ssrc(96), 0))) == b""


@given(st.lists(st.tuples(st.integers(0, 31), st.integers(200, 207), st.binary(max_size=60)), max_size=4), st.binary())
def test_no_compound_raises_and_what_comes_out_is_well_formed(parts: list[tuple[int, int, bytes]], tail: bytes) -> None:
    pair = Pair(Outgoing(), Outgoing())
    rewrite(pair.bob, rtp(96, ANN_CAMERA, 1), 0.0)
    source = pair.bob.ssrc(96)
    compound = b"".join(packet(c, k, (words(9, source) + b)[: 4 * ((8 + len(b)) // 4)]) for c, k, b in parts) + tail
    out = pair.to_ann(compound)
    assert sum(4 + len(body) for _count, _kind, body in rtcp.packets(out)) == len(out)


@pytest.mark.parametrize(
    ("datagram", "answer"),
    [
        (b"\x80\xc8" + bytes(6), True),
        (b"\x80\xcf" + bytes(6), True),
        (b"\x80\xe0" + bytes(10), False),
        (b"\x80", False),
    ],
)
def test_rtcp_is_told_from_rtp(datagram: bytes, answer: bool) -> None:
    assert rtcp.is_rtcp(datagram) is answer
