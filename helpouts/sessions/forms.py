"""Forms about a session."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its type stubs
from wtforms.validators import InputRequired, Length

from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions.reports import LONGEST, REASONS


class ReportForm(FlaskForm):
    """What is the matter with the other person."""

    reason = RadioField(
        _l("What is it about?"),
        choices=[SelectChoice(value=key, label=label) for key, label in REASONS.items()],
        validators=[InputRequired(_l("Choose what it is about."))],
    )
    text = TextAreaField(
        _l("What has happened?"),
        validators=[Length(max=LONGEST)],
        description=_l("Only operators of the site read this, never the other person."),
    )
