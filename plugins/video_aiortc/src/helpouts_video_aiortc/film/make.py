"""Making the film: reads the packets once, in the order in which they were kept, and holds some seconds of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from helpouts_video_aiortc.dump import entries
from helpouts_video_aiortc.film.canvas import FRAME_TIME, HEIGHT, WIDTH, Canvas
from helpouts_video_aiortc.film.person import RATE, STEP, Person

LOOK_AHEAD = 8.0
"""Seconds that are read before anything is written: what was repeated, and the first sender report, come in them."""
LONGEST = 24 * 3600.0
VIDEO_OPTIONS = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "static-thresh": "100"}
VIDEO_BITS, AUDIO_BITS = 1_200_000, 64_000
BT_601, LIMITED = 6, 1
"""What cameras send in calls, in ITU-T H.273's numbers; players take pictures of this size for BT.709 otherwise."""
KEY_EVERY = 125
"""Pictures from one key picture to the next: players can go to every fifth second."""


def convert(blocks: Iterable[tuple[str, bytes]], people: Sequence[str], target: Path) -> None:
    """Write a WebM file (VP8 and Opus): both sides in one picture, both voices in one sound, cues at the front.

    :param blocks: (participant, entries of :mod:`dump`), as the recorder gave them to its sink.
    :param people: the participants; the first is shown on the left.
    :raises ValueError: when there is nothing to show.
    """
    film = _Film(people, target)
    newest = 0.0
    try:
        for participant, data in blocks:
            for arrival, packet in entries(data):
                if film.begin is None:
                    film.begin = arrival
                if participant not in film.people or not film.begin - 1 <= arrival <= film.begin + LONGEST:
                    continue
                film.people[participant].feed(arrival, packet)
                newest = max(newest, arrival)
            film.write(newest - LOOK_AHEAD)
        if film.begin is None:
            raise ValueError("the recording has no packets")
        film.write(newest)
    finally:
        film.close()


class _Film:
    def __init__(self, people: Sequence[str], target: Path) -> None:
        self.people = {name: Person() for name in people}
        self.begin: float | None = None
        self._pictures = 0
        self._canvas = Canvas()
        self._container = av.open(str(target), "w", format="webm", options={"cues_to_front": "1"})
        self._video: Any = self._container.add_stream("libvpx", 25, VIDEO_OPTIONS)
        self._video.width, self._video.height, self._video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        self._video.bit_rate, self._video.gop_size = VIDEO_BITS, KEY_EVERY
        self._video.codec_context.thread_count = 1
        self._video.codec_context.colorspace, self._video.codec_context.color_range = BT_601, LIMITED
        self._audio: Any = self._container.add_stream("libopus", RATE)
        self._audio.bit_rate, self._audio.layout = AUDIO_BITS, "stereo"

    def write(self, until: float) -> None:
        """Everything whose time has come."""
        if self.begin is None:
            return
        while (moment := self.begin + self._pictures / 25) <= until:
            for person in self.people.values():
                person.advance(moment + 0.5, self.begin)
            self._picture(moment)
            self._sound()
            self._pictures += 1

    def _picture(self, moment: float) -> None:
        people = self.people.values()
        cameras = [person.camera.at(moment, person.latest(person.camera)) for person in people]
        screens = [person.screen.at(moment, person.latest(person.screen)) for person in people]
        frame = self._canvas.draw(cameras, screens)
        frame.pts, frame.time_base = self._pictures, FRAME_TIME
        self._container.mux(self._video.encode(frame))

    def _sound(self) -> None:
        mixed = sum((person.voice.take() for person in self.people.values()), np.zeros((STEP, 2), np.int32))
        samples = np.clip(mixed, -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._pictures * STEP, Fraction(1, RATE)
        self._container.mux(self._audio.encode(frame))

    def close(self) -> None:
        try:
            self._container.mux(self._video.encode(None))
            self._container.mux(self._audio.encode(None))
        finally:
            self._container.close()
