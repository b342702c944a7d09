"""Forms of saved searches and requests; what they check quickly, the services check again."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Length, Optional

from helpouts.catalog.category import Category
from helpouts.catalog.forms import amount, language_choices, options
from helpouts.catalog.models import Listing
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.wishes import answers, requests, saved


class SearchNameForm(FlaskForm):
    """The name of a saved search."""

    name = StringField(
        _l("Name"),
        validators=[
            InputRequired(_l("Give it a name.")),
            Length(max=saved.NAME_LENGTH, message=_l("At most %(max)d characters, please.")),
        ],
        description=_l("Only you see it; the mails are called like this."),
        render_kw={"maxlength": saved.NAME_LENGTH},
    )


class ButtonForm(FlaskForm):
    """A button."""


class RequestForm(FlaskForm):
    """What somebody needs."""

    topic = SelectField(_l("What is it about?"), validators=[InputRequired(_l("Choose what it is about."))])
    title = StringField(
        _l("In one line"),
        validators=[InputRequired(_l("Say in one line what you need."))],
        description=_l("Such as “My printer hides from the Wi-Fi”."),
        render_kw={"maxlength": requests.TITLE_LENGTH[1]},
    )
    text = TextAreaField(
        _l("What do you need?"),
        validators=[InputRequired(_l("Describe what you need."))],
        description=_l(
            "What happens, what you have tried, which device or plant it is."
            " No telephone numbers, mail addresses or links, please."
        ),
        render_kw={"rows": 6, "maxlength": requests.TEXT_LENGTH[1]},
    )
    timing = RadioField(_l("When?"), validators=[InputRequired(_l("Say when you need the help."))])
    day_from = DateField(_l("From"), validators=[Optional()])
    day_until = DateField(_l("Until"), validators=[Optional()])
    language = SelectField(_l("Language"))
    budget = StringField(
        _l("At most, per session"),
        validators=[Length(max=12, message=_l("Enter an amount such as 25, or leave it empty."))],
        description=_l("Leave it empty if you do not know; 0 asks for help for nothing."),
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )


class AnswerForm(FlaskForm):
    """An expert's answer."""

    listing = SelectField(_l("Offer one of your listings"))
    day = DateField(_l("Proposed day"), validators=[Optional()])
    time = TimeField(_l("Start time"), validators=[Optional()])
    text = TextAreaField(
        _l("A word to the customer"),
        description=_l("No telephone numbers, mail addresses or links, please."),
        render_kw={"rows": 4, "maxlength": answers.TEXT_LENGTH[1]},
    )


def timings() -> dict[str, str]:
    """When help may be needed, in words."""
    return {
        "now": _("Right now"),
        "week": _("This week"),
        "dates": _("On certain days"),
        "any": _("Whenever somebody can"),
    }


def request_form(categories: dict[str, Category], currency: str, start: dict[str, Any]) -> RequestForm:
    """The form for a request, filled with what is known already."""
    form = RequestForm(data={"timing": "any", "topic": "", "language": ""} | start)
    form.topic.choices = {
        "": options([("", _("Please choose"))]),
        **{
            in_language(category.name): options(
                [
                    (slug, _("%(field)s: something else", field=in_language(category.name))),
                    *((f"{slug}/{sub.slug}", in_language(sub.label)) for sub in category.subcategories),
                ]
            )
            for slug, category in categories.items()
        },
    }
    form.timing.choices = options(timings().items())
    form.language.choices = [*options([("", _("Any"))]), *language_choices([])]
    form.budget.label.text = _("At most, per session (%(currency)s)", currency=currency)
    return form


def request_values(form: RequestForm, currency: str) -> dict[str, Any]:
    """What the service wants, from a form that was sent.

    :raises HelpoutsError: when the budget is no amount.
    """
    field, _slash, topic = (form.topic.data or "").partition("/")
    budget = (form.budget.data or "").strip()
    try:
        minor = amount(budget, currency) if budget else None
    except HelpoutsError:
        raise HelpoutsError(_l("Enter an amount such as 25, or leave it empty."), field="budget") from None
    return {
        "category": field,
        "subcategory": topic,
        "title": form.title.data,
        "text": form.text.data,
        "language": form.language.data,
        "budget_minor": minor,
        "timing": form.timing.data,
        "day_from": form.day_from.data,
        "day_until": form.day_until.data,
    }


def answer_form(listings: list[tuple[Listing, str]]) -> AnswerForm:
    """The form for an answer; each listing comes with its next free time in words."""
    form = AnswerForm(data={"listing": str(listings[0][0].id) if listings else ""})
    own = [(str(listing.id), f"{listing.title} ({free})" if free else listing.title) for listing, free in listings]
    form.listing.choices = options([*own, ("", _("None, only words"))])
    return form
