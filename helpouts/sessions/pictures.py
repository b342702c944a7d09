"""Pictures that people send: made anew from their pixels, so that nothing else that was in the file gets out again."""

from __future__ import annotations

import io
import warnings
from typing import IO

from PIL import Image, ImageOps

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

#: Pixels of a picture that is opened; a file of a few bytes can claim to have billions.
MOST_PIXELS = 50_000_000
#: Longer side of a preview, of a snapshot.
PREVIEW, SNAPSHOT = 640, 4096
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def preview(file: IO[bytes]) -> bytes | None:
    """A small JPEG of the picture (place and camera are not in it), or None when it is none."""
    picture = _opened(file)
    if picture is None:
        return None
    picture.thumbnail((PREVIEW, PREVIEW))
    return _written(_flat(picture), "JPEG")


def snapshot(file: IO[bytes]) -> tuple[bytes, bytes]:
    """(the picture as PNG, its preview).

    :raises HelpoutsError: when it is no picture, or too large.
    """
    picture = _opened(file)
    if picture is None or max(picture.size) > SNAPSHOT:
        raise HelpoutsError(_l("This is not a picture that can be kept. Take another one."))
    whole = _written(picture.convert("RGB"), "PNG")
    picture.thumbnail((PREVIEW, PREVIEW))
    return whole, _written(_flat(picture), "JPEG")


def _opened(file: IO[bytes]) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file.seek(0)
            picture = Image.open(file, formats=_FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.draft("RGB", (PREVIEW * 2, PREVIEW * 2)) if picture.format == "JPEG" else None
            picture.load()
            return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow raises whatever its decoders meet
        return None


def _flat(picture: Image.Image) -> Image.Image:
    """On white, where it is transparent."""
    if picture.mode in ("RGBA", "LA", "P", "PA"):
        above = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("RGB")
    return picture.convert("RGB")


def _written(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **({"quality": 82} if kind == "JPEG" else {"compress_level": 6}))
    return out.getvalue()
