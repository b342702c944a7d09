"""Currencies and their minor units.  How an amount is shown is in :mod:`helpouts.formatting`."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.numbers import get_currency_precision

from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

_CODE = re.compile(r"[A-Z]{3}\Z")


def exponent(currency: str) -> int:
    """Digits of the currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD (CLDR, as the amounts are shown).

    :raises HelpoutsError: when it is not a currency's code (ISO 4217).
    """
    if not _CODE.match(currency):
        raise HelpoutsError(_l("A currency is written as three capital letters, for example EUR."), field="currency")
    return get_currency_precision(currency)


def to_decimal(minor: int, currency: str) -> Decimal:
    """The amount in the currency's major unit, exact."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount in minor units.

    :raises HelpoutsError: when the amount has more digits than the currency, or is no number.
    """
    scaled = amount.scaleb(exponent(currency)) if amount.is_finite() else None
    if scaled is None or scaled != scaled.to_integral_value():
        raise HelpoutsError(_l("This amount is finer than the currency allows."), field="amount")
    return int(scaled)
