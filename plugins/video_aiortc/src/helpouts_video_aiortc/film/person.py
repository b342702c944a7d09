"""One side of a call: its packets by source, its voice as samples, its pictures as they were at an instant."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

from helpouts_video_aiortc import rtcp
from helpouts_video_aiortc.film import payloads, rtp
from helpouts_video_aiortc.film.source import Source, Unit
from helpouts_video_aiortc.film.timing import SenderClock, reports
from helpouts_video_aiortc.slots import AUDIO, CAMERA, SCREEN, Codec, Slot

RATE = 48_000
STEP = RATE // 25
"""Samples of one picture's time."""
AHEAD = 2 * RATE
"""Samples that may be placed before their time comes; what is further off is no sound of this call."""
TOLERANCE = 0.03
"""Seconds by which a voice may be off before it is set right, with a small gap."""
MOST_SOURCES = 64
MOST_PIXELS = 4096 * 2304
"""Larger pictures are not decoded: nobody's camera makes them, but they cost memory."""
GONE = {CAMERA.kind: 3.0, SCREEN.kind: 6.0}
"""Seconds without a packet after which a picture is taken away."""
Picture = tuple[Any, int]
"""A decoded frame and the quarters clockwise by which it is to be turned."""


class Voice:
    """Sound of one person, mixed from all sources into one line of samples."""

    def __init__(self) -> None:
        self._line = np.zeros((AHEAD + RATE, 2), np.int32)
        self._begins = 0
        self._decoders: dict[Source, tuple[Any, Any]] = {}
        self._places: dict[Source, tuple[int, int]] = {}

    def add(self, source: Source, unit: Unit, position: int) -> None:
        """Decode a unit and put it at ``position``, or right behind the one before where that is meant."""
        if source not in self._decoders:
            self._decoders[source] = (
                av.CodecContext.create("libopus", "r"),
                av.AudioResampler("s16", "stereo", RATE),
            )
        decoder, resampler = self._decoders[source]
        if source in self._places:
            sample, stamp = self._places[source]
            follows = sample + unit.timestamp - stamp
            if abs(follows - position) <= TOLERANCE * RATE:
                position = follows
        self._places[source] = position, unit.timestamp
        try:
            frames = decoder.decode(av.Packet(unit.data))
        except av.FFmpegError:
            return
        for frame in frames:
            for even in resampler.resample(frame):
                samples = even.to_ndarray().reshape(-1, 2)
                self._put(position, samples)
                position += len(samples)

    def _put(self, position: int, samples: Any) -> None:
        at = position - self._begins
        if at < 0:
            samples, at = samples[-at:], 0
        room = self._line[at : at + len(samples)]
        room += samples[: len(room)]

    def take(self) -> Any:
        """The next :data:`STEP` samples, as 32-bit integers of two channels."""
        taken = self._line[:STEP].copy()
        self._line[:-STEP] = self._line[STEP:]
        self._line[-STEP:] = 0
        self._begins += STEP
        return taken


class View:
    """What one slot of one person shows: the newest picture whose moment has come."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self._due: list[tuple[Source, Unit]] = []
        self._decoders: dict[Source, Any] = {}
        self._shown: Picture | None = None

    def add(self, source: Source, unit: Unit) -> None:
        """One more encoded picture."""
        self._due.append((source, unit))

    def at(self, moment: float, latest: float) -> Picture | None:
        """Decode up to ``moment``; ``latest`` is when a packet came last, for what is shown no more."""
        while self._due and self._due[0][1].moment <= moment:
            source, unit = self._due.pop(0)
            if source not in self._decoders:
                self._decoders = {source: _decoder(source.codec)}  # the one before has ended
            try:
                for frame in self._decoders[source].decode(av.Packet(unit.data)):
                    self._shown = frame, unit.turned
            except av.FFmpegError:
                continue
        if moment - latest > GONE[self.slot.kind]:
            self._shown = None
        return self._shown


def _decoder(codec: Codec) -> Any:
    decoder = av.CodecContext.create(payloads.DECODERS[codec.name], "r")
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    decoder.thread_count = 1
    return decoder


class Person:
    """Everything of one side."""

    def __init__(self) -> None:
        self.voice = Voice()
        self.camera, self.screen = View(CAMERA), View(SCREEN)
        self._sender = SenderClock()
        self._sources: dict[tuple[int, str], Source] = {}
        self._newest: dict[int, Source] = {}

    def feed(self, arrival: float, packet: bytes) -> None:
        """One RTP packet or RTCP compound as it came."""
        if rtcp.is_rtcp(packet):
            self._hear(packet)
            return
        read = rtp.parse(packet)
        if read is None:
            return
        if read.payload_type in rtp.PRIMARY:
            source = self._source(read.ssrc, *rtp.PRIMARY[read.payload_type])
            if source is not None:
                source.clock.heard(read.timestamp, arrival)
                source.feed(read, arrival)
        elif read.payload_type in rtp.REPEATED:
            newest = self._newest.get(rtp.REPEATED[read.payload_type][1].payload)
            again = rtp.repeated(read, 0)
            if newest is not None and again is not None:
                newest.feed(again, arrival)

    def _hear(self, compound: bytes) -> None:
        for ssrc, sent, timestamp in reports(compound):
            for (known, _), source in self._sources.items():
                if known == ssrc:
                    source.clock.report(sent, timestamp)

    def _source(self, ssrc: int, slot: Slot, codec: Codec) -> Source | None:
        source = self._sources.get((ssrc, codec.name + slot.kind))
        if source is None and len(self._sources) < MOST_SOURCES:
            source = self._sources[ssrc, codec.name + slot.kind] = Source(slot, codec, self._sender)
        if source is not None:
            self._newest[codec.payload] = source
        return source

    def advance(self, until: float, begin: float) -> None:
        """Hand on what arrived up to ``until``; the film begins at ``begin``."""
        for source in list(self._sources.values()):
            for unit in source.units(until):
                if source.slot is AUDIO:
                    self.voice.add(source, unit, round((unit.moment - begin) * RATE))
                else:
                    (self.camera if source.slot is CAMERA else self.screen).add(source, unit)

    def latest(self, view: View) -> float:
        """When the last packet of a view's slot came, up to now."""
        return max((s.latest for s in self._sources.values() if s.slot is view.slot), default=0.0)
