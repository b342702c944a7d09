"""Forms of coupons; the services check again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from helpouts.catalog.forms import amount, options
from helpouts.catalog.models import Listing
from helpouts.coupons.making import MOST_USES, Terms
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l

_CODE_LOOK = {"maxlength": 24, "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


class CouponForm(FlaskForm):
    """A new coupon of an expert's."""

    code = StringField(
        _l("Code"),
        validators=[InputRequired(_l("Enter a code, such as SUMMER10.")), Length(max=40, message=_l("Too long."))],
        description=_l("4 to 24 letters A to Z, digits and hyphens. Capitals and small letters are the same."),
        render_kw=_CODE_LOOK,
    )
    kind = RadioField(_l("What does it take off?"), default="percent")
    value = StringField(
        _l("How much?"),
        validators=[InputRequired(_l("Enter how much.")), Length(max=12, message=_l("Too long."))],
        description=_l("A percentage such as 20, or an amount such as 10 or 7.50."),
        render_kw={"inputmode": "decimal", "size": 8, "autocomplete": "off"},
    )
    listing = SelectField(_l("For which session?"))
    last_day = DateField(
        _l("Valid until"), validators=[Optional()], description=_l("The last day, where you are. Empty: for ever.")
    )
    most_uses = IntegerField(
        _l("How many bookings?"),
        validators=[Optional()],
        description=_l("Empty: as many as come."),
        render_kw={"inputmode": "numeric", "min": 1, "max": MOST_USES},
    )
    once_each = BooleanField(_l("Once for each customer"), default=True)
    newcomers_only = BooleanField(_l("Only for people who have not booked with you before"))

    def terms(self) -> Terms:
        """What was filled in.

        :raises HelpoutsError: when the value is none, at the field "value".
        """
        kind, text = self.kind.data, (self.value.data or "").strip()
        percent = kind == "percent"
        if percent and not (text.rstrip("% ").isascii() and text.rstrip("% ").isdigit()):
            raise HelpoutsError(_l("Enter a whole number from 1 to 100 as the percentage."), field="value")
        return Terms(
            percent=int(text.rstrip("% ")) if percent else None,
            amount_minor=None if percent else amount(text, kind, "value"),
            currency=self.currency if percent else kind,
            listing_id=int(self.listing.data) if self.listing.data else None,
            last_day=self.last_day.data,
            most_uses=self.most_uses.data,
            once_each=bool(self.once_each.data),
            newcomers_only=bool(self.newcomers_only.data),
        )

    def __init__(self, listings: Sequence[Listing], currency: str, **values: Any) -> None:
        """An amount is offered in the currencies of the expert's fixed prices; ``currency`` is the site's own."""
        super().__init__(**values)
        self.currency = currency
        codes = sorted({listing.currency for listing in listings if listing.pricing == "fixed"})
        texts = {code: _("An amount (%(currency)s), where the price is fixed", currency=code) for code in codes}
        self.kind.choices = options([("percent", _("A percentage")), *texts.items()])
        self.listing.choices = options([("", _("All that cost something")), *((str(x.id), x.title) for x in listings)])


class RedeemForm(FlaskForm):
    """A code at the checkout."""

    code = StringField(
        _l("Coupon code"),
        validators=[InputRequired(_l("Enter the code of a coupon.")), Length(max=40, message=_l("Too long."))],
        render_kw=_CODE_LOOK,
    )
