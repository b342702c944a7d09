"""What somebody says about their time, checked and stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.scheduling import changes, holidays
from helpouts.scheduling.hosts import works
from helpouts.scheduling.loading import to_caps, to_time_off
from helpouts.scheduling.models import OverrideRow, ScheduleRow, WeeklyHours
from helpouts.scheduling.rules import CAP_BOUNDS, DayOverride, Schedule, SlotPolicy, TimeOff, WeeklyRule, Window

POLICY = ("step_minutes", "buffer_before", "buffer_after", "minimum_notice_minutes", "horizon_days")
DEFAULTS: Mapping[str, int] = {
    "step_minutes": 15,
    "buffer_before": 0,
    "buffer_after": 0,
    "minimum_notice_minutes": 60,
    "horizon_days": 60,
}
#: Bounds that keep a schedule readable and its computation small.
MOST_WINDOWS_A_DAY = 8
MOST_RULES = 400
MOST_OVERRIDES = 366
MOST_TIME_OFF = 100
MOST_NOTE = 80
MOST_WORKED = 100


def schedule_of(db: Session, user_id: int) -> ScheduleRow:
    """The stored schedule of a person; one without hours, not yet stored, when they have never set any."""
    return _stored(db, user_id) or _new(db, user_id)


def has_hours(db: Session, user_id: int) -> bool:
    """Whether the person has set any hours at all."""
    row = _stored(db, user_id)
    return row is not None and works(row)


def save_schedule(
    db: Session,
    user_id: int,
    zone: str,
    weekly: Iterable[WeeklyRule],
    overrides: Iterable[DayOverride] = (),
    **policy: int,
) -> ScheduleRow:
    """Replace a person's hours.

    Bookings keep their instants, in another zone too; :func:`helpouts.scheduling.soft.outside_hours` tells which
    of them do not fit any more.

    :param zone: IANA name in which all wall minutes are meant.
    :param policy: any of :data:`POLICY`, in minutes and days; what is not named keeps its value.
    :raises HelpoutsError: when something makes no sense; ``field`` names it.
    """
    rules, special = tuple(weekly), tuple(overrides)
    unknown = set(policy) - set(POLICY)
    if unknown:
        raise TypeError(f"unknown policy: {', '.join(sorted(unknown))}")
    _check_rules(rules)
    if len(special) > MOST_OVERRIDES:
        raise HelpoutsError(
            _l("At most %(most)s dates can differ: remove some.", most=MOST_OVERRIDES), field="overrides"
        )
    Schedule(zone, rules, special)
    row = _stored(db, user_id)
    settings: dict[str, Any] = {key: policy.get(key, getattr(row, key) if row else DEFAULTS[key]) for key in POLICY}
    SlotPolicy(length_minutes=1, **settings)
    row = row or _added(db, user_id, zone)
    row.zone = zone
    for key, value in settings.items():
        setattr(row, key, value)
    row.weekly = [
        WeeklyHours(
            weekday=rule.weekday,
            start_minute=rule.start_minute,
            end_minute=rule.end_minute,
            valid_from=rule.valid_from,
            valid_until=rule.valid_until,
        )
        for rule in sorted(rules, key=lambda rule: (rule.weekday, rule.start_minute))
    ]
    # Rows of kept dates are changed in place: the unit of work inserts before it deletes.
    kept = {override.day: override for override in row.overrides}
    row.overrides = [
        _changed(kept.get(item.day) or OverrideRow(day=item.day), item.windows)
        for item in sorted(special, key=lambda item: item.day)
    ]
    hours_changed(db, row)
    return row


def save_caps(db: Session, user_id: int, **caps: int | None) -> ScheduleRow:
    """Change how much a person takes on.

    :param caps: any of the fields of :class:`~helpouts.scheduling.rules.Caps`; None takes a limit away, and what is
        not named stays as it is.
    :raises HelpoutsError: for a value out of range; ``field`` names it.
    """
    row = _stored(db, user_id) or _new(db, user_id)
    checked = replace(to_caps(row), **caps)
    row = _kept(db, row)
    for name in CAP_BOUNDS:
        setattr(row, name, getattr(checked, name))
    hours_changed(db, row)
    return row


def save_holidays(
    db: Session, user_id: int, country: str, subdivision: str = "", worked: Iterable[str] = ()
) -> ScheduleRow:
    """Let a person be off on the public holidays of a place, or of none with "".

    :param subdivision: one of :func:`helpouts.scheduling.holidays.subdivisions`, or "".
    :param worked: keys (:attr:`helpouts.scheduling.holidays.Holiday.keys`) of those on which they work all the same.
    :raises HelpoutsError: for a place that is not known; ``field`` names what is wrong.
    """
    holidays.check(country, subdivision)
    names = sorted({name.strip()[:200] for name in worked} - {""}) if country else []
    if len(names) > MOST_WORKED:
        raise HelpoutsError(_l("Choose from the list."), field="holidays_worked")
    row = _kept(db, _stored(db, user_id) or _new(db, user_id))
    row.holiday_country, row.holiday_subdivision, row.holidays_worked = country, subdivision, names
    hours_changed(db, row)
    return row


def save_time_off(db: Session, user_id: int, entries: Iterable[TimeOff]) -> ScheduleRow:
    """Replace a person's time off.

    What is said last holds: dates that differ, with hours, are dropped where new time off covers them; one that is
    made later within time off is worked.

    :raises HelpoutsError: when there is too much of it; ``field`` is "time_off".
    """
    wanted = sorted(
        {replace(entry, note=" ".join(entry.note.split())[:MOST_NOTE]) for entry in entries},
        key=lambda entry: (entry.first, entry.last, entry.note),
    )
    if len(wanted) > MOST_TIME_OFF:
        raise HelpoutsError(
            _l("At most %(most)s entries of time off fit: remove those that are over.", most=MOST_TIME_OFF),
            field="time_off",
        )
    row = _kept(db, _stored(db, user_id) or _new(db, user_id))
    before = {(entry.first, entry.last) for entry in to_time_off(row)}
    new = [entry for entry in wanted if (entry.first, entry.last) not in before]
    row.overrides = [
        override
        for override in row.overrides
        if not (override.windows and any(entry.first <= override.day <= entry.last for entry in new))
    ]
    row.time_off = [[entry.first.isoformat(), entry.last.isoformat(), entry.note] for entry in wanted]
    hours_changed(db, row)
    return row


def add_time_off(db: Session, user_id: int, first: date, last: date, note: str = "") -> ScheduleRow:
    """Let a person be off from ``first`` to ``last``, both included, as :func:`save_time_off` says."""
    return save_time_off(db, user_id, [*to_time_off(schedule_of(db, user_id)), TimeOff(first, last, note)])


def remove_time_off(db: Session, user_id: int, first: date, last: date) -> ScheduleRow:
    """Take the time off from ``first`` to ``last`` back; nothing happens if there is none."""
    entries = to_time_off(schedule_of(db, user_id))
    return save_time_off(db, user_id, [entry for entry in entries if (entry.first, entry.last) != (first, last)])


def hours_changed(db: Session, row: ScheduleRow) -> None:
    """Note that the free time of a person has changed, so that nobody trusts an older answer."""
    row.version = (row.version or 0) + 1
    db.flush()
    changes.touch(db, [row.user_id])


def _check_rules(rules: Sequence[WeeklyRule]) -> None:
    """No date has more windows than fit, whatever its season."""
    for weekday in range(7):
        of_day = [rule for rule in rules if rule.weekday == weekday]
        begins = {rule.valid_from or date.min for rule in of_day}
        if any(sum(rule.holds_on(day) for rule in of_day) > MOST_WINDOWS_A_DAY for day in begins):
            raise HelpoutsError(
                _l("At most %(most)s times a day fit: join some of them.", most=MOST_WINDOWS_A_DAY),
                field=f"day{weekday}",
            )
    if len(rules) > MOST_RULES:
        raise HelpoutsError(_l("These are too many hours: remove seasons that are over."), field="weekly")


def _stored(db: Session, user_id: int) -> ScheduleRow | None:
    return db.scalar(select(ScheduleRow).where(ScheduleRow.user_id == user_id))


def _new(db: Session, user_id: int) -> ScheduleRow:
    zone = db.scalar(select(User.zone).where(User.id == user_id)) or "UTC"
    return _empty(user_id, zone)


def _empty(user_id: int, zone: str) -> ScheduleRow:
    return ScheduleRow(
        user_id=user_id,
        zone=zone,
        version=0,
        weekly=[],
        overrides=[],
        holiday_country="",
        holiday_subdivision="",
        holidays_worked=[],
        time_off=[],
        **DEFAULTS,
    )


def _kept(db: Session, row: ScheduleRow) -> ScheduleRow:
    """The row, stored if it is new."""
    return row if row.id else _added(db, row.user_id, row.zone)


def _added(db: Session, user_id: int, zone: str) -> ScheduleRow:
    row = _empty(user_id, zone)
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:  # the same person saved in another window at this moment
        return db.scalars(select(ScheduleRow).where(ScheduleRow.user_id == user_id)).one()
    return row


def _changed(row: OverrideRow, windows: Sequence[Window]) -> OverrideRow:
    row.windows = [[first, last] for first, last in sorted(windows)]
    return row
