"""Calls that never were: two people who show white for a moment and beep at instants that are known, as RTP.

Made with PyAV's encoders and a packetiser of its own, so that nothing of the code under test makes what it reads.
"""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np

BEGIN = 1_750_000_000.0
"""Instant of the first packet, on the recorder's clock."""
FLASH, BEEP = 0.12, 0.12
"""Seconds that a flash and a beep last."""
Packets = list[tuple[float, bytes]]


@dataclass
class Camera:
    """One side: when it flashes and beeps (seconds after the beginning), how its network and its clock are."""

    flashes: Sequence[float]
    tone: float
    fps: int = 25
    delay: float = 0.03
    jitter: float = 0.02
    clock_off: float = 4000.0
    size: tuple[int, int] = (320, 240)
    video: tuple[int, int] = (96, 97)
    reports: bool = True
    seed: int = 1
    lost: frozenset[int] = frozenset()
    """Numbers, counted from 0, of the video packets that are lost and repeated 80 ms later."""
    gone: frozenset[int] = frozenset()
    """Of those that are never repeated."""
    key_at: frozenset[int] = frozenset()
    """Pictures that are sent as key pictures, as after a request."""
    sound: bool = True
    codec: str = "libvpx"
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def _white(self, moment: float) -> bool:
        return any(flash <= moment < flash + FLASH for flash in self.flashes)

    def packets(self, start: float, end: float) -> Packets:
        """What arrives at the relay of a connection from ``start`` to ``end`` (seconds after the beginning)."""
        made = self._pictures(start, end) + (self._sound(start, end) if self.sound else [])
        return sorted(made, key=lambda item: item[0])

    def _arrival(self, moment: float) -> float:
        return BEGIN + moment + self.delay + self.random.random() * self.jitter

    def _report(self, moment: float, ssrc: int, timestamp: int) -> tuple[float, bytes]:
        sent = BEGIN + moment + self.clock_off
        body = struct.pack(
            "!BBHIIIIII", 0x80, 200, 6, ssrc, int(sent), int(sent % 1 * 2**32), timestamp & 0xFFFFFFFF, 1, 1
        )
        return self._arrival(moment), body

    def _pictures(self, start: float, end: float) -> Packets:
        encoder: Any = av.CodecContext.create(self.codec, "w")
        encoder.width, encoder.height = self.size
        encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 90000), Fraction(self.fps)
        encoder.bit_rate, encoder.gop_size = 400_000, 10_000
        encoder.options = (
            {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
            if self.codec == "libvpx"
            else {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
        )
        ssrc, base, number = self.random.getrandbits(32), self.random.getrandbits(32), self.random.getrandbits(16)
        again, sent = self.random.getrandbits(16), 0
        out: Packets = []
        for count in range(int((end - start) * self.fps)):
            moment = start + count / self.fps
            stamp = base + round(count * 90000 / self.fps)
            shade = 235 if self._white(moment) else 60
            luma = np.full((self.size[1] * 3 // 2, self.size[0]), 128, np.uint8)
            luma[: self.size[1]] = shade
            luma[count % self.size[1], :] = 90  # something moves, so that every picture is sent
            frame = av.VideoFrame.from_ndarray(luma, "yuv420p")
            frame.pts, frame.time_base = round(count * 90000 / self.fps), Fraction(1, 90000)
            if count in self.key_at:
                frame.pict_type = av.video.frame.PictureType.I
            if self.reports and count % self.fps == self.fps // 2:
                out.append(self._report(moment, ssrc, stamp))
            for encoded in encoder.encode(frame):
                data = bytes(encoded)
                payloads = _vp8(data, sent) if self.codec == "libvpx" else _h264(data)
                for part, payload in enumerate(payloads):
                    last = part == len(payloads) - 1
                    head = struct.pack(
                        "!BBHII", 0x80, self.video[0] | last << 7, number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc
                    )
                    if sent in self.lost:
                        repeated = struct.pack(
                            "!BBHII", 0x80, self.video[1] | last << 7, again & 0xFFFF, stamp & 0xFFFFFFFF, ssrc ^ 1
                        )
                        again += 1
                        osn = struct.pack("!H", number & 0xFFFF)
                        out.append((self._arrival(moment) + 0.08, repeated + osn + payload))
                    elif sent not in self.gone:
                        out.append((self._arrival(moment), head + payload))
                    number, sent = number + 1, sent + 1
        return out

    def _sound(self, start: float, end: float) -> Packets:
        encoder: Any = av.CodecContext.create("libopus", "w")
        encoder.sample_rate, encoder.layout, encoder.bit_rate, encoder.format = 48000, "stereo", 32_000, "s16"
        encoder.options = {"application": "lowdelay"}
        ssrc, base, number = self.random.getrandbits(32), self.random.getrandbits(32), self.random.getrandbits(16)
        out: Packets = []
        count = 0
        for block in range(int((end - start) * 50)):
            moment = start + block / 50
            time = moment + np.arange(960) / 48000
            loud = np.zeros(960, bool)
            for flash in self.flashes:
                loud |= (time >= flash) & (time < flash + BEEP)
            wave = (np.sin(2 * np.pi * self.tone * time) * 12000 * loud).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2).reshape(1, -1), "s16", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48000, block * 960, Fraction(1, 48000)
            if self.reports and block % 50 == 30:
                out.append(self._report(moment, ssrc, base + block * 960))
            for encoded in encoder.encode(frame):
                head = struct.pack(
                    "!BBHII", 0x80, 111, (number + count) & 0xFFFF, (base + count * 960) & 0xFFFFFFFF, ssrc
                )
                out.append((self._arrival(start + count / 50 + 0.02), head + bytes(encoded)))
                count += 1
        return out


def _vp8(data: bytes, picture: int) -> list[bytes]:
    """RFC 7741, with a picture number of 15 bits."""
    chunks = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    number = bytes([0x80, 0x80 | picture >> 8 & 0x7F, picture & 0xFF])
    return [bytes([0x90 if part == 0 else 0x80]) + number + chunk for part, chunk in enumerate(chunks)]


def _h264(data: bytes) -> list[bytes]:
    """RFC 6184: small units together (STAP-A), large ones in pieces (FU-A), others as they are."""
    units = [unit for unit in re.split(rb"\x00\x00\x00?\x01", data) if unit]
    out: list[bytes] = []
    small = [unit for unit in units if unit[0] & 0x1F in (7, 8)]
    if small:
        out.append(b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in small))
    for unit in (unit for unit in units if unit not in small):
        if len(unit) <= 1000:
            out.append(unit)
            continue
        pieces = [unit[at : at + 1000] for at in range(1, len(unit), 1000)]
        for part, piece in enumerate(pieces):
            flags = (part == 0) << 7 | (part == len(pieces) - 1) << 6
            out.append(bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F]) + piece)
    return out


def blocks(sides: dict[str, Packets], seconds: float = 5.0) -> Iterable[tuple[str, bytes]]:
    """What the recorder would have kept: for each some seconds, one person after the other."""
    from helpouts_video_aiortc.dump import entry

    last = max(arrival for packets in sides.values() for arrival, _ in packets)
    at = BEGIN
    while at <= last:
        for name, packets in sides.items():
            kept = b"".join(entry(arrival, packet) for arrival, packet in packets if at <= arrival < at + seconds)
            if kept:
                yield name, kept
        at += seconds


def seen_by_ffmpeg(film: str, side: int) -> list[float]:
    """Instants at which the left (0) or right (1) half turns white, as ffmpeg decodes it: a reader that is not ours."""
    command = ["ffmpeg", "-v", "error", "-i", film, "-vf", "scale=32:18,format=gray", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, 18, 32)
    middle = frames[:, 8:10, 7:9] if side == 0 else frames[:, 8:10, 23:25]
    white = middle.mean(axis=(1, 2)) > 150
    return [float(at) / 25 for at in np.flatnonzero(white & ~np.roll(white, 1))]


def heard_by_ffmpeg(film: str, tone: float) -> list[float]:
    """Instants at which a tone begins, in steps of 10 ms."""
    command = ["ffmpeg", "-v", "error", "-i", film, "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout
    samples = np.frombuffer(raw, np.int16).astype(float)
    samples = samples[: len(samples) // 480 * 480].reshape(-1, 480)
    wave = np.exp(-2j * np.pi * tone * np.arange(480) / 48000)
    loud = np.abs(samples @ wave) / 480 > 1000
    begins = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]])) / 100
    return [float(at) for at in begins if not any(0 < at - earlier < 0.3 for earlier in begins)]
