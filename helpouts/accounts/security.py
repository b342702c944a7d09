"""Signing up and in: Flask-Security over our tables, with its defaults made stricter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import Security, SQLAlchemySessionUserDatastore, UserMixin
from flask_security.password_util import PasswordUtil
from flask_security.signals import password_changed, password_reset, tf_disabled, tf_profile_changed
from flask_security.utils import set_request_attr
from sqlalchemy.exc import IntegrityError

from helpouts.accounts import forms, limits, passwords
from helpouts.accounts.login_session import DatabaseSessionInterface, current_user_of
from helpouts.accounts.mails import CONFIRM_WITHIN, RESET_WITHIN, QueuedMail, notify
from helpouts.accounts.models import Role, User
from helpouts.accounts.second_factor import HashedRecoveryCodes, OnceOnlyTotp
from helpouts.accounts.service import sign_out_everywhere
from helpouts.accounts.wording import MESSAGES, OurDomain
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.runtime import Runtime
from helpouts.web import permissions
from helpouts.web.db import current_db, current_runtime
from helpouts.web.db import session as db_session

FRESH = timedelta(minutes=15)


class OurPasswords(PasswordUtil):
    """Flask-Security asks here whether a new password will do."""

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[str] | None, str]:
        """([what to do], normalized password)."""
        user = kwargs.get("user")
        known = [str(kwargs.get(key) or getattr(user, key, "") or "") for key in ("name", "email")]
        try:
            passwords.check_password(password, [*known, current_runtime().config.site_name])
        except HelpoutsError as error:
            return [str(error)], password
        return None, passwords.normalize(password)


class Datastore(SQLAlchemySessionUserDatastore):
    """Users and roles through the request's session."""

    def create_user(self, **kwargs: Any) -> UserMixin:
        """Make the row at once, so that a second one with the same address fails here and not at the end."""
        user = super().create_user(**kwargs)
        current_db().flush()
        return user


def init_app(app: Flask) -> None:
    """Install accounts: server-side sessions, Flask-Security, rate limits; declares its pages public."""
    runtime: Runtime = app.extensions["helpouts"]
    for key, value in settings(runtime).items():
        app.config.setdefault(f"SECURITY_{key}", value)
    for key, message in MESSAGES.items():
        app.config[f"SECURITY_MSG_{key}"] = message
    app.session_interface = DatabaseSessionInterface(runtime)
    security = Security(
        app,
        Datastore(db_session, User, Role),  # type: ignore[arg-type]  # a proxy of a session does what it needs
        login_form=forms.LoginForm,
        register_form=forms.RegisterForm,
        send_confirmation_form=forms.SendConfirmationForm,
        forgot_password_form=forms.ForgotPasswordForm,
        reset_password_form=forms.ResetPasswordForm,
        change_password_form=forms.ChangePasswordForm,
        verify_form=forms.VerifyForm,
        two_factor_setup_form=forms.SetupForm,
        two_factor_rescue_form=forms.RescueForm,
        two_factor_verify_code_form=forms.VerifyCodeForm,
        mf_recovery_form=forms.RecoveryForm,
        mail_util_cls=QueuedMail,
        password_util_cls=OurPasswords,
        totp_cls=OnceOnlyTotp,
        mf_recovery_codes_util_cls=HashedRecoveryCodes,
    )
    security.i18n_domain = OurDomain()  # type: ignore[assignment]  # has the three methods that are called
    security.principal.skip_static = True
    security.want_json(lambda _request: False)
    manager = security.login_manager
    manager.user_loader(_load_user)
    manager._request_callback = None  # no tokens beside the session
    manager.session_protection = None
    permissions.declare(app, "security", "public", while_closed=True)
    app.before_request(_refuse_odd_requests)
    _replace(app, "register", _registering_twice)
    _replace(app, "confirm_email", _only_by_post)
    _replace(app, "two_factor_rescue", _no_rescue_by_mail)
    limits.init_app(app)
    # A token would give every visitor a session; choosing a language harms nobody.
    app.extensions["csrf"].exempt("helpouts.web.views.set_language")
    for signal in (password_changed, password_reset):
        signal.connect(_password_changed, app)
    tf_profile_changed.connect(_second_factor_on, app)
    tf_disabled.connect(_second_factor_off, app)


def settings(runtime: Runtime) -> dict[str, Any]:
    """Flask-Security's settings, without their prefix."""
    config = runtime.config
    key = hashlib.sha256(b"one-time passwords" + config.key("master_key")).hexdigest()
    return {
        "REGISTERABLE": True,
        "CONFIRMABLE": True,
        "RECOVERABLE": True,
        "CHANGEABLE": True,
        "TWO_FACTOR": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_IMPLEMENTATIONS": {"code": "flask_security.twofactor.CodeTfPlugin"},
        "TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_POST_SETUP_VIEW": "/account/security",
        "TOTP_SECRETS": {"1": key},
        "TOTP_ISSUER": config.site_name,
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "RETURN_GENERIC_RESPONSES": True,
        "PASSWORD_LENGTH_MIN": passwords.MIN_LENGTH,
        "PASSWORD_HASH": passwords.SCHEME,
        "PASSWORD_SCHEMES": [passwords.SCHEME],
        "PASSWORD_HASH_PASSLIB_OPTIONS": dict(passwords.COST),
        "PASSWORD_SINGLE_HASH": {passwords.SCHEME},
        "PASSWORD_CONFIRM_REQUIRED": False,
        "FRESHNESS": FRESH,
        "FRESHNESS_GRACE_PERIOD": FRESH,
        "CONFIRM_EMAIL_WITHIN": CONFIRM_WITHIN,
        "RESET_PASSWORD_WITHIN": RESET_WITHIN,
        "EMAIL_PLAINTEXT": False,
        "EMAIL_HTML": False,
        "DATETIME_FACTORY": clock.now,
        "API_ENABLED_METHODS": ["session"],
        "POST_LOGIN_VIEW": "/account",
        "POST_REGISTER_VIEW": "/login",
        "POST_CHANGE_VIEW": "/account/security",
        "POST_VERIFY_VIEW": "/account/security",
        "CLI_USERS_NAME": None,
        "CLI_ROLES_NAME": None,
        "STATIC_FOLDER": None,
    }


def safe_next(target: str) -> bool:
    """Whether a target is a page of this site: a path, in letters that no browser reads as another host."""
    if not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return False
    if not target.isprintable() or any(sign.isspace() for sign in target):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def _load_user(uniquifier: str) -> User | None:
    user = current_user_of(uniquifier)
    if user is None or not user.active:
        return None
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    return user


def _refuse_odd_requests() -> None:
    """The pages of accounts take forms only, and send nobody to another site."""
    if (request.endpoint or "").startswith("security."):
        if request.is_json:
            abort(415)
        for target in (*request.args.getlist("next"), *request.form.getlist("next")):
            if target and not safe_next(target):
                abort(400)


View = Callable[..., ResponseReturnValue]


def _replace(app: Flask, name: str, make: Callable[[View], View]) -> None:
    endpoint = f"security.{name}"
    view = cast("View", app.view_functions[endpoint])
    app.view_functions[endpoint] = wraps(view)(make(view))


def _registering_twice(view: View) -> View:
    def register(**values: Any) -> ResponseReturnValue:
        try:
            return view(**values)
        except IntegrityError:  # the same address in the same moment: the other one has the account
            current_db().rollback()
            message, category = MESSAGES["CONFIRM_REGISTRATION"]
            flash(str(message) % {"email": request.form.get("email", "")}, category)
            return redirect(url_for("security.login"))

    return register


def _only_by_post(view: View) -> View:
    """A program that follows the links of a mail confirms nothing: a person presses the button."""

    def confirm(token: str) -> ResponseReturnValue:
        if request.method != "POST":
            return render_template("security/confirm_email.html", token=token)
        return view(token=token)

    return confirm


def _no_rescue_by_mail(_view: View) -> View:
    def rescue() -> ResponseReturnValue:
        return redirect(url_for("security.mf_recovery"))

    return rescue


def _password_changed(_app: Flask, user: User, **_: Any) -> None:
    sign_out_everywhere(current_db(), user)


def _second_factor_on(_app: Flask, user: Any, **_: Any) -> None:
    notify(current_db(), user, "accounts_second_factor", on=True)


def _second_factor_off(_app: Flask, user: Any, **_: Any) -> None:
    person = current_db().get(User, user.id)
    if person is not None:
        person.mf_recovery_codes = []
        notify(current_db(), person, "accounts_second_factor", on=False)
