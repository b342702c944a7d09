"""The site's key pair and the tokens that it signs: voluntary identification towards push services (RFC 8292)."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.config import Config
from helpouts.errors import ConfigurationError
from helpouts.plugins.secrets import seal, unseal
from helpouts.runtime import runtime_of
from helpouts_notify_webpush.encoding import to_text
from helpouts_notify_webpush.models import SiteKey

PLUGIN, NAME = "notify_webpush", "vapid"
#: A token may be good for a day at most (section 2).
LASTS = timedelta(hours=12)


def load(db: Session) -> ec.EllipticCurvePrivateKey | None:
    """The site's key; None when none was needed yet.

    :raises ConfigurationError: when it cannot be decrypted.
    """
    row = db.get(SiteKey, 1)
    if row is None:
        return None
    pem = unseal(runtime_of(db).config.key("master_key"), PLUGIN, NAME, row.private)
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError("the key of the plugin notify_webpush is not one of an elliptic curve")
    return key


def ensure(db: Session) -> ec.EllipticCurvePrivateKey:
    """The site's key, made at the first use, in a transaction of its own."""
    key = load(db)
    if key is not None:
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    runtime = runtime_of(db)
    try:
        with runtime.database.write() as own:
            own.add(SiteKey(id=1, private=seal(runtime.config.key("master_key"), PLUGIN, NAME, pem)))
    except IntegrityError:  # another process was first
        with runtime.database.read() as own:
            return load(own) or key
    return key


def public(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key as browsers want it: an uncompressed point, base64url."""
    return to_text(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, config: Config) -> str:
    """The Authorization header of a request to a push service (section 3)."""
    parts = urlsplit(endpoint)
    address = parseaddr(config.mail_from)[1]
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((clock.now() + LASTS).timestamp()),
        "sub": f"mailto:{address}" if address else config.public_url,
    }
    unsigned = ".".join(to_text(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(unsigned.encode(), ec.ECDSA(SHA256())))
    signature = to_text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))  # RFC 7518, section 3.4
    return f"vapid t={unsigned}.{signature}, k={public(key)}"
