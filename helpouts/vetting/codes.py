"""Invitation codes: easy to read out and to type, impossible to guess, kept only as a hash.

Crockford's base 32 (no I, L, O, U; https://www.crockford.com/base32.html): 16 symbols are 80 bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "HELP"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
GROUP = 4

_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SHAPE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def new_code() -> str:
    """A fresh code such as "HELP-7Q4M-K2XR-9PTD-03WV"."""
    return write("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def write(symbols: str) -> str:
    """Sixteen symbols in the form in which people see them."""
    return "-".join([PREFIX, *(symbols[i : i + GROUP] for i in range(0, LENGTH, GROUP))])


def normalize(typed: str) -> str | None:
    """The sixteen symbols of what somebody typed, or None when it cannot be a code.

    Case, blanks and any kind of dash do not matter; the prefix may be missing; O, I and L mean 0, 1 and 1.
    """
    letters = "".join(c for c in typed.upper() if c.isascii() and c.isalnum())
    if len(letters) == len(PREFIX) + LENGTH and letters.startswith(PREFIX):
        letters = letters.removeprefix(PREFIX)
    symbols = letters.translate(_LOOKALIKES)
    return symbols if _SHAPE.fullmatch(symbols) else None


def digest(symbols: str) -> str:
    """What is stored of a code.  A plain SHA-256 will do: 80 random bits need no slow hash (OWASP ASVS 5.0, 11.4.2)."""
    return hashlib.sha256(symbols.encode()).hexdigest()
