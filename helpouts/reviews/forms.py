"""Forms of a review."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its type stubs
from wtforms.validators import InputRequired, Length

from helpouts.formatting import stars_text
from helpouts.i18n import lazy_gettext as _l


class ReviewForm(FlaskForm):
    """Stars and text."""

    stars = RadioField(
        _l("Your rating"),
        coerce=int,
        choices=[SelectChoice(value=n, label=str(n)) for n in range(5, 0, -1)],
        validators=[InputRequired(_l("Choose between 1 and 5 stars."))],
    )
    text = TextAreaField(
        _l("What was good, what could be better?"),
        validators=[Length(max=2000, message=_l("At most %(max)d characters, please."))],
    )

    @staticmethod
    def star_label(value: int) -> str:
        """The text of one choice, for screen readers."""
        return stars_text(value)


class ReplyForm(FlaskForm):
    """The expert's reply."""

    reply = TextAreaField(
        _l("Your reply"),
        validators=[
            InputRequired(_l("Write something first.")),
            Length(max=2000, message=_l("At most %(max)d characters, please.")),
        ],
    )
