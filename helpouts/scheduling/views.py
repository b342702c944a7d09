"""The hours page of experts."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm

from helpouts import formatting, i18n
from helpouts.accounts import zones
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.scheduling import forms, service
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DayOverride, WeeklyRule
from helpouts.web.db import current_db
from helpouts.web.permissions import requires

bp = Blueprint("scheduling", __name__)

STEPS = (15, 30, 60, 20, 10, 5)
PAUSES = (0, 5, 10, 15, 20, 30, 45, 60)
NOTICES = (0, 15, 60, 2 * 60, 4 * 60, 12 * 60, 24 * 60, 48 * 60, 7 * 24 * 60)
HORIZONS = (7, 14, 30, 60, 90, 180, 365)


class TokenForm(FlaskForm):
    """Carries the token against forged requests."""


@bp.route("/expert/hours", methods=["GET", "POST"])
@requires("expert")
def hours() -> ResponseReturnValue:
    """Weekly hours, dates that differ, pauses and notice, all in one plain form."""
    db = current_db()
    row = service.schedule_of(db, current_user.id)
    token = TokenForm()
    today = clock.now().astimezone(ZoneInfo(row.zone)).date()
    form = forms.shown(row, today)
    if not row.version and row.zone == "UTC":
        form.zone = i18n.current_zone()
    status = 200
    if request.method == "POST":
        form, status = forms.sent(request.form), 400
        if request.form.get("copy"):
            status = 200
            flash(_("Monday is copied. Nothing is saved yet: look at it and save."), "info")
        elif _save(form, row, today):
            db.commit()
            flash(_("Your hours are saved."), "success")
            return redirect(url_for("scheduling.hours"), 303)
        form.pad()
    return _page(form, row, token), status


def _save(form: forms.HoursForm, row: ScheduleRow, today: date) -> bool:
    """Whether what was sent could be saved; what is wrong is in the form."""
    db = current_db()
    if form.zone not in zones.known():
        form.errors["zone"] = _("Choose a time zone from the list.")
    over = [
        DayOverride(o.day, tuple((first, last) for first, last in o.windows)) for o in row.overrides if o.day < today
    ]
    wrong_zone = dict(form.errors)
    try:
        weekly, overrides, policy = forms.parse(form, kept=over)
        if wrong_zone:
            raise HelpoutsError(wrong_zone["zone"], field="zone")
        seasonal = [
            WeeklyRule(h.weekday, h.start_minute, h.end_minute, h.valid_from, h.valid_until)
            for h in row.weekly
            if h.valid_from or h.valid_until  # the form does not show these
        ]
        service.save_schedule(db, current_user.id, form.zone, [*weekly, *seasonal], overrides, **policy)
    except HelpoutsError as error:
        db.rollback()
        form.errors.update(wrong_zone)
        if error.field:
            form.errors.setdefault(error.field, str(error))
        elif not form.errors:
            form.errors["zone"] = str(error)
        return False
    return True


def _page(form: forms.HoursForm, row: ScheduleRow, token: FlaskForm) -> str:
    names: Any = get_day_names("wide", context="stand-alone", locale=i18n.babel_locale())
    pauses = {minutes: formatting.minutes(minutes) if minutes else _("No pause") for minutes in PAUSES}
    notices = {minutes: _duration(minutes) if minutes else _("None: right away") for minutes in NOTICES}
    options = {
        "step_minutes": {minutes: _("every %(length)s", length=formatting.minutes(minutes)) for minutes in STEPS},
        "buffer_before": pauses,
        "buffer_after": pauses,
        "minimum_notice_minutes": notices,
        "horizon_days": {days: i18n.ngettext("%(n)s day ahead", "%(n)s days ahead", days) for days in HORIZONS},
    }
    return render_template(
        "helpouts/scheduling/hours.html",
        form=form,
        token=token,
        day_names=[names[weekday] for weekday in range(7)],
        zone_choices=_zones(form.zone or row.zone),
        options={key: forms.choices(labels, form.policy.get(key, "")) for key, labels in options.items()},
        has_hours=bool(row.weekly),
    )


def _zones(present: str) -> dict[str, list[tuple[str, str]]]:
    """(name, label) of the time zones by area."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for choice in zones.choices(present):
        name = str(choice.value)
        areas.setdefault(choice.optgroup or "", []).append((name, str(choice.label or name)))
    return areas


def _duration(minutes: int) -> str:
    if minutes % (24 * 60) == 0:
        return i18n.ngettext("%(n)s day", "%(n)s days", minutes // (24 * 60))
    return formatting.minutes(minutes)


from helpouts.scheduling import week_views  # noqa: E402, F401  # the week's page, on the same blueprint
