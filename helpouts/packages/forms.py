"""Forms of packages."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from helpouts.i18n import lazy_gettext as _l
from helpouts.packages.models import FEWEST, MOST


class BuyForm(FlaskForm):
    """Buy a package; ``key`` makes a second click the same purchase."""

    key = HiddenField(validators=[InputRequired(), Length(max=60)])


class OfferForm(FlaskForm):
    """Offer several sessions at once."""

    session = SelectField(_l("Session"))
    sessions = IntegerField(
        _l("How many sessions"),
        validators=[
            InputRequired(_l("Say how many sessions the package has.")),
            NumberRange(FEWEST, MOST, _l("A package has %(min)s to %(max)s sessions.")),
        ],
    )
    price = StringField(
        _l("Price of each session"),
        validators=[
            InputRequired(_l("Enter a price such as 25 or 12.50.")),
            Length(max=12, message=_l("Enter a price such as 25 or 12.50.")),
        ],
        description=_l("Less than a single session costs. Customers pay all sessions at once."),
    )
