"""The second step at sign-in: one-time passwords of an app (RFC 6238) and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import cast

import qrcode
from flask_security import UserMixin
from flask_security.recovery_codes import MfRecoveryCodesUtil
from flask_security.totp import Totp
from passlib.totp import TotpMatch  # type: ignore[import-untyped]
from qrcode.image.svg import SvgFillImage

from helpouts.accounts.models import User
from helpouts.web.db import current_runtime


class OnceOnlyTotp(Totp):
    """No one-time password is accepted twice (RFC 6238, section 5.2; OWASP ASVS 5.0, 6.5.1)."""

    def get_last_counter(self, user: UserMixin) -> int | None:
        """The time step of the last password that was accepted."""
        return cast("User", user).tf_last_counter

    def set_last_counter(self, user: UserMixin, tmatch: TotpMatch) -> None:
        """Remember the step; committed with the sign-in."""
        cast("User", user).tf_last_counter = tmatch.counter

    def generate_qrcode(self, username: str, totp: str) -> str:
        """The key as a picture for ``<img src>``: dark on white, on dark pages too."""
        picture = qrcode.make(self.get_totp_uri(username, totp), image_factory=SvgFillImage)
        return "data:image/svg+xml;base64," + base64.b64encode(picture.to_string()).decode()


class HashedRecoveryCodes(MfRecoveryCodesUtil):
    """Recovery codes are shown once; only their keyed hashes are kept (ASVS 6.5.2)."""

    def create_recovery_codes(self, user: UserMixin) -> list[str]:
        """New codes, in clear for this once; the old ones are void."""
        codes: list[str] = super().create_recovery_codes(user)
        user.mf_recovery_codes = [_keyed(code) for code in codes]
        return codes

    def get_recovery_codes(self, user: UserMixin) -> list[str]:
        """Nothing: codes cannot be shown a second time."""
        return []

    def check_recovery_code(self, user: UserMixin, code: str) -> bool:
        """Whether the code is one that has not been used."""
        wanted = _keyed(code)
        return any(hmac.compare_digest(wanted, kept) for kept in user.mf_recovery_codes or ())

    def delete_recovery_code(self, user: UserMixin, code: str) -> bool:
        """Void a code that was used."""
        user.mf_recovery_codes = [kept for kept in user.mf_recovery_codes or () if kept != _keyed(code)]
        return True


def _keyed(code: str) -> str:
    key: bytes = current_runtime().config.key("secret_key")
    return hmac.new(key, b"recovery-code:" + code.strip().lower().encode(), hashlib.sha256).hexdigest()
