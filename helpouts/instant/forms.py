"""Forms of help right now; the questions come from the category."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length

from helpouts.bookings.forms import form_field
from helpouts.catalog.category import Category
from helpouts.i18n import lazy_gettext as _l


class AskForm(FlaskForm):
    """What the customer sends to ask for help now."""

    key = HiddenField(validators=[InputRequired(), Length(max=40)])


class EmptyForm(FlaskForm):
    """One button."""


def ask_form(category: Category, caps: list[tuple[str, str]], *, others: bool) -> type[AskForm]:
    """The form with the category's questions as fields ``intake_{key}``.

    :param caps: (value, label) of what a request in a field may cost at most; none for a listing.
    :param others: whether the customer is asked if other experts may be rung.
    """
    fields: dict[str, Any] = {}
    if caps:
        choices = [SelectChoice(value=value, label=label) for value, label in caps]
        help_text = _l("We reserve this much. You pay the price of the expert who answers, never more.")
        fields["most"] = SelectField(
            _l("What may it cost at most?"), choices=choices, validators=[InputRequired()], description=help_text
        )
    fields |= {f"intake_{question.key}": form_field(question) for question in category.intake}
    if others:
        fields["others"] = BooleanField(
            _l("Ask other experts of this field, too"),
            description=_l("When this expert does not answer or is busy, and for the same price or less."),
        )
    return type("FieldAskForm", (AskForm,), fields)
