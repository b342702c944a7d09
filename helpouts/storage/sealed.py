"""Objects at rest: AES-256-GCM (NIST SP 800-38D) in pieces, so that a part can be read without the whole.

An object is a head of 36 bytes, ``HOS1`` and a random salt, and then pieces of 1 MiB (the last one shorter, perhaps
empty), each with its nonce (12 random bytes) before and its tag (16) behind.  The key is made for each object from
the site's master key, the salt and the object's name (HKDF, RFC 5869).  Number and "this is the last" are
authenticated with each piece: none can be left out, moved, put in from another object, or cut off without notice.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from helpouts.storage.backend import Storage, StorageDamaged

MAGIC = b"HOS1"
SALT, NONCE, TAG = 32, 12, 16
HEAD = len(MAGIC) + SALT
PIECE = 1024 * 1024
_STORED = NONCE + PIECE + TAG
_LABEL = b"helpouts storage v1|"


def _cipher(master: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, _LABEL + name.encode()).derive(master))


def _bound(number: int, last: bool) -> bytes:
    return number.to_bytes(8, "big") + (b"last" if last else b"more")


def seal(master: bytes, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The object as it is stored, for plain bytes in chunks of any size; never holds more than two pieces."""
    salt = os.urandom(SALT)
    cipher = _cipher(master, salt, name)
    yield MAGIC + salt
    number, waiting = 0, bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > PIECE:  # a piece that may be the last one waits
            yield _sealed(cipher, number, bytes(waiting[:PIECE]), last=False)
            del waiting[:PIECE]
            number += 1
    yield _sealed(cipher, number, bytes(waiting), last=True)


def _sealed(cipher: AESGCM, number: int, plain: bytes, *, last: bool) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, plain, _bound(number, last))


def plain_size(name: str, stored: int) -> int:
    """How many plain bytes an object of ``stored`` bytes has.

    :raises StorageDamaged: when no object has that size.
    """
    body = stored - HEAD
    pieces = -(-body // _STORED)
    plain = body - pieces * (NONCE + TAG)
    if pieces < 1 or plain < (pieces - 1) * PIECE:
        raise StorageDamaged(f"{name} is cut off: it has {stored} bytes")
    return plain


def unseal(master: bytes, storage: Storage, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The plain bytes from ``start`` up to, not including, ``end``; reads only the pieces that have them.

    :raises StorageMissing: before the first piece.
    :raises StorageDamaged: when anything is not as it was stored, before a byte of that piece is handed out.
    """
    stored = storage.size(name)
    size = plain_size(name, stored)
    last = max(0, -(-size // PIECE) - 1)
    end = size if end is None else min(end, size)
    first = min(start // PIECE, last)
    until = max(first, -(-end // PIECE) - 1)
    if start >= end and size:
        return iter(())
    head = b"".join(storage.get(name, 0, HEAD))
    if len(head) != HEAD or not head.startswith(MAGIC):
        raise StorageDamaged(f"{name} is not an object that this site has stored")
    cipher = _cipher(master, head[len(MAGIC) :], name)
    source = storage.get(name, HEAD + first * _STORED, min(HEAD + (until + 1) * _STORED, stored))
    return _opened(cipher, source, name, range(first, until + 1), last, start, end)


def _opened(
    cipher: AESGCM, source: Iterator[bytes], name: str, numbers: range, last: int, start: int, end: int
) -> Iterator[bytes]:
    waiting = bytearray()
    for number in numbers:
        while len(waiting) < _STORED:
            piece = next(source, b"")
            if not piece:
                break
            waiting += piece
        sealed = bytes(waiting[:_STORED])
        del waiting[:_STORED]
        try:
            plain = cipher.decrypt(sealed[:NONCE], sealed[NONCE:], _bound(number, number == last))
        except (InvalidTag, ValueError):
            raise StorageDamaged(
                f"piece {number} of {name} is not as it was stored, or the master key is another"
            ) from None
        offset = number * PIECE
        part = plain[max(0, start - offset) : max(0, end - offset)]
        if part:
            yield part
