"""Encrypting a message for one browser, so that its push service cannot read it (RFC 8291, on top of RFC 8188)."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: What every push service must take (RFC 8030, section 7.2) is 4096 bytes: 86 go to the header, 17 to tag and padding.
MOST_BYTES = 4096 - 86 - 17
RECORD = 4096


def encrypt(
    message: bytes,
    browser_key: bytes,
    secret: bytes,
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes = b"",
) -> bytes:
    """The body of a push request with ``Content-Encoding: aes128gcm``.

    :param browser_key: the subscription's ``p256dh``, an uncompressed point (65 bytes).
    :param secret: the subscription's ``auth`` (16 bytes).
    :param own: the key of this one message, and ``salt``: only to be given by tests of the standard's example.
    :raises ValueError: for a key that is not a point of the curve, or a message that is too long.
    """
    if len(message) > MOST_BYTES:
        raise ValueError(f"a push message has {MOST_BYTES} bytes at most, not {len(message)}")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser_key)
    own = own or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    sender = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = own.exchange(ec.ECDH(), theirs)
    # Section 3.4: the secret of the subscription is mixed in, so that the push service cannot stand in between.
    material = _derive(secret, shared, b"WebPush: info\0" + browser_key + sender, 32)
    key = _derive(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, material, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(sender)]) + sender
    return head + AESGCM(key).encrypt(nonce, message + b"\x02", None)  # 2 marks the last record (RFC 8188, section 2)


def _derive(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
