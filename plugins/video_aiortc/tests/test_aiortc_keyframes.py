"""Which packets begin a picture that stands for itself."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import pytest
from aiortc.codecs.h264 import H264Encoder
from helpouts_video_aiortc.keyframes import starts_keyframe
from hypothesis import given
from hypothesis import strategies as st

KEYFRAME = b"\x10\x00" + bytes(20)
INTERFRAME = b"\x10\x01" + bytes(20)


def rtp(payload: int, body: bytes, extension: bytes = b"") -> bytes:
    head = struct.pack("!BBHII", 0x90 if extension else 0x80, 0x80 | payload, 1, 1, 7)
    if extension:
        head += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    return head + body


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (KEYFRAME, True),
        (INTERFRAME, False),
        (b"\x00\x00", False),  # not the start of a partition
        (b"\x11\x00", False),  # not the first partition
        (b"\x90\x80\x05\x00", True),  # 7-bit picture id
        (b"\x90\x80\x85\x01\x00", True),  # 15-bit picture id
        (b"\x90\xf0\x85\x01\x07\x20\x00", True),  # picture id, TL0PICIDX, TID
        (b"\x90\xf0\x85\x01\x07\x20\x01", False),
        (b"", False),
        (b"\x90", False),
    ],
)
def test_vp8_keyframes_are_told_from_other_pictures(body: bytes, answer: bool) -> None:
    assert starts_keyframe(rtp(96, body)) is answer
    assert starts_keyframe(rtp(98, body, b"\x10v\x00\x00")) is answer


SPS, PPS, IDR, LATER_IDR, SLICE = b"\x67\x42", b"\x68\xce", b"\x65\x88", b"\x65\x04", b"\x41\x9a"


def stap_a(*units: bytes) -> bytes:
    return b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (SPS, True),
        (IDR, True),
        (LATER_IDR, False),  # not the first slice
        (PPS, False),
        (SLICE, False),
        (stap_a(SPS, PPS), True),
        (stap_a(PPS, IDR), True),
        (stap_a(PPS, SLICE), False),
        (stap_a(), False),
        (stap_a(SPS)[:-2], False),
        (b"\x78\xff\xff\x67", True),
        (b"\x7c\x85\x88", True),  # FU-A, start, IDR
        (b"\x7c\x05\x88", False),  # FU-A, middle
        (b"\x7c\x81\x9a", False),  # FU-A, start of another picture
        (b"\x7c", False),
        (b"\x65", False),
        (b"", False),
    ],
)
def test_h264_keyframes_are_told_from_other_pictures(body: bytes, answer: bool) -> None:
    assert starts_keyframe(rtp(100, body)) is answer
    assert starts_keyframe(rtp(102, body, b"\x10v\x00\x00")) is answer


def test_a_real_encoders_keyframes_are_found_and_nothing_else() -> None:
    encoder = H264Encoder()
    found = []
    for number in range(6):
        frame = av.VideoFrame(640, 480, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([(number * 40) % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
        packets, _timestamp = encoder.encode(frame, force_keyframe=number in (0, 4))
        found.append([starts_keyframe(rtp(100, packet)) for packet in packets])
    assert [any(picture) for picture in found] == [True, False, False, False, True, False]
    assert found[0][0], "the first packet of the picture tells it"


@given(st.binary(max_size=40), st.sampled_from([96, 98, 100, 102, 97, 111]))
def test_no_packet_raises(tail: bytes, payload: int) -> None:
    for first in (0x80, 0x90, 0xBF):
        starts_keyframe(bytes([first, payload]) + bytes(10) + tail)
    starts_keyframe(rtp(payload, tail))
