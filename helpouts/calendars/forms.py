"""Forms of the page of calendars."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from helpouts.calendars.service import NAME_LENGTH, PASSWORD_LENGTH, USER_LENGTH
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.forms import CheckboxesField


class AddressForm(FlaskForm):
    """A calendar that has an address of its own."""

    url = StringField(
        _l("Address of the calendar"),
        [InputRequired(_l("Enter the address.")), Length(max=2000)],
        description=_l("It begins with https:// or webcal:// and often ends in .ics."),
    )
    name = StringField(_l("What you call it"), [Length(max=NAME_LENGTH)])


class AccountForm(FlaskForm):
    """An account on a CalDAV server."""

    url = StringField(
        _l("Server"),
        [InputRequired(_l("Enter the address of the server.")), Length(max=2000)],
        description=_l("For example https://caldav.icloud.com or https://cloud.example.org/remote.php/dav."),
    )
    user = StringField(_l("User name"), [InputRequired(_l("Enter the user name.")), Length(max=USER_LENGTH)])
    password = PasswordField(
        _l("App password"),
        [InputRequired(_l("Enter the password.")), Length(max=PASSWORD_LENGTH)],
        description=_l("Make a password for this site alone in the settings of your account. We keep it encrypted."),
    )
    name = StringField(_l("What you call it"), [Length(max=NAME_LENGTH)])


class ChooseForm(FlaskForm):
    """Which calendars of an account count."""

    calendars = CheckboxesField(_l("Calendars that take your time"), validate_choice=False)
