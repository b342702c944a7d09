"""What the load clients send: four seconds of Opus and VP8, encoded once, as RTP payloads.

Every picture carries its number as a row of black and white squares, so that the receiver can tell, after decoding,
which picture it sees: also behind a server that decodes and encodes again.
"""

from __future__ import annotations

import math
import pickle
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, FPS, SECONDS = 640, 480, 30, 4
FRAMES = FPS * SECONDS
SQUARE, BITS = 32, 7
VIDEO_KBPS, AUDIO_KBPS = 790, 32
PAYLOAD = 1120
"""Bytes of picture in one packet, as browsers choose it."""


@dataclass(frozen=True)
class Material:
    """``video``: the packets of each picture; ``audio``: one packet for each 20 ms."""

    video: list[list[bytes]]
    audio: list[bytes]

    @property
    def packets_per_second(self) -> float:
        """Of one participant."""
        return (sum(map(len, self.video)) + len(self.audio)) / SECONDS


def number_of(luma: np.ndarray) -> int:
    """The number that a decoded picture carries (its luma plane, any size)."""
    square = SQUARE * luma.shape[1] / WIDTH
    middles = [int((bit + 0.5) * square) for bit in range(BITS)]
    return sum((int(luma[int(square / 2), middle]) > 128) << bit for bit, middle in enumerate(middles))


def _picture(number: int, noise: np.ndarray) -> av.VideoFrame:
    x, y = np.arange(WIDTH)[None, :], np.arange(HEIGHT)[:, None]
    luma = 128 + 60 * np.sin((x + 9 * number) / 37) * np.cos((y - 5 * number) / 23)
    luma = luma + np.roll(noise, (3 * number, 7 * number), (0, 1))
    for bit in range(BITS):
        luma[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 235 if number >> bit & 1 else 16
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    frame.planes[0].update(np.clip(luma, 16, 235).astype(np.uint8).tobytes())
    for plane in frame.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts = number
    return frame


def _video() -> list[list[bytes]]:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS)
    codec.bit_rate = VIDEO_KBPS * 1000
    codec.gop_size = 2 * FPS
    codec.options = {
        "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1",
        "minrate": f"{VIDEO_KBPS}k", "maxrate": f"{VIDEO_KBPS}k", "bufsize": "400k",
        "keyint_min": str(2 * FPS),
    }  # fmt: skip
    noise = np.random.default_rng(1).normal(0, 9, (HEIGHT, WIDTH))
    encoded = [bytes(packet) for number in range(FRAMES) for packet in codec.encode(_picture(number, noise))]
    assert len(encoded) == FRAMES, "the encoder holds pictures back or leaves some out"
    out = []
    for number, frame in enumerate(encoded):
        # RFC 7741 section 4.2: X=1, S=1 on the first; I=1; a 15-bit picture id, as browsers write it.
        parts = [frame[at : at + PAYLOAD] for at in range(0, len(frame), PAYLOAD)]
        out.append(
            [struct.pack("!BBH", 0x90 if part else 0x80, 0x80, 0x8000 | number) + piece for part, piece in
             ((at == 0, piece) for at, piece in enumerate(parts))]
        )  # fmt: skip
    return out


def _audio() -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48000, "stereo", "s16"
    codec.bit_rate = AUDIO_KBPS * 1000
    codec.time_base = Fraction(1, 48000)
    codec.options = {"application": "voip", "frame_duration": "20", "vbr": "off"}
    out: list[bytes] = []
    for number in range(SECONDS * 50 + 2):
        frame = av.AudioFrame("s16", "stereo", 960)
        tone = [int(6000 * math.sin((960 * number + at) / 48000 * 2 * math.pi * 330)) for at in range(960)]
        frame.planes[0].update(struct.pack("<1920h", *(value for value in tone for _side in range(2))))
        frame.sample_rate, frame.pts, frame.time_base = 48000, 960 * number, Fraction(1, 48000)
        out += [bytes(packet) for packet in codec.encode(frame)]
    assert len(out) >= SECONDS * 50
    return out[: SECONDS * 50]


def make(path: Path) -> Material:
    """Encode, and leave it in a file for the load clients."""
    material = Material(_video(), _audio())
    path.write_bytes(pickle.dumps((material.video, material.audio)))
    return material


def load(path: Path) -> Material:
    """What :func:`make` wrote."""
    return Material(*pickle.loads(path.read_bytes()))
