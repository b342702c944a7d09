"""Forms of the page "Wallet"."""

from __future__ import annotations

import unicodedata

from babel import Locale
from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from helpouts.i18n import current_locale
from helpouts.i18n import lazy_gettext as _l

_REQUIRED = InputRequired(_l("This is required."))


#: Codes of the CLDR that are no country of ISO 3166-1: unions, islands of others, tests, "unknown".
_NO_COUNTRY = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])


def _order(name: str) -> str:
    """As in a dictionary: Österreich beside Oman."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(sign))


def countries() -> list[tuple[str, str]]:
    """(ISO 3166-1 code, name in the language in force), by name."""
    territories = Locale.parse(current_locale()).territories
    found = [
        (code, name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
    ]
    return [("", "–"), *sorted(found, key=lambda pair: _order(pair[1]))]


class PayForm(FlaskForm):
    """Accept the terms for paying."""

    terms = BooleanField(
        _l("I agree that money for a booking is held from my wallet and settled after the session."),
        validators=[InputRequired(_l("Please agree to the terms to go on."))],
    )


class EarnForm(FlaskForm):
    """Accept the terms for being paid, and say who is."""

    name = StringField(
        _l("Name that payouts go to"),
        validators=[_REQUIRED, Length(max=120, message=_l("At most 120 characters, please."))],
    )
    country = SelectField(_l("Country"), choices=countries, validators=[_REQUIRED])
    tax_number = StringField(
        _l("Tax number"),
        description=_l("If you have one; it is printed on your statements."),
        validators=[Length(max=40, message=_l("At most 40 characters, please."))],
    )
    terms = BooleanField(
        _l("I agree that the site keeps its fee and that my earnings are payable once the time for refunds is over."),
        validators=[InputRequired(_l("Please agree to the terms to go on."))],
    )


class TopUpForm(FlaskForm):
    """Put play money into the wallet; ``token`` makes sending it twice one top-up."""

    token = HiddenField(validators=[InputRequired(), Length(min=16, max=64)])
    amount = DecimalField(
        _l("Amount"),
        places=None,
        validators=[_REQUIRED, NumberRange(min=0, message=_l("The amount must be more than 0."))],
    )
    currency = SelectField(_l("Currency"), validators=[_REQUIRED])
