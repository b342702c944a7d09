"""RTP rewriting: one continuous stream, whoever sends it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from helpouts_video_aiortc.congestion import TransportSequence, distance, sequence_position
from helpouts_video_aiortc.keyframes import header_length
from helpouts_video_aiortc.rewrite import Outgoing, Stream
from helpouts_video_aiortc.slots import AUDIO, CAMERA, SLOTS
from hypothesis import given
from hypothesis import strategies as st

KEYFRAME = b"\x10\x00" + bytes(20)
INTERFRAME = b"\x10\x01" + bytes(20)


def rtp(
    payload: int,
    ssrc: int,
    sequence: int,
    timestamp: int = 0,
    body: bytes = KEYFRAME,
    extension: bytes = b"",
    padding: int = 0,
) -> bytes:
    first = 0x80 | (0x10 if extension else 0) | (0x20 if padding else 0)
    head = struct.pack("!BBHII", first, payload, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    if extension:
        extension += bytes(-len(extension) % 4)
        head += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    return head + body + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def fields(packet: bytes | None) -> tuple[int, int, int]:
    assert packet is not None
    sequence, timestamp, ssrc = struct.unpack_from("!HII", packet, 2)
    return sequence, timestamp, ssrc


def rewrite(outgoing: Outgoing, packet: bytes, now: float = 0.0) -> bytes | None:
    """The packet as it comes out, rewritten in a place that has room behind it."""
    place = bytearray(packet) + b"behind"
    if not outgoing.rewrite(memoryview(place), len(packet), now):
        return None
    assert place[len(packet) :] == b"behind"
    return bytes(place[: len(packet)])


def feed(outgoing: Outgoing, packets: Sequence[bytes], now: float = 0.0) -> list[int]:
    return [
        fields(packet)[0] for packet in (rewrite(outgoing, packet, now) for packet in packets) if packet is not None
    ]


@given(start=st.integers(0, 0xFFFF), length=st.integers(2, 40))
def test_numbers_follow_each_other_across_a_wrap_of_the_source(start: int, length: int) -> None:
    out = feed(Outgoing(), [rtp(96, 7, start + step) for step in range(length)])
    assert [distance(later, out[0]) for later in out] == list(range(length))
    assert out[0] < 1 << 15, "RFC 3711: a first number in the upper half risks the roll-over counter"


def test_many_wraps_later_the_numbers_are_still_in_step() -> None:
    outgoing = Outgoing()
    first, *_rest, last = feed(outgoing, [rtp(96, 7, 65000 + step) for step in range(200_000)])
    assert last == (first + 199_999) & 0xFFFF
    assert outgoing.stream(96).numbers.highest == first + 199_999


@given(first=st.integers(0, 0xFFFF), second=st.integers(0, 0xFFFF), stamps=st.tuples(*[st.integers(0, 2**32 - 1)] * 2))
def test_a_new_source_goes_on_where_the_last_one_stopped(first: int, second: int, stamps: tuple[int, int]) -> None:
    outgoing = Outgoing()
    before = fields(rewrite(outgoing, rtp(96, 7, first, stamps[0]), 10.0))
    outgoing.detach()
    after = fields(rewrite(outgoing, rtp(96, 8, second, stamps[1]), 12.0))
    assert after[0] == (before[0] + 1) & 0xFFFF
    assert after[1] == (before[1] + 2 * 90000) & 0xFFFFFFFF, "two seconds passed"
    assert after[2] == before[2] == outgoing.ssrc(96)


def test_a_source_that_changes_its_ssrc_without_a_word_is_a_new_source() -> None:
    seen: list[int | None] = []
    outgoing = Outgoing(lambda stream, packet: seen.append(stream.source))
    assert len(feed(outgoing, [rtp(96, 7, 100), rtp(96, 7, 101), rtp(96, 8, 5), rtp(96, 8, 6)])) == 4
    assert seen == [7, 8]
    assert set(outgoing.by_source) == {8}


def test_late_packets_keep_their_place_and_do_not_move_the_stream_back() -> None:
    out = feed(Outgoing(), [rtp(96, 7, number) for number in (10, 12, 11, 13)])
    assert [number - out[0] for number in out] == [0, 2, 1, 3]


def test_what_was_sent_before_the_first_seen_packet_is_dropped() -> None:
    """Its number belongs to the source before: the same SRTP index must not be used twice."""
    outgoing = Outgoing()
    feed(outgoing, [rtp(96, 7, 50)])
    outgoing.detach()
    feed(outgoing, [rtp(96, 8, 1000)])
    assert rewrite(outgoing, rtp(96, 8, 999), 0.0) is None


def test_a_source_that_starts_anew_with_the_same_ssrc_goes_on() -> None:
    outgoing = Outgoing()
    out = feed(outgoing, [rtp(96, 7, 30_000), rtp(96, 7, 5)])
    assert out[1] == out[0] + 1


@given(st.lists(st.tuples(st.sampled_from([7, 8]), st.integers(0, 0xFFFF)), max_size=60))
def test_no_number_is_ever_given_to_two_packets(packets: list[tuple[int, int]]) -> None:
    outgoing, given_out = Outgoing(), {}
    for ssrc, sequence in packets:
        if rewrite(outgoing, rtp(96, ssrc, sequence), 0.0) is not None:
            stream = outgoing.stream(96)
            placed = stream.place(sequence)
            owner = (ssrc, stream.numbers.base, sequence)
            assert given_out.setdefault(placed, owner) == owner


def test_each_payload_type_has_its_own_ssrc_and_unknown_or_refused_ones_are_dropped() -> None:
    outgoing = Outgoing()
    payloads = [payload for slot in SLOTS for payload in (slot.payload, slot.rtx) if payload]
    assert len({outgoing.ssrc(payload) for payload in payloads}) == 5
    assert rewrite(outgoing, rtp(120, 7, 1), 0.0) is None
    outgoing.accept({111, 500})
    assert rewrite(outgoing, rtp(96, 7, 1), 0.0) is None
    assert rewrite(outgoing, rtp(111, 9, 1), 0.0) is not None


def test_a_browser_that_changes_the_codec_goes_on_in_the_same_stream() -> None:
    outgoing = Outgoing()
    out = [rewrite(outgoing, rtp(payload, 7, 50 + step)) for step, payload in enumerate((96, 100, 100))]
    assert [fields(packet)[0] - fields(out[0])[0] for packet in out] == [0, 1, 2]
    assert {fields(packet)[2] for packet in out} == {outgoing.ssrc(96)}
    again = rewrite(outgoing, rtp(101, 70, 1, body=struct.pack("!H", 52) + b"again"))
    assert again is not None
    assert fields(again)[2] == outgoing.ssrc(97)
    assert struct.unpack_from("!H", again, 12)[0] == fields(out[2])[0]


def test_the_marker_bit_and_everything_behind_the_header_stay() -> None:
    packet = rtp(96 | 0x80, 7, 1, body=b"picture", extension=b"\x10a")
    out = rewrite(Outgoing(), packet, 0.0)
    assert out is not None
    assert out[:2] == packet[:2]
    assert out[12:] == packet[12:]


# -- retransmissions --------------------------------------------------------------------------------------------


def rtx(original: int, sequence: int = 500, **more: bytes) -> bytes:
    return rtp(97, 70, sequence, body=struct.pack("!H", original & 0xFFFF) + b"again", **more)


@pytest.mark.parametrize("extension", [b"", b"\x10a\x41\x00\x05"])
def test_a_retransmission_names_the_number_that_the_receiver_missed(extension: bytes) -> None:
    outgoing = Outgoing()
    first = feed(outgoing, [rtp(96, 7, 65_534), rtp(96, 7, 1)])[0]
    out = rewrite(outgoing, rtx(65_535, extension=extension), 0.0)
    assert out is not None
    at = header_length(out)
    assert struct.unpack_from("!H", out, at)[0] == first + 1
    assert out[at + 2 :] == b"again"
    assert fields(out)[2] == outgoing.ssrc(97)


def test_a_retransmission_has_the_timestamp_of_its_primary_stream() -> None:
    outgoing = Outgoing()
    rewrite(outgoing, rtp(96, 7, 1, 1000), 1.0)
    outgoing.detach()
    primary = rewrite(outgoing, rtp(96, 8, 9, 5), 2.0)
    again = rewrite(outgoing, rtp(97, 80, 1, 5, body=b"\x00\x09again"), 2.5)
    assert fields(again)[1] == fields(primary)[1]


@pytest.mark.parametrize("pictures", [0, 1])
def test_padding_for_probing_carries_no_original_number_and_passes_as_it_is(pictures: int) -> None:
    """Also before the first picture: this is how Chromium measures the path at the start of a call."""
    outgoing = Outgoing()
    feed(outgoing, [rtp(96, 7, 1)] * pictures)
    out = rewrite(outgoing, rtp(97, 70, 500, body=b"", padding=200), 0.0)
    assert out is not None
    assert len(out) == 212
    assert out[12:] == bytes(199) + b"\xc8"


def test_retransmissions_of_nobody_or_of_the_source_before_are_dropped() -> None:
    outgoing = Outgoing()
    assert rewrite(outgoing, rtx(1), 0.0) is None
    feed(outgoing, [rtp(96, 7, 100)])
    assert rewrite(outgoing, rtx(99), 0.0) is None
    outgoing.detach()
    assert rewrite(outgoing, rtx(100), 0.0) is None


# -- robustness and helpers -------------------------------------------------------------------------------------


@given(st.binary(max_size=64), st.sampled_from([96, 97, 111]), st.booleans())
def test_no_packet_raises(tail: bytes, payload: int, warm: bool) -> None:
    outgoing = Outgoing()
    if warm:
        feed(outgoing, [rtp(96, 7, 1)])
        outgoing.transport.report(b"\x00\x01\x00\x01" + bytes(4))
        outgoing.detach()
        feed(outgoing, [rtp(96, 7, 1, extension=b"\x41\x00\x05")])
    for first in (0x80, 0x90, 0xB0, 0xBF):
        rewrite(outgoing, bytes([first, payload]) + tail, 0.0)


def test_a_stream_gives_back_only_numbers_of_its_present_source() -> None:
    stream = Stream(AUDIO, 1)
    stream.adopt(7, 60_000, 0, 0.0)
    base = stream.numbers.base
    for step in range(10_000):
        placed = stream.place(60_000 + step & 0xFFFF)
        assert placed is not None
        stream.numbers.highest, stream.numbers.source_highest = placed, placed - stream.numbers.shift
    assert stream.unplace((base + 9_999) & 0xFFFF) == (60_000 + 9_999) & 0xFFFF
    assert stream.unplace((base - 1) & 0xFFFF) is None


# -- transport-wide numbers -------------------------------------------------------------------------------------


def numbered(number: int, ssrc: int = 7) -> bytes:
    return rtp(CAMERA.payload, ssrc, 1, extension=b"\x10v\x41" + struct.pack("!H", number))


def report(base: int, count: int) -> bytes:
    return struct.pack("!HH", base, count) + b"\x00\x00\x01\x05" + b"\x20\x01\x00\x00"


def moved_by(sequence: TransportSequence, packet: bytes) -> bytes:
    place = bytearray(packet)
    sequence.move(memoryview(place))
    return bytes(place)


def number(packet: bytes) -> int:
    at = sequence_position(packet)
    assert at is not None
    return int.from_bytes(packet[at : at + 2])


def test_the_first_source_keeps_its_transport_wide_numbers() -> None:
    sequence = TransportSequence()
    assert not sequence.active
    assert sequence.report(report(100, 5)) == report(100, 5)


@given(last=st.integers(0, 0xFFFF), fresh=st.integers(0, 0xFFFF))
def test_a_second_source_continues_behind_what_was_reported(last: int, fresh: int) -> None:
    sequence = TransportSequence()
    sequence.report(report((last - 10) & 0xFFFF, 10))
    sequence.detach()
    assert sequence.active
    assert sequence.report(report(last, 3)) == b"", "about the source that has gone"
    moved = number(moved_by(sequence, numbered(fresh)))
    assert 0 < distance(moved, last) < 2048
    assert number(moved_by(sequence, numbered((fresh + 1) & 0xFFFF))) == (moved + 1) & 0xFFFF
    assert sequence.report(report((last + 3) & 0xFFFF, 4)) == b""
    back = sequence.report(report(moved, 2))
    assert struct.unpack_from("!HH", back) == (fresh, 2)
    assert back[4:] == report(0, 0)[4:]


def test_packets_of_a_new_source_are_renumbered_on_their_way() -> None:
    outgoing = Outgoing()
    feed(outgoing, [numbered(3000)])
    outgoing.transport.report(report(2990, 11))
    outgoing.detach()
    out = rewrite(outgoing, numbered(1, ssrc=8), 0.0)
    assert out is not None
    assert distance(number(out), 3001) > 0


@pytest.mark.parametrize(
    "packet",
    [
        rtp(96, 7, 1),
        rtp(96, 7, 1, extension=b"\x10v"),
        rtp(96, 7, 1, extension=b"\xf0v\x41\x00\x05"),
        rtp(96, 7, 1, extension=b"\x40\x05"),
        rtp(96, 7, 1, extension=b"\x41\x00\x05")[:15],
    ],
)
def test_packets_without_the_extension_have_no_number(packet: bytes) -> None:
    assert sequence_position(packet) is None


def test_padding_between_extensions_is_skipped() -> None:
    assert number(rtp(96, 7, 1, extension=b"\x10v\x00\x00\x41\x12\x34")) == 0x1234
