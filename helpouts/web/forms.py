"""What forms share: a list of checkboxes, and refusals of the services shown beside their field."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from helpouts.errors import HelpoutsError


class CheckboxesField(SelectMultipleField):
    """Several choices as a list of boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def attach(form: FlaskForm, error: HelpoutsError) -> None:
    """Show an expected error next to the field that it names, else above the form.

    :raises HelpoutsError: again, when it is not about the input (not found, not allowed, unavailable).
    """
    if error.status not in (400, 402, 409):
        raise error
    field = form._fields.get(error.field) if error.field else None
    if field is not None:
        field.errors = [*field.errors, str(error)]
    else:
        form.form_errors.append(str(error))
