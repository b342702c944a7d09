"""The small forms of the console: a reason, a message, a role."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its type stubs
from wtforms.validators import DataRequired, Length

from helpouts.i18n import lazy_gettext as _l


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """(value, name) pairs as WTForms wants them."""
    return [SelectChoice(value=value, label=name) for value, name in pairs]


class NoForm(FlaskForm):
    """Nothing to fill in: a button (and the token against forged requests)."""


class ReasonForm(FlaskForm):
    """A reason that somebody will read."""

    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(_l("Say why.")), Length(max=2000)],
        description=_l("Goes into the audit log."),
    )


class ToldReasonForm(FlaskForm):
    """A reason that the person concerned will read."""

    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(_l("Say why.")), Length(max=2000)],
        description=_l("The person concerned will read this."),
    )


class OptionalReasonForm(FlaskForm):
    """A note that may stay empty."""

    reason = TextAreaField(_l("Note"), validators=[Length(max=2000)], description=_l("May stay empty."))


class MessageForm(FlaskForm):
    """A mail to somebody."""

    body = TextAreaField(
        _l("Message"),
        validators=[DataRequired(_l("Write something.")), Length(max=5000)],
        description=_l("Sent by mail."),
    )
