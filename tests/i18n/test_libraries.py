"""What the libraries say on our pages is said in the visitor's language too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_security.core import _default_messages
from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from helpouts import i18n
from helpouts.accounts.wording import MESSAGES
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

#: Doors of Flask-Security that are shut here: user names, passkeys, codes by mail, logins elsewhere, tokens, new
#: addresses; and answers for programs, which no page shows.
SHUT = re.compile(
    "OAUTH_|WEBAUTHN_|REFRESH|.*USERNAME_|(GENERIC_)?US_|CHANGE_EMAIL_|INVALID_INPUT|IDENTITY_|PHONE_|GENERIC_RECOVERY|"
    "CODE_HAS|FAILED_TO|USE_CODE|LOGIN|.*LOGIN_TOKEN|PASSWORDLESS_|FORGOT_PASSWORD|PASSWORD_(BREACHED|MISMATCH|TOO_SIMPLE|INVALID_LENGTH)|"
    "PASSWORD_RESET$|ANONYMOUS_"
)

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def german(runtime: Runtime) -> Iterator[Flask]:
    """The site, asked in German."""
    app = create_app(runtime)
    with app.test_request_context("/"):
        i18n.set_locale("de")
        yield app
        i18n.set_locale("en")


@one_database
def test_what_is_said_about_signing_in_is_german(german: Flask) -> None:
    translate = german.extensions["security"].i18n_domain.gettext
    said = {
        key: (str(english), translate(german.config[f"SECURITY_MSG_{key}"][0]))
        for key, (english, _) in _default_messages.items()
        if not SHUT.match(key)
    }
    assert len(said) > 30
    assert [key for key, (english, shown) in said.items() if english == shown] == []


def test_every_wording_of_ours_has_a_key_of_the_library() -> None:
    assert set(MESSAGES) <= set(_default_messages)


class Form(FlaskForm):
    name = StringField(validators=[InputRequired()])
    word = StringField(validators=[Length(min=3)])
    count = IntegerField(validators=[NumberRange(max=5)])


@one_database
@pytest.mark.usefixtures("german")
def test_what_forms_say_is_german() -> None:
    form = Form(data={"name": "", "word": "ab", "count": 7}, meta={"csrf": False})
    assert not form.validate()
    assert form.errors == {
        "name": ["Dieses Feld wird benötigt."],
        "word": ["Feld muss mindestens 3 Zeichen beinhalten."],
        "count": ["Zahl kann höchstens 5 sein."],
    }
