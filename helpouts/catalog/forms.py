"""Forms of experts; what they check quickly, the services check again."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_wtf import FlaskForm
from wtforms import FieldList, Form, FormField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length

from helpouts import formatting
from helpouts.bookings.forms import form_field
from helpouts.bookings.policy import policy_text
from helpouts.catalog import validation
from helpouts.catalog.category import Category
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.queries import LANGUAGES, language_name
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.money import to_decimal, to_minor
from helpouts.web.forms import CheckboxesField

#: Lengths offered in the form, minutes; a listing's own is added.
LENGTHS = (10, 15, 20, 25, 30, 40, 45, 60, 75, 90, 120, 150, 180, 240)
_too_short = _l("Write at least %(min)d characters.")
_too_long = _l("At most %(max)d characters, please.")


def _length(bounds: tuple[int, int]) -> Length:
    least, most = bounds
    return Length(min=least, max=most, message=_too_short if not most else _l("Write %(min)d to %(max)d characters."))


class MoreLengthForm(Form):
    """A further length with its price; no minutes: none."""

    minutes = SelectField(_l("Length"), coerce=int)
    price = StringField(
        _l("Amount"),
        validators=[Length(max=12, message=_l("Enter a price such as 25 or 12.50."))],
        render_kw={"inputmode": "decimal", "size": 8, "autocomplete": "off"},
    )


class MoreLengths(FieldList):
    """The rows of further lengths; what is wrong with one of them is said once, for all."""

    def validate(self, form: Any, extra_validators: Iterable[Any] = ()) -> bool:
        """Check the rows."""
        good = super().validate(form, tuple(extra_validators))
        said = [str(text) for row in self.entries for field in row.form for text in field.errors]
        self.errors = list(dict.fromkeys(said))
        return bool(good)


class ListingForm(FlaskForm):
    """What every listing says; :func:`listing_form` adds what the category asks."""

    title = StringField(
        _l("Title"),
        validators=[InputRequired(_l("Say in a few words what you help with.")), _length(validation.TITLE_LENGTH)],
        description=_l("What somebody would search for, such as “Set up your wireless router”."),
        render_kw={"maxlength": 80},
    )
    summary = StringField(
        _l("In one sentence"),
        validators=[Length(max=200, message=_too_long)],
        description=_l("Stands below the title in lists."),
        render_kw={"maxlength": 200},
    )
    subcategory = SelectField(_l("Topic"), validators=[InputRequired(_l("Choose what it is about."))])
    description = TextAreaField(
        _l("What we do together"),
        validators=[InputRequired(_l("Describe the session.")), _length(validation.DESCRIPTION_LENGTH)],
        description=_l(
            "Some sentences: what happens, in which order, and what the customer can do afterwards."
            " No phone numbers, mail addresses or payment links, please."
        ),
        render_kw={"rows": 8},
    )
    requirements = TextAreaField(
        _l("What the customer needs"),
        validators=[Length(max=2000, message=_too_long)],
        description=_l("Tools, cables, passwords to have at hand, …"),
        render_kw={"rows": 3},
    )
    languages = CheckboxesField(
        _l("Languages"), validators=[InputRequired(_l("Choose at least one language that you help in."))]
    )
    pricing = RadioField(_l("Price"), validators=[InputRequired(_l("Choose how the session is paid."))])
    price = StringField(
        _l("Amount"),
        description=_l("Per session, or per minute. Leave it empty for free sessions."),
        validators=[Length(max=12, message=_l("Enter a price such as 25 or 12.50."))],
        render_kw={"inputmode": "decimal", "size": 8, "autocomplete": "off"},
    )
    currency = SelectField(_l("Currency"))
    length_minutes = SelectField(
        _l("Length"), coerce=int, description=_l("Sessions by the minute end here at the latest.")
    )
    more_lengths = MoreLengths(
        FormField(MoreLengthForm),
        _l("Further lengths"),
        description=_l("Customers choose. An amount of its own is needed only for a fixed price."),
        max_entries=validation.MOST_MORE_LENGTHS,
    )
    cancellation_policy = RadioField(_l("When somebody cancels"))


class ProfileForm(FlaskForm):
    """What an expert's page says."""

    headline = StringField(
        _l("What you are good at"),
        validators=[InputRequired(_l("Say it in one line.")), _length((8, 160))],
        description=_l("One line below your name."),
        render_kw={"maxlength": 160},
    )
    bio = TextAreaField(_l("About you"), validators=[Length(max=4000, message=_too_long)], render_kw={"rows": 8})
    languages = CheckboxesField(
        _l("Languages"), validators=[InputRequired(_l("Choose at least one language that you help in."))]
    )


class ActionForm(FlaskForm):
    """A button."""


def listing_form(category: Category, currencies: tuple[str, ...], listing: Listing | None, expert: Expert) -> Any:
    """The form for a listing of this category, filled with what the listing says now."""
    own: dict[str, Field] = {f"field_{field.key}": form_field(field) for field in category.listing_fields}
    values = start_values(category, currencies, listing, expert)
    form = type("CategoryListingForm", (ListingForm,), own)(data=values)
    topics = [(sub.slug, in_language(sub.label)) for sub in category.subcategories]
    form.subcategory.choices = options([("", _("Please choose")), *topics])
    if not category.subcategories:
        del form.subcategory
    form.languages.choices = language_choices([*expert.languages, *values["languages"]])
    pricings = {"free": _("Free"), "fixed": _("A fixed price for the session"), "per_minute": _("A price per minute")}
    form.pricing.choices = options(pricings.items())
    form.currency.choices = options((code, code) for code in currencies)
    more = [row["minutes"] for row in values["more_lengths"] if row["minutes"]]
    lengths = [
        (minutes, formatting.minutes(minutes)) for minutes in sorted({*LENGTHS, values["length_minutes"], *more})
    ]
    form.length_minutes.choices = options(lengths)
    for row in form.more_lengths:
        row.form.minutes.choices = options([(0, _("none")), *lengths])
    names = {"flexible": _("Flexible"), "moderate": _("Moderate"), "strict": _("Strict")}
    form.cancellation_policy.choices = options(
        (policy, f"{names[policy]}: {policy_text(policy, 'fixed')}")
        for policy in validation.POLICIES
        if policy in category.cancellation_policies
    )
    return form


def start_values(
    category: Category, currencies: tuple[str, ...], listing: Listing | None, expert: Expert
) -> dict[str, Any]:
    """What the form shows first; of a live listing, with the edit that waits."""
    policies = [policy for policy in ("moderate", "flexible", "strict") if policy in category.cancellation_policies]
    if listing is None:
        return {
            "languages": list(expert.languages),
            "pricing": "fixed",
            "currency": currencies[0],
            "length_minutes": 30,
            "more_lengths": _rows([], ""),
            "cancellation_policy": policies[0] if policies else "",
        }
    said = {key: getattr(listing, key) for key in validation.EDITABLE} | (listing.pending or {})
    values = {key: said[key] for key in validation.EDITABLE if key not in ("fields", "price_minor")}
    values["more_lengths"] = _rows(said["more_lengths"], said["currency"])
    values["price"] = "" if said["pricing"] == "free" else str(to_decimal(said["price_minor"], said["currency"]))
    return values | {f"field_{key}": answer for key, answer in said["fields"].items()}


def form_values(form: Any, category: Category) -> dict[str, Any]:
    """What the service wants, from a form that was sent.

    :raises HelpoutsError: when the price is no amount; ``field`` is "price".
    """
    data = form.data
    values = {key: data[key] for key in validation.EDITABLE if key in data}
    values["category"] = category.slug
    values["fields"] = {field.key: data[f"field_{field.key}"] for field in category.listing_fields}
    values["price_minor"] = 0 if data["pricing"] == "free" else amount(data["price"] or "", data["currency"])
    priced = data["pricing"] == "fixed"
    values["more_lengths"] = [
        (row["minutes"], amount(row["price"] or "", data["currency"], "more_lengths") if priced else None)
        for row in data["more_lengths"]
        if row["minutes"]
    ]
    return values


def _rows(more_lengths: list[list[int | None]], currency: str) -> list[dict[str, Any]]:
    """Further lengths as the form has them, with empty rows to the most that fit."""
    rows = [
        {"minutes": minutes, "price": "" if price is None else str(to_decimal(price, currency))}
        for minutes, price in more_lengths or []
    ]
    return rows + [{"minutes": 0, "price": ""}] * (validation.MOST_MORE_LENGTHS - len(rows))


def amount(text: str, currency: str, field: str = "price") -> int:
    """What somebody typed as a price, in minor units; "12,50" and "12.50" are the same.

    :raises HelpoutsError: when it is no amount of the currency.
    """
    try:
        number = Decimal(text.strip().replace("\N{NO-BREAK SPACE}", "").replace(",", "."))
        if not number.is_finite() or number < 0 or number > 1_000_000:
            raise InvalidOperation
        return to_minor(number, currency)
    except (InvalidOperation, HelpoutsError):
        raise HelpoutsError(_l("Enter a price such as 25 or 12.50."), field=field) from None


def language_choices(extra: list[str]) -> list[SelectChoice]:
    """The languages of a form: those that somebody has already, then the usual ones."""
    return options((code, language_name(code)) for code in dict.fromkeys([*extra, *LANGUAGES]))


def options(pairs: Iterable[tuple[Any, str]]) -> list[SelectChoice]:
    """(value, label) pairs as WTForms wants them."""
    return [SelectChoice(value=value, label=label) for value, label in pairs]
