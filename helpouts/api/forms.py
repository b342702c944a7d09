"""The form for a new token."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from helpouts.api.tokens import NAME_LENGTH, SCOPES
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.forms import CheckboxesField


class TokenForm(FlaskForm):
    """Which program, and what it may do."""

    name = StringField(
        _l("Program"),
        description=_l("So that you know later which token is whose."),
        validators=[
            DataRequired(_l("Name the program that will use it.")),
            Length(max=NAME_LENGTH, message=_l("This is too long.")),
        ],
        render_kw={"maxlength": NAME_LENGTH, "autocomplete": "off"},
    )
    scopes = CheckboxesField(_l("What it may do"), validators=[DataRequired(_l("Choose what the program may do."))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes.choices = [(name, str(label)) for name, label in SCOPES.items()]  # type: ignore[assignment]  # pairs, as documented
