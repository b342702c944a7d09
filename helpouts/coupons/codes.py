"""Codes of coupons: how they are written, and one to suggest."""

from __future__ import annotations

import re
import secrets

_CODE = re.compile(r"[A-Z0-9-]{4,24}")
#: Without letters and digits that look alike.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def normal(text: str) -> str:
    """A code as it is kept: capitals, no spaces; "" for what cannot be one."""
    code = "".join(text.split()).upper()
    return code if _CODE.fullmatch(code) else ""


def suggest() -> str:
    """A code that nobody guesses."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
