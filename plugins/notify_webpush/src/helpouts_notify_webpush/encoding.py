"""Base64 for URLs without padding (RFC 4648, section 5), as the push standards want it everywhere."""

from __future__ import annotations

import base64


def to_text(data: bytes) -> str:
    """Encode."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    """Decode, with padding or without.

    :raises ValueError: for anything else.
    """
    plain = text.rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
