"""How often one may try: sign-in, sign-up, codes and links, per address (OWASP ASVS 5.0, 2.4.1 and 6.3.1).

The counters live in the memory of each web process, so with N processes up to N times as many tries get through.
"""

from __future__ import annotations

from flask import Flask, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from helpouts.runtime import Runtime

#: Endpoints where something secret is tried or a mail is asked for.
GUARDED = (
    "login",
    "register",
    "forgot_password",
    "reset_password",
    "send_confirmation",
    "confirm_email",
    "change_password",
    "verify",
    "two_factor_token_validation",
    "two_factor_setup_validate",
    "mf_recovery",
)
#: The second step has a million possible codes: this often per person, wherever the tries come from.
CODE_RATE = "10 per 15 minutes"


class GuardsOnly(Limiter):
    """Counts where a view is guarded; to look before each request for limits of all pages, of which there are none,
    would cost a tenth of a small one.
    """

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def init_app(app: Flask) -> None:
    """Limit the POST requests of the guarded pages to ``config.login_rate`` per address."""
    runtime: Runtime = app.extensions["helpouts"]
    limiter = GuardsOnly(get_remote_address, app=app, storage_uri="memory://", headers_enabled=True)
    shared = limiter.shared_limit(runtime.config.login_rate, scope="accounts", methods=["POST"])
    per_person = limiter.shared_limit(CODE_RATE, scope="codes", key_func=_who_tries, methods=["POST"])
    for name in GUARDED:
        endpoint = f"security.{name}"
        view = app.view_functions[endpoint]
        if name in ("two_factor_token_validation", "mf_recovery"):
            view = per_person(view)
        app.view_functions[endpoint] = shared(view)
    app.extensions["helpouts_limiter"] = limiter


def _who_tries() -> str:
    return str(session.get("tf_user_id") or get_remote_address())
