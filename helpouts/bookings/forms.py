"""Forms of a booking; the questions come from the category."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import AnyOf, InputRequired, Length, Optional

from helpouts.bookings.intake import LIMITS
from helpouts.catalog.category import Category, CategoryField
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.forms import CheckboxesField


class BookingForm(FlaskForm):
    """What the customer sends to take a slot."""

    start = HiddenField(validators=[InputRequired(_l("Choose a time."))])
    key = HiddenField(validators=[InputRequired(), Length(max=40)])


class ConfirmForm(FlaskForm):
    """Pay and confirm."""


class CancelForm(FlaskForm):
    """Cancel, with a word to the other side."""

    reason = TextAreaField(
        _l("A word to the other side"),
        validators=[Length(max=1000, message=_l("At most %(max)d characters, please."))],
    )


class MoveForm(FlaskForm):
    """Another time for a session, with a word to the other side."""

    start = HiddenField(validators=[InputRequired(_l("Choose a time."))])
    reason = TextAreaField(
        _l("A word to the other side"),
        validators=[Length(max=1000, message=_l("At most %(max)d characters, please."))],
    )


class AnswerForm(FlaskForm):
    """Agree to another time, or not; the two buttons carry the answer."""

    answer = HiddenField(validators=[AnyOf(("accept", "decline"))])
    reason = TextAreaField(
        _l("A word to the other side"),
        validators=[Length(max=1000, message=_l("At most %(max)d characters, please."))],
    )


def booking_form(category: Category) -> type[BookingForm]:
    """The booking form with the category's questions as fields ``intake_{key}``."""
    fields: dict[str, Any] = {f"intake_{q.key}": form_field(q) for q in category.intake}
    return type("CategoryBookingForm", (BookingForm,), fields)


def form_field(question: CategoryField) -> Field:
    """The form field for one declared field; the service checks the answer again."""
    label, help_text = in_language(question.label), in_language(question.help)
    required = InputRequired(_l("Please answer this question.")) if question.required else Optional()
    choices = [SelectChoice(value=choice.value, label=in_language(choice.label)) for choice in question.choices]
    if question.type == "boolean":
        return BooleanField(label, description=help_text)
    if question.type == "choices":
        return CheckboxesField(label, choices=choices, validators=[required], description=help_text)
    if question.type == "choice":
        empty = [SelectChoice(value="", label=_l("Please choose"))]
        return SelectField(label, choices=[*empty, *choices], validators=[required], description=help_text)
    if question.type == "integer":
        return IntegerField(label, validators=[required], description=help_text)
    limit = question.maximum or LIMITS[question.type]
    length = Length(max=limit, message=_l("At most %(max)d characters, please."))
    kind = TextAreaField if question.type == "long_text" else StringField
    return kind(label, validators=[required, length], description=help_text)
