"""Secrets of plugins at rest: AES-256-GCM (NIST SP 800-38D), bound to plugin and key.

A ciphertext that is moved to another row does not decrypt.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from helpouts.errors import ConfigurationError


def seal(key: bytes, plugin: str, name: str, value: str) -> str:
    """Encrypt a secret for one setting of one plugin; base64 of nonce and ciphertext."""
    nonce = os.urandom(12)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, value.encode(), f"{plugin}|{name}".encode())).decode()


def unseal(key: bytes, plugin: str, name: str, sealed: str) -> str:
    """Decrypt what :func:`seal` made for the same plugin and setting; follow ``env:NAME`` and ``file:PATH``.

    :raises ConfigurationError: when it was made for another row or with another key, or the reference leads nowhere.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
        value = AESGCM(key).decrypt(raw[:12], raw[12:], f"{plugin}|{name}".encode()).decode()
    except (InvalidTag, ValueError):
        raise ConfigurationError(f"the secret {name!r} of {plugin} cannot be decrypted: enter it again") from None
    if value.startswith("env:"):
        if value[4:] not in os.environ:
            raise ConfigurationError(f"{plugin}.{name} refers to the variable {value[4:]}, which is not set")
        return os.environ[value[4:]]
    if value.startswith("file:"):
        try:
            return Path(value[5:]).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ConfigurationError(f"{plugin}.{name} refers to {value[5:]}, which cannot be read: {why}") from None
    return value
