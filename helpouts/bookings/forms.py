"""Forms of a booking; the questions come from the category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import AnyOf, InputRequired, Length, Optional

from helpouts import formatting
from helpouts.bookings.intake import LIMITS
from helpouts.catalog.category import Category, CategoryField
from helpouts.i18n import babel_locale, in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.forms import CheckboxesField


class BookingForm(FlaskForm):
    """What the customer sends to take a slot."""

    start = HiddenField(validators=[InputRequired(_l("Choose a time."))])
    key = HiddenField(validators=[InputRequired(), Length(max=40)])
    #: minutes, and the member who shall serve; empty for the listing's own choice
    length = HiddenField()
    host = HiddenField()
    #: a code that came with a link, for the checkout
    coupon = HiddenField()


class ConfirmForm(FlaskForm):
    """Pay and confirm."""

    #: what the button says, minor units
    agreed = HiddenField()


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


class TakeForm(FlaskForm):
    """Take what the wait-list offers, or pass; the two buttons carry the answer."""

    answer = HiddenField(validators=[AnyOf(("take", "pass"))])


class WaitingForm(FlaskForm):
    """What suits somebody who waits; ``length`` is there where the listing has several."""

    length: SelectField | None = None
    weekdays = CheckboxesField(
        _l("Days"), validators=[Optional()], description=_l("None of them means any day."), choices=[]
    )
    from_time = TimeField(_l("Not before"), validators=[Optional()])
    until_time = TimeField(_l("Over by"), validators=[Optional()])
    until = DateField(
        _l("Until"), validators=[Optional()], description=_l("The last day that is of use to you; half a year at most.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weekdays.choices = [SelectChoice(value=str(day), label=name) for day, name in weekday_names().items()]


class SeriesForm(BookingForm):
    """The dates of a series (``date-N``, by number), and the answers for all of them."""

    every = HiddenField(validators=[AnyOf(("1", "2"))])
    count = HiddenField(validators=[InputRequired()])


class RestForm(FlaskForm):
    """Cancel all sessions of a series that are to come."""

    reason = TextAreaField(
        _l("A word to the other side"),
        validators=[Length(max=1000, message=_l("At most %(max)d characters, please."))],
    )


def weekday_names() -> dict[int, str]:
    """Monday (0) to Sunday in the language in force."""
    return dict(sorted(babel_locale().days["stand-alone"]["wide"].items()))


def booking_form(category: Category) -> type[BookingForm]:
    """The booking form with the category's questions as fields ``intake_{key}``."""
    return type("CategoryBookingForm", (BookingForm,), _questions(category))


def waiting_form(category: Category, lengths: Sequence[int]) -> type[WaitingForm]:
    """The wait-list's form with the category's questions, and the lengths in minutes to choose from if several."""
    choices = [SelectChoice(value=str(length), label=formatting.minutes(length)) for length in lengths]
    length = SelectField(_l("How long?"), choices=choices) if len(lengths) > 1 else None
    return type("CategoryWaitingForm", (WaitingForm,), {**_questions(category), "length": length})


def series_form(category: Category) -> type[SeriesForm]:
    """The form of a series with the category's questions."""
    return type("CategorySeriesForm", (SeriesForm,), _questions(category))


def _questions(category: Category) -> dict[str, Any]:
    return {f"intake_{q.key}": form_field(q) for q in category.intake}


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
