"""The experts' week: one page to see everything and to change hours by pointing, dragging or keys."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_security import current_user

from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import service, week, week_page
from helpouts.scheduling.rules import DayOverride, WeeklyRule, Window
from helpouts.scheduling.views import bp
from helpouts.web.db import current_db
from helpouts.web.permissions import requires


@bp.get("/expert/week")
@requires("expert")
def week_of() -> ResponseReturnValue:
    """A week as a page, or as JSON (``Accept: application/json``); ``from`` is any date in it."""
    db = current_db()
    first = week_page.first_day(service.schedule_of(db, current_user.id), request.args.get("from", ""))
    data = week_page.week_data(db, current_user.id, first)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return data
    return render_template("helpouts/scheduling/week.html", week=data, texts=_texts())


@bp.post("/expert/week")
@requires("expert")
def change_week() -> ResponseReturnValue:
    """One change of the hours, as JSON; answers with the week as it is then, whether the change was made or not."""
    db, sent = current_db(), request.get_json(silent=True)
    status, answer = 200, dict[str, Any]()
    sent = sent if isinstance(sent, dict) else {}
    try:
        before = _apply(sent)
        db.commit()
        answer = {"message": _("Saved."), "undo": before}
    except HelpoutsError as error:
        db.rollback()
        status, answer = error.status, {"error": str(error), "conflict": isinstance(error, Conflict)}
    row = service.schedule_of(db, current_user.id)
    first = week_page.first_day(row, str(sent.get("first", "")))
    return {**answer, "week": week_page.week_data(db, current_user.id, first)}, status


def _apply(sent: dict[str, Any]) -> dict[str, Any] | None:
    """Make the change that was sent; what takes it back."""
    db, user_id = current_db(), current_user.id
    try:
        version, action = int(sent["version"]), sent["action"]
        if action == "restore":
            snapshot = week.Snapshot(_weekly(sent["weekly"]), _dates(sent["overrides"]))
            week.go_back(db, user_id, version, snapshot)
            return None
        day = date.fromisoformat(sent["day"])
        if action == "usual":
            _row, before = week.usual_hours(db, user_id, version, day)
        elif action == "change":
            change = week.Change(
                version=version,
                day=day,
                old=_window(sent.get("old")),
                new_day=date.fromisoformat(sent.get("new_day") or sent["day"]),
                new=_window(sent.get("new")),
                every_week=sent.get("every_week") is True,
            )
            _row, before = week.change_hours(db, user_id, change)
        else:
            raise ValueError(action)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HelpoutsError(_l("This change could not be read: reload the page and try again.")) from error
    return {
        "weekly": [
            [
                rule.weekday,
                rule.start_minute,
                rule.end_minute,
                rule.valid_from.isoformat() if rule.valid_from else None,
                rule.valid_until.isoformat() if rule.valid_until else None,
            ]
            for rule in before.weekly
        ],
        "overrides": [[override.day.isoformat(), list(override.windows)] for override in before.overrides],
    }


def _window(value: Any) -> Window | None:
    if value is None:
        return None
    start, end = value
    return _minute(start), _minute(end)


def _minute(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(value)
    return value


def _weekly(rows: Any) -> tuple[WeeklyRule, ...]:
    return tuple(
        WeeklyRule(
            _minute(weekday),
            _minute(start),
            _minute(end),
            date.fromisoformat(since) if since else None,
            date.fromisoformat(until) if until else None,
        )
        for weekday, start, end, since, until in rows[:500]
    )


def _dates(rows: Any) -> tuple[DayOverride, ...]:
    found = []
    for day, windows in rows[: service.MOST_OVERRIDES + 1]:
        pairs = [(_minute(start), _minute(end)) for start, end in windows]
        found.append(DayOverride(date.fromisoformat(day), tuple(pairs)))
    return tuple(found)


def _texts() -> dict[str, str]:
    """What the scripts say."""
    return {
        "grid": _("My week"),
        "free": _("not working"),
        "hours": _("working hours %(time)s", time="{time}"),
        "date_hours": _("working hours %(time)s of this date alone", time="{time}"),
        "past": _("over"),
        "nothing": _("left out by the clocks"),
        "range": _("%(day)s, %(time)s chosen. Enter goes on, Escape cancels.", day="{day}", time="{time}"),
        "begin": _("Beginning at %(time)s. Move with the arrow keys, Enter ends.", time="{time}"),
        "cancelled": _("Nothing is changed."),
        "readonly": _("This day is over and cannot be changed."),
        "adjust": _("%(day)s, %(time)s. Enter saves, Escape cancels.", day="{day}", time="{time}"),
        "saving": _("Saving"),
        "undone": _("Taken back."),
        "undo": _("Undo"),
        "failed": _("The server cannot be reached. Nothing was saved: try again."),
        "every": _("Every %(weekday)s", weekday="{weekday}"),
        "once": _("Only on %(day)s", day="{day}"),
        "new_title": _("New hours"),
        "edit_title": _("Working hours"),
        "order": _("The end must be after the beginning."),
        "week_shown": _("Week of %(day)s", day="{day}"),
        "days_shown": _("%(first)s to %(last)s", first="{first}", last="{last}"),
        "open": _("Enter opens it"),
        "season": _("These are hours of a season: %(season)s.", season="{season}"),
        "midnight": _("midnight"),
    }
