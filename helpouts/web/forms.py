"""Helpers for forms: refusals of the services shown beside their field."""

from __future__ import annotations

from flask_wtf import FlaskForm

from helpouts.errors import HelpoutsError


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
