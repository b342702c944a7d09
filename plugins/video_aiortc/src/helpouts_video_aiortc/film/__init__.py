"""From the packets of a recorded call to a film that ordinary players open.  Runs apart from every other process."""

from helpouts_video_aiortc.film.make import convert

__all__ = ["convert"]
