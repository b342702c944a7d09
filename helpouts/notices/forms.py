"""The switches of the page "Notices"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from babel.dates import format_timedelta
from flask_wtf import FlaskForm
from wtforms import SelectMultipleField

from helpouts.i18n import babel_locale
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices.kinds import MAIL, Kind
from helpouts.notices.reminders import LEADS
from helpouts.web.forms import CheckboxesField


class NoticesForm(FlaskForm):
    """Which kinds through which channels ("kind:channel"), and when to be reminded."""

    wanted = SelectMultipleField(_l("Notices"))
    leads = CheckboxesField(
        _l("Remind me before a session"),
        description=_l("Nothing is sent for a session that you have just booked, or after it has begun."),
        coerce=int,
    )

    offered: list[str]

    def offer(self, kinds: Iterable[Kind], channels: Iterable[str]) -> None:
        """Fill in what there is to choose from."""
        self.offered = [
            switch(kind.name, channel)
            for kind in kinds
            for channel in channels
            if channel != MAIL or kind.mail == "choice"
        ]
        self.wanted.choices = [(value, value) for value in self.offered]  # type: ignore[assignment]  # pairs, as WTForms documents
        self.leads.choices = [(lead, _in_words(lead)) for lead in LEADS]  # type: ignore[assignment]  # as above


def _in_words(minutes: int) -> str:
    return format_timedelta(timedelta(minutes=minutes), threshold=1, locale=babel_locale())


def switch(kind: str, channel: str) -> str:
    """The value of one switch."""
    return f"{kind}:{channel}"
