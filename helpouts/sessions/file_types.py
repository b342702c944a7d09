"""What a file is, by its first bytes; what its sender calls it decides nothing but the ending shown."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

#: Media types that browsers show as pictures, and that Pillow reads.
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
OTHER = "application/octet-stream"
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_PROGRAM_NAMES = (
    *(".apk", ".app", ".bat", ".cmd", ".com", ".cpl", ".dmg", ".exe", ".hta", ".jar", ".js", ".jse", ".lnk"),
    *(".msi", ".pkg", ".ps1", ".scr", ".vbe", ".vbs", ".wsf"),
)
LONGEST_NAME = 120


def sniff(head: bytes) -> str:
    """The media type of a file that begins with ``head`` (its first 512 bytes or more, or all of it)."""
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    try:
        text = head[:512].decode("utf-8", "strict" if len(head) <= 512 else "ignore")
    except UnicodeDecodeError:
        return OTHER
    plain = text and not any(unicodedata.category(letter) == "Cc" and letter not in "\t\r\n\f" for letter in text)
    return "text/plain" if plain else OTHER


def check_harmless(name: str, head: bytes) -> None:
    """Programs do not go from hand to hand here: they are how people are cheated.

    :raises HelpoutsError: for one, by its name or by its first bytes.
    """
    if head.startswith(_PROGRAMS) or PurePath(name.lower()).suffix in _PROGRAM_NAMES:
        raise HelpoutsError(_l("Programs cannot be sent here. Say where to download them instead."))


def tidy_name(name: str) -> str:
    """The file's name without folders and characters that no system takes, at most :data:`LONGEST_NAME` long."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if len(name) > LONGEST_NAME and dot and len(ending) <= 10:
        return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"
    return name[:LONGEST_NAME] or "file"
