"""What operators should know about the calendars of their experts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.calendars.models import CalendarSource
from helpouts.calendars.trouble import in_words
from helpouts.clock import clock
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.records import Problem

#: A calendar that was not read for so long is told of.
SILENT = timedelta(days=1)
_FIXES = {
    "internal": _l("Look into the worker's log."),
    "refused": _l("If it is your own network, name it in the option calendar_allow."),
}


def problems(db: Session) -> Iterator[Problem]:
    """Calendars that have not been read for a day, by reason."""
    last = func.coalesce(CalendarSource.read_at, CalendarSource.created_at)
    query = (
        select(CalendarSource.trouble, CalendarSource.trouble_status, func.count())
        .where(CalendarSource.failures > 0, last < clock.now() - SILENT)
        .group_by(CalendarSource.trouble, CalendarSource.trouble_status)
        .order_by(func.count().desc())
    )
    for trouble, status, count in db.execute(query):
        why = in_words(trouble, status)
        text = _l("Calendars of experts that were not read for a day: %(count)s. %(why)s", count=count, why=why)
        yield Problem("warning", text, _FIXES.get(trouble, _l("Their owners are told by mail after three days.")))
