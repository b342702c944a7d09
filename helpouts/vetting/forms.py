"""The forms on the way to becoming an expert; the services check once more and have the last word."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from helpouts import i18n
from helpouts.accounts import zones
from helpouts.accounts.service import NAME_LENGTH, clean_name, normalize_email
from helpouts.catalog.category import Category
from helpouts.errors import HelpoutsError
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting.applications import EXPERIENCE_LENGTH, LINK_LENGTH, MESSAGE_LENGTH
from helpouts.vetting.invitations import BIO_LENGTH, HEADLINE_LENGTH
from helpouts.web.forms import CheckboxesField

#: Offered for a session, the site's own first; more can be chosen later in the profile.
# fmt: off
LANGUAGES = (
    "de", "en", "ar", "bg", "cs", "da", "el", "es", "fa", "fi", "fr", "he", "hi", "hr", "hu", "it",
    "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sq", "sr", "sv", "tr", "uk", "vi", "zh",
)
# fmt: on

_too_long = _l("This is too long.")


def _kind(question: Any, alone: Any, company: Any) -> RadioField:
    return RadioField(
        question,
        choices=[SelectChoice(value="individual", label=alone), SelectChoice(value="company", label=company)],
        default="individual",
        validators=[InputRequired(_l("Choose one of the two."))],
    )


def _text(label: Any, longest: int, empty: Any, description: Any = "") -> TextAreaField:
    return TextAreaField(
        label,
        description=description,
        validators=[DataRequired(empty), Length(max=longest, message=_too_long)],
        render_kw={"maxlength": longest, "rows": 6},
    )


class _NamedForm(FlaskForm):
    def validate_name(self, field: Field) -> None:
        """WTForms' hook: see :func:`helpouts.accounts.service.clean_name`."""
        try:
            field.data = clean_name(field.data or "")
        except HelpoutsError as error:
            raise ValidationError(str(error)) from None


class InterestForm(_NamedForm):
    """What somebody who wants to become an expert tells about themselves, for one category."""

    category = HiddenField()
    kind = _kind(_l("Who will give the help?"), _l("I myself"), _l("Several people of a company or group"))
    name = StringField(
        _l("Your name, or the name of the company"),
        validators=[DataRequired(_l("Tell us your name."))],
        render_kw={"autocomplete": "name", "maxlength": NAME_LENGTH},
    )
    email = EmailField(
        _l("Mail address"),
        description=_l("We answer to this address; nobody else sees it."),
        validators=[DataRequired(_l("Tell us your mail address.")), Length(max=254, message=_too_long)],
        render_kw={"autocomplete": "email", "maxlength": 254},
    )
    subcategory = SelectField(_l("What do you know best?"), validators=[Optional()], choices=[])
    experience = _text(
        _l("Your experience"),
        EXPERIENCE_LENGTH,
        _l("Tell us what you can help with."),
        _l(
            "What can you help with, how did you learn it, whom have you helped so far? Two or three sentences will do."
        ),
    )
    link = StringField(
        _l("A page that shows your work"),
        description=_l("Your website, a portfolio, a profile elsewhere."),
        validators=[Optional(), Length(max=LINK_LENGTH, message=_too_long)],
        render_kw={"autocomplete": "url", "inputmode": "url", "maxlength": LINK_LENGTH},
    )
    is_adult = BooleanField(
        _l("I am 18 years old or older"), validators=[InputRequired(_l("Experts must be at least 18 years old."))]
    )
    #: People never see this field; programs that fill in every form do.
    homepage = StringField(validators=[Optional()], render_kw={"autocomplete": "off", "tabindex": "-1"})

    def __init__(self, category: Category, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subs = [SelectChoice(value=sub.slug, label=in_language(sub.label)) for sub in category.subcategories]
        self.subcategory.choices = [SelectChoice(value="", label=i18n.gettext("A bit of everything")), *subs]
        self.category.data = category.slug

    def validate_email(self, field: Field) -> None:
        """WTForms' hook: see :func:`helpouts.accounts.service.normalize_email`."""
        try:
            field.data = normalize_email(field.data or "")
        except HelpoutsError as error:
            raise ValidationError(str(error)) from None


class MessageForm(FlaskForm):
    """A text to the people who read applications: an answer, or an appeal."""

    body = _text(_l("Your message"), MESSAGE_LENGTH, _l("Write a few words."))


class CodeForm(FlaskForm):
    """Just the code."""

    code = StringField(
        _l("Invitation code"),
        description=_l("It is in the mail with the invitation and begins with HELP."),
        validators=[DataRequired(_l("Enter the code from your invitation.")), Length(max=80, message=_too_long)],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 80},
    )
    category = HiddenField()


class ProfileForm(_NamedForm):
    """The first version of the expert's profile."""

    #: Languages that are shown at once; the others are folded away.
    COMMON = ("de", "en", "es", "fr", "it", "tr")

    code = HiddenField()
    category = HiddenField()
    step = HiddenField(default="profile")
    kind = _kind(_l("How do you work here?"), _l("Alone, under my own name"), _l("As a company or group with members"))
    name = StringField(
        _l("Name on your profile"),
        description=_l("Everybody can read it."),
        validators=[DataRequired(_l("Tell us your name."))],
        render_kw={"autocomplete": "name", "maxlength": NAME_LENGTH},
    )
    headline = StringField(
        _l("One line about what you do"),
        description=_l("For example: Master plumber who looks at it through your camera."),
        validators=[
            DataRequired(_l("Say in one line what you help with.")),
            Length(max=HEADLINE_LENGTH, message=_too_long),
        ],
        render_kw={"maxlength": HEADLINE_LENGTH},
    )
    bio = TextAreaField(
        _l("About you"),
        description=_l("Who you are, and why people can rely on you. No mail addresses or telephone numbers, please."),
        validators=[Optional(), Length(max=BIO_LENGTH, message=_too_long)],
        render_kw={"maxlength": BIO_LENGTH, "rows": 5},
    )
    languages = CheckboxesField(
        _l("Languages in which you can help"),
        validators=[DataRequired(_l("Choose at least one language."))],
        choices=[],
    )
    zone = SelectField(
        _l("Time zone"),
        description=_l("Your hours are kept in it."),
        validators=[InputRequired(_l("Choose the time zone that you live in."))],
        choices=[],
    )
    is_adult = BooleanField(
        _l("I am 18 years old or older"), validators=[InputRequired(_l("Experts must be at least 18 years old."))]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        start = {
            "name": current_user.name,
            "zone": current_user.zone or i18n.current_zone(),
            "languages": [i18n.current_locale()],
        }
        super().__init__(*args, data={**start, **(kwargs.pop("data", None) or {})}, **kwargs)
        self.zone.choices = zones.choices(self.zone.data)
        names = Locale.parse(i18n.current_locale()).languages
        own = [code for code in self.COMMON if code in i18n.LANGUAGES]
        rest = sorted((code for code in LANGUAGES if code not in own), key=lambda code: str(names[code]).casefold())
        self.languages.choices = [SelectChoice(value=code, label=str(names[code])) for code in (*own, *rest)]


class AddFieldForm(FlaskForm):
    """An expert opens one more field with a code: nothing to fill in."""

    code = HiddenField()
    category = HiddenField()
    step = HiddenField(default="add")
