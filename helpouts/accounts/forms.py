"""The forms around accounts, in our words; what they check is Flask-Security's and ours together."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_security import forms as base
from flask_security.recovery_codes import MfRecoveryForm as BaseRecoveryForm
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    SubmitField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from helpouts import i18n, site
from helpouts.accounts import service, zones
from helpouts.accounts.passwords import MAX_LENGTH, MIN_LENGTH
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db

_too_long = _l("This is too long.")


class AddressField(EmailField):
    """Tells what is wrong with the text of an address even where the library hides whether there is an account."""

    _errors: Any = ()
    _lasting: tuple[str, ...] = ()

    @property
    def errors(self) -> Any:
        """What is shown at the field."""
        return list(self._lasting) if self._lasting and not self._errors else self._errors

    @errors.setter
    def errors(self, value: Any) -> None:
        self._errors = value

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Forget what was said of the text before."""
        self._lasting = ()
        return bool(super().validate(form, extra_validators))

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """Checks of the text stop the others; what comes after them looks into the database."""
        if validation_stopped:
            self._lasting = tuple(str(error) for error in self._errors)


def _email(*checks: Any) -> AddressField:
    return AddressField(
        _l("Mail address"),
        validators=[
            DataRequired(_l("Tell us your mail address.")),
            Length(max=254, message=_too_long),
            base.EmailValidation(verify=True),
            *checks,
        ],
        render_kw={"autocomplete": "email", "maxlength": 254},
    )


def _new_password(label: Any) -> PasswordField:
    return PasswordField(
        label,
        description=_l("At least %(length)s characters; a few unrelated words do well.", length=MIN_LENGTH),
        validators=[DataRequired(_l("Choose a password."))],
        render_kw={"autocomplete": "new-password", "minlength": MIN_LENGTH, "maxlength": MAX_LENGTH},
    )


def _password(label: Any) -> PasswordField:
    return PasswordField(
        label,
        validators=[DataRequired(_l("Enter your password.")), Length(max=MAX_LENGTH, message=_too_long)],
        render_kw={"autocomplete": "current-password", "maxlength": MAX_LENGTH},
    )


class LoginForm(base.LoginForm):
    """Mail address and password.  There is no "remember me": sessions are rows and last as the role allows."""

    email = _email()
    password = _password(_l("Password"))
    remember = None  # type: ignore[assignment]  # WTForms' way to take a field away
    submit = SubmitField(_l("Sign in"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.password.description = ""

    def validate(self, **kwargs: Any) -> bool:
        """Who has given the right password may be told what else is missing."""
        if super().validate(**kwargs):
            return True
        if self.user_authenticated:
            self.email.errors = []
            self.form_errors.append(
                str(_l("Confirm your mail address first: open the link that we have sent you, or ask for a new one."))
                if self.requires_confirmation
                else str(_l("This account is locked. Write to us if you think that this is wrong."))
            )
        return False


class RegisterForm(base.RegisterFormV2):
    """Name, address, password, and a code where the site is not open to everybody."""

    name = StringField(
        _l("Your name"),
        description=_l("As others will see it."),
        validators=[DataRequired(_l("Tell us your name."))],
        render_kw={"autocomplete": "name", "maxlength": service.NAME_LENGTH},
    )
    email = _email(base.unique_user_email)
    password = _new_password(_l("Password"))
    invitation = StringField(
        _l("Invitation code"),
        validators=[Optional(), Length(max=80, message=_too_long)],
        render_kw={"autocomplete": "off", "maxlength": 80},
    )
    is_old_enough = BooleanField(
        _l("I am 13 years old or older."),
        validators=[InputRequired(_l("You must be 13 or older to have an account."))],
    )
    submit = SubmitField(_l("Register"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs_invitation = site.get(current_db(), "state") != "open"
        if request.method == "GET":
            self.invitation.data = request.args.get("invitation", "")[:80]
        if self.needs_invitation:
            self.invitation.flags.required = True

    def validate(self, **kwargs: Any) -> bool:
        """All fields, then the code: where one is needed, or where one was given."""
        good: bool = super().validate(**kwargs)
        code = (self.invitation.data or "").strip()
        if self.needs_invitation and not code:
            self.invitation.errors = [
                str(_l("The site is not open to everybody yet: enter the code of your invitation."))
            ]
            return False
        if code and not self.invitation.errors:
            from helpouts.vetting.service import check_code

            try:
                check_code(current_db(), code)
            except HelpoutsError as error:
                self.invitation.errors = [str(error)]
                return False
        return good

    def validate_name(self, field: Field) -> None:
        """WTForms' hook: see :func:`helpouts.accounts.service.clean_name`."""
        try:
            field.data = service.clean_name(field.data or "")
        except HelpoutsError as error:
            raise ValidationError(str(error)) from None

    def to_dict(self, only_user: bool) -> dict[str, Any]:
        """What a new account is made from."""
        service.ensure_roles(current_db())
        return {
            "email": self.email.data,
            "password": self.password.data,
            "name": self.name.data,
            "locale": i18n.current_locale(),
            "zone": service.known_zone(request.cookies.get("zone", "")),
            "roles": ["customer"],
        }


class SendConfirmationForm(base.SendConfirmationForm):
    """Asks for another mail with the link."""

    email = _email(base.valid_user_email)
    submit = SubmitField(_l("Send the link again"))


class ForgotPasswordForm(base.ForgotPasswordForm):
    """Asks for a mail with which the password can be set anew."""

    email = _email(base.valid_user_email)
    submit = SubmitField(_l("Send me a link"))


class ResetPasswordForm(base.ResetPasswordForm):
    """A new password, with the token of the mail."""

    password = _new_password(_l("New password"))
    password_confirm = None  # type: ignore[assignment]  # WTForms' way to take a field away
    submit = SubmitField(_l("Set the password"))


class ChangePasswordForm(base.ChangePasswordForm):
    """The present password and a new one."""

    password = _password(_l("Present password"))
    new_password = _new_password(_l("New password"))
    new_password_confirm = None  # type: ignore[assignment]  # WTForms' way to take a field away
    submit = SubmitField(_l("Change the password"))


class VerifyForm(base.VerifyForm):
    """The password once more, before something that matters."""

    password = _password(_l("Password"))
    submit = SubmitField(_l("Continue"))


class SetupForm(base.TwoFactorSetupForm):
    """Set up an app, or switch the second step off; the buttons say which."""

    setup = RadioField(
        _l("Second step at sign-in"),
        choices=[SelectChoice(value="authenticator"), SelectChoice(value="disable")],
        validate_choice=False,
    )


class RescueForm(base.TwoFactorRescueForm):
    """Never shown: who has lost the phone uses a recovery code."""

    help_setup = RadioField(choices=[SelectChoice(value="help")])


class VerifyCodeForm(base.TwoFactorVerifyCodeForm):
    """Six digits of the authenticator app."""

    code = StringField(
        _l("Code from your app"),
        validators=[DataRequired(_l("Enter the six digits that your app shows.")), Length(max=12, message=_too_long)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 12},
    )
    submit = SubmitField(_l("Continue"))


class RecoveryForm(BaseRecoveryForm):
    """One of the codes that were written down."""

    code = StringField(
        _l("Recovery code"),
        filters=[lambda text: text.strip().lower() if text else text],
        validators=[DataRequired(_l("Enter one of your recovery codes.")), Length(max=40, message=_too_long)],
        render_kw={"autocomplete": "off", "maxlength": 40},
    )
    submit = SubmitField(_l("Continue"))


class ProfileForm(FlaskForm):
    """What a person says of themselves."""

    name = StringField(
        _l("Your name"),
        validators=[DataRequired(_l("Tell us your name."))],
        render_kw={"autocomplete": "name", "maxlength": service.NAME_LENGTH},
    )
    locale = RadioField(_l("Language"), validators=[InputRequired()], choices=[])
    zone = SelectField(_l("Time zone"), validators=[InputRequired()], choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.locale.choices = [SelectChoice(value=code, label=name) for code, name in i18n.LANGUAGES.items()]
        self.zone.choices = zones.choices(self.zone.data)
