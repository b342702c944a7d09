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
from sqlalchemy.orm import Session

from helpouts import formatting, i18n
from helpouts.accounts import zones
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.scheduling import extras, forms, holidays, seasons, service, week
from helpouts.scheduling.display import long_day_label
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DayOverride
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
    form, more = forms.shown(row, today), extras.shown(row, today)
    if not row.version and row.zone == "UTC":
        form.zone = i18n.current_zone()
    status = 200
    if request.method == "POST":
        form, more, status = forms.sent(request.form), extras.sent(request.form), 400
        if request.form.get("copy"):
            status = 200
            flash(_("Monday is copied. Nothing is saved yet: look at it and save."), "info")
        elif _save(form, more, row, today):
            db.commit()
            flash(_("Your hours are saved."), "success")
            _warn(db)
            return redirect(url_for("scheduling.hours"), 303)
            row = service.schedule_of(db, current_user.id)
        form.pad()
        more.pad()
    return _page(form, more, row, token, today), status


def _warn(db: Session) -> None:
    """Say which bookings lie outside the hours as they are now: they keep their instants."""
    outside = service.outside_hours(db, current_user.id)
    if outside:
        shown = [f"{formatting.day_time(booking.starts_at)} ({booking.title})" for booking in outside[:5]]
        flash(
            i18n.ngettext(
                "%(n)s booking lies outside your hours now and stays as it is: %(list)s",
                "%(n)s bookings lie outside your hours now and stay as they are: %(list)s",
                len(outside),
                list="; ".join(shown) + (" …" if len(outside) > len(shown) else ""),
            ),
            "warning",
        )


def _save(form: forms.HoursForm, more: extras.Extras, row: ScheduleRow, today: date) -> bool:
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
        seen = int(more.version) if more.version.isascii() and more.version.isdigit() else -1
        week.seen_version(db, current_user.id, seen)
        row = service.save_schedule(
            db, current_user.id, form.zone, [*weekly, *seasons.over(row, today)], overrides, **policy
        )
        extras.save(db, row, more, today, form.errors)
    except HelpoutsError as error:
        db.rollback()
        form.errors.update(wrong_zone)
        if error.field:
            form.errors.setdefault(error.field, str(error))
            if error.field == "version":
                more.version = str(service.schedule_of(db, current_user.id).version or 0)
        elif not form.errors:
            form.errors["zone"] = str(error)
        return False
    return True


def _page(form: forms.HoursForm, more: extras.Extras, row: ScheduleRow, token: FlaskForm, today: date) -> str:
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
        more=more,
        countries=holidays.countries(i18n.current_locale()),
        subdivisions=holidays.subdivisions(more.country),
        holidays=holidays.coming(row.holiday_country, row.holiday_subdivision, today, i18n.current_locale()),
        long_day=long_day_label,
        token=token,
        day_names=[names[weekday] for weekday in range(7)],
        zone_choices=zones.by_area(form.zone or row.zone),
        options={key: forms.choices(labels, form.policy.get(key, "")) for key, labels in options.items()},
        has_hours=bool(row.weekly),
    )


def _duration(minutes: int) -> str:
    if minutes % (24 * 60) == 0:
        return i18n.ngettext("%(n)s day", "%(n)s days", minutes // (24 * 60))
    return formatting.minutes(minutes)


from helpouts.scheduling import week_views  # noqa: E402, F401  # the week's page, on the same blueprint
