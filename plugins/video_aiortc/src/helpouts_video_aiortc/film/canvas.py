"""Putting the pictures of both sides into one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np

from helpouts_video_aiortc.film.person import Picture

WIDTH, HEIGHT = 1280, 720
BLACK, GREY = 16, 40
Box = tuple[int, int, int, int]
"""Left, top, width, height; all even, since colour has half the resolution."""
BESIDE: tuple[Box, ...] = ((0, 0, 638, 720), (642, 0, 638, 720))
"""Two cameras."""
LARGE: Box = (0, 0, 956, 720)
"""A shared screen, with the cameras beside."""
SMALL: tuple[Box, ...] = ((960, 116, 320, 240), (960, 364, 320, 240))


class Canvas:
    """Makes one picture of what both show; draws anew only what has changed."""

    def __init__(self) -> None:
        self._planes = _blank()
        self._drawn: tuple[Any, ...] = ()

    def draw(self, cameras: Sequence[Picture | None], screens: Sequence[Picture | None]) -> Any:
        """The picture of this instant as a yuv420p frame."""
        screen = next((shown for shown in screens if shown is not None), None)
        parts: list[tuple[Box, Picture | None]] = list(zip(SMALL if screen else BESIDE, cameras, strict=True))
        if screen is not None:
            parts.append((LARGE, screen))
        drawn = tuple(parts)
        if [box for box, _ in drawn] != [box for box, _ in self._drawn]:
            self._planes, self._drawn = _blank(), ()
        for number, (box, picture) in enumerate(drawn):
            if not self._drawn or self._drawn[number][1] is not picture:
                self._fill(box, picture)
        self._drawn = drawn
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, content in zip(frame.planes, self._planes, strict=True):
            _rows(plane, content.shape[0])[:, : content.shape[1]] = content
        return frame

    def _fill(self, box: Box, picture: Picture | None) -> None:
        left, top, width, height = box
        self._blot(box, GREY if picture is None else BLACK)
        if picture is None:
            return
        frame, turned = picture
        wide, high = (frame.height, frame.width) if turned % 2 else (frame.width, frame.height)
        scale = min(width / wide, height / high)
        wide, high = max(2, int(wide * scale) & ~1), max(2, int(high * scale) & ~1)
        x, y = left + (width - wide) // 4 * 2, top + (height - high) // 4 * 2
        unturned = (high, wide) if turned % 2 else (wide, high)
        scaled = frame.reformat(*unturned, format="yuv420p", interpolation="FAST_BILINEAR")
        for number, plane in enumerate(scaled.planes):
            half = 2 if number else 1
            content = _rows(plane, unturned[1] // half)[:, : unturned[0] // half]
            if turned:
                content = np.rot90(content, -turned)
            target = self._planes[number]
            target[y // half : (y + high) // half, x // half : (x + wide) // half] = content

    def _blot(self, box: Box, luma: int) -> None:
        left, top, width, height = box
        for number, target in enumerate(self._planes):
            half = 2 if number else 1
            value = 128 if number else luma
            target[top // half : (top + height) // half, left // half : (left + width) // half] = value


def _blank() -> list[Any]:
    luma = np.full((HEIGHT, WIDTH), BLACK, np.uint8)
    return [luma, *(np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8) for _ in range(2))]


def _rows(plane: Any, rows: int) -> Any:
    """A plane's bytes as rows, the padding at their ends included."""
    return np.frombuffer(plane, np.uint8)[: rows * plane.line_size].reshape(rows, plane.line_size)


FRAME_TIME = Fraction(1, 25)
