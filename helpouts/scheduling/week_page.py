"""One week as its page draws it: plain values in the language in force, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_date, format_skeleton, format_time
from flask import url_for
from sqlalchemy.orm import Session

from helpouts.accounts.zones import place
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.i18n import babel_locale, current_locale
from helpouts.i18n import gettext as _
from helpouts.scheduling import holidays, service, week
from helpouts.scheduling.axis import Axis
from helpouts.scheduling.display import day_label, offset_name
from helpouts.scheduling.models import ScheduleRow
from helpouts.scheduling.rules import DAY, Window, zone_info
from helpouts.scheduling.zones import from_minute, to_minute

DAYS = 7
#: How far back and ahead somebody can leaf.
MOST_WEEKS = 160


def first_day(row: ScheduleRow, text: str) -> date:
    """The first day of the week that contains a date (ISO 8601), else today; never years away."""
    today = today_in(row.zone)
    try:
        wanted = date.fromisoformat(text)
    except ValueError:
        wanted = today
    reach = timedelta(weeks=MOST_WEEKS)
    wanted = max(today - reach, min(wanted, today + reach))
    return wanted - timedelta(days=(wanted.weekday() - babel_locale().first_week_day) % DAYS)


def today_in(zone: str) -> date:
    """Today's date on the clock of a zone."""
    return clock.now().astimezone(zone_info(zone)).date()


def week_data(db: Session, user_id: int, first: date) -> dict[str, Any]:
    """Everything that the page shows of the seven days from ``first`` on, as plain values."""
    row = service.schedule_of(db, user_id)
    info = zone_info(row.zone)
    days = [first + timedelta(days=n) for n in range(DAYS)]
    axis = Axis.of(row.zone, days)
    start = datetime.combine(first, datetime.min.time(), info)
    end = datetime.combine(first + timedelta(days=DAYS), datetime.min.time(), info)
    items = [_booking(booking, user_id, row.zone) for booking in week.bookings_between(db, user_id, start, end)]
    items += busy_items(db, user_id, start, end, row.zone)
    now = clock.now()
    return {
        "version": row.version or 0,
        "zone": row.zone,
        "zone_label": zone_label(row.zone, now),
        "title": week_title(days),
        "first": first.isoformat(),
        "previous": (first - timedelta(days=DAYS)).isoformat(),
        "next": (first + timedelta(days=DAYS)).isoformat(),
        "today": today_in(row.zone).isoformat(),
        "length": axis.length,
        "repeat": [axis.repeat.start, axis.repeat.end] if axis.repeat else None,
        "rows": axis_rows(axis),
        "now": _now_mark(axis, days, now),
        "days": [_day(row, axis, day, items) for day in days],
        "changes": [_change_text(change) for change in axis.changes],
        "has_hours": service.has_hours(db, user_id),
    }


def axis_rows(axis: Axis) -> list[dict[str, Any]]:
    """The hours beside the week: position and label; both passes of a repeated hour with the names of their offsets."""
    repeat, rows = axis.repeat, list[dict[str, Any]]()
    for minute in range(0, DAY, 60):
        twice = repeat is not None and repeat.start <= minute < repeat.end
        for fold in (0, 1) if twice else (0,):
            name = repeat.names[fold] if repeat and twice else ""
            rows.append({"at": axis.place(minute, fold), "label": hour_label(minute), "offset": name})
    return sorted(rows, key=lambda found: found["at"])


def hour_label(minute: int) -> str:
    """A full hour, short: "9 AM" or "09:00"."""
    locale = babel_locale()
    moment = datetime(2000, 1, 1, minute // 60, minute % 60)  # noqa: DTZ001  # a time on the wall, no instant
    twelve = "a" in str(locale.time_formats["short"].pattern)
    return format_time(moment, "h a" if twelve else "HH:mm", locale=locale)


def wall_label(minute: int) -> str:
    """A time on the wall: "9:30 AM" or "09:30"."""
    moment = datetime(2000, 1, 1, minute // 60 % 24, minute % 60)  # noqa: DTZ001  # a time on the wall, no instant
    return format_time(moment, "short", locale=babel_locale())


def window_label(window: Window) -> str:
    """ "9:00 AM – 1:00 PM", or that it is the whole day."""
    if window == (0, DAY):
        return _("All day")
    return f"{wall_label(window[0])} – {wall_label(window[1])}"


def week_title(days: Sequence[date]) -> str:
    """ "November 2026", or both months of a week that has two."""
    locale = babel_locale()
    names = [format_skeleton("yMMMM", day, locale=locale) for day in (days[0], days[-1])]
    return names[0] if names[0] == names[1] else f"{format_skeleton('MMM', days[0], locale=locale)} – {names[1]}"


def zone_label(zone: str, now: datetime) -> str:
    """ "Berlin (CET)"."""
    return f"{place(zone)} ({offset_name(now.astimezone(zone_info(zone)))})"


def busy_items(db: Session, user_id: int, start: datetime, end: datetime, zone: str) -> list[dict[str, Any]]:
    """What else takes somebody's time: other calendars."""
    from helpouts.calendars.service import busy_blocks

    return [
        {
            "kind": "busy",
            "state": "busy",
            "title": block.source,
            "detail": "",
            "time": _times(block.starts_at, block.ends_at, zone),
            "state_label": _("busy"),
            "url": "",
            "starts_at": block.starts_at,
            "ends_at": block.ends_at,
        }
        for block in busy_blocks(db, user_id, start, end)
    ]


def off_text(row: ScheduleRow, day: date) -> str:
    """Why a date is free of work: its own entry, time off, a public holiday; "" when it is none of these."""
    override = next((override for override in row.overrides if override.day == day), None)
    if override is not None:
        return "" if override.windows else _("Off all day")
    off = next((entry for entry in service.to_time_off(row) if entry.first <= day <= entry.last), None)
    if off is not None:
        return off.note or _("Time off")
    found = holidays.between(row.holiday_country, row.holiday_subdivision, day, day, current_locale())
    return next((held.name for held in found if not set(held.keys) <= set(row.holidays_worked)), "")


def _day(row: ScheduleRow, axis: Axis, day: date, items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    locale = babel_locale()
    today = today_in(row.zone)
    blocks = []
    for block in week.blocks_on(row, service.to_schedule(row), day):
        drawn = axis.window(day, block.window)
        if drawn is None:
            continue
        blocks.append(
            {
                "start": block.window[0],
                "end": block.window[1],
                "top": drawn[0],
                "bottom": drawn[1],
                "weekly": block.weekly,
                "season": _season(block),
                "label": window_label(block.window),
            }
        )
    shown = []
    for item in items:
        span = axis.span(day, item["starts_at"], item["ends_at"])
        if span is not None:
            plain = {key: value for key, value in item.items() if not isinstance(value, datetime)}
            shown.append({**plain, "top": span[0], "bottom": span[1]})
    return {
        "date": day.isoformat(),
        "short": format_date(day, "ccc", locale=locale),
        "number": day.day,
        "weekday": format_date(day, "cccc", locale=locale),
        "full": day_label(day),
        "today": day == today,
        "past": day < today,
        "off": off_text(row, day),
        "override": any(override.day == day for override in row.overrides),
        "nothing": axis.nothing(day),
        "blocks": blocks,
        "items": shown,
    }


def _season(block: week.Block) -> str:
    locale = babel_locale()
    since, until = (
        format_skeleton("dMMM", limit, locale=locale) if limit else ""
        for limit in (block.valid_from, block.valid_until)
    )
    if since and until:
        return f"{since} – {until}"
    return _("from %(day)s", day=since) if since else _("until %(day)s", day=until) if until else ""


def _booking(booking: Booking, user_id: int, zone: str) -> dict[str, Any]:
    is_host = booking.host_id == user_id
    name = (booking.customer.name.split() or [""])[0] if is_host else booking.host.name
    held = booking.state == "held"
    return {
        "kind": "held" if held else "booking" if is_host else "own",
        "state": booking.state,
        "title": name or _("A customer"),
        "detail": booking.title,
        "time": _times(booking.starts_at, booking.ends_at, zone),
        "state_label": _state(booking.state, is_host),
        "url": "" if held and is_host else url_for("bookings.show", public_id=booking.public_id),
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
    }


def _state(state: str, is_host: bool) -> str:
    if not is_host:
        return _("you are the customer")
    return {
        "held": _("being booked"),
        "confirmed": _("booked"),
        "in_session": _("going on"),
        "completed": _("done"),
        "no_show": _("nobody came"),
    }.get(state, state)


def _times(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    from helpouts.scheduling.display import time_label

    info = zone_info(zone)
    return f"{time_label(starts_at.astimezone(info), zone)} – {time_label(ends_at.astimezone(info), zone)}"


def _now_mark(axis: Axis, days: Sequence[date], now: datetime) -> dict[str, int] | None:
    local = now.astimezone(zone_info(axis.zone))
    if local.date() not in days:
        return None
    moment = from_minute(to_minute(now))
    span = axis.span(local.date(), moment, moment + timedelta(minutes=1))
    return {"day": days.index(local.date()), "at": span[0]} if span else None


def _change_text(change: Any) -> str:
    day = day_label(change.day)
    if change.kind == "skip":
        return _(
            "The clocks go forward on %(day)s: %(start)s to %(end)s does not happen.",
            day=day,
            start=wall_label(change.start),
            end=wall_label(change.end),
        )
    return _(
        "The clocks go back on %(day)s: %(start)s to %(end)s comes twice, first as %(first)s, then as %(second)s.",
        day=day,
        start=wall_label(change.start),
        end=wall_label(change.end),
        first=change.names[0],
        second=change.names[1],
    )
