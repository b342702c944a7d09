"""Hours of people as plain values, read by columns: one query for any number of people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.catalog.models import ExpertMember
from helpouts.db.json_rows import json_rows
from helpouts.db.lists import among, room_for, spread
from helpouts.db.prepared import Prepared
from helpouts.scheduling.models import OverrideRow, ScheduleRow, WeeklyHours
from helpouts.scheduling.rules import DayOverride, WeeklyRule


@dataclass(frozen=True, slots=True)
class Hours:
    """A :class:`~helpouts.scheduling.models.ScheduleRow` that cannot be changed; its fields are the row's."""

    id: int
    user_id: int
    zone: str
    step_minutes: int
    buffer_before: int
    buffer_after: int
    minimum_notice_minutes: int
    horizon_days: int
    most_sessions_day: int | None
    most_sessions_week: int | None
    most_minutes_day: int | None
    most_minutes_week: int | None
    holiday_country: str
    holiday_subdivision: str
    holidays_worked: Sequence[str]
    time_off: Sequence[Sequence[str]]
    version: int
    weekly: Sequence[WeeklyRule] = ()
    overrides: Sequence[DayOverride] = ()


_row, _week, _day = ScheduleRow.__table__.c, WeeklyHours.__table__.c, OverrideRow.__table__.c
_member, _user = ExpertMember.__table__, User.__table__
_COLUMNS = [_row[field.name] for field in fields(Hours) if field.name in _row]
_WEEKLY = select(
    json_rows(_week.weekday, _week.start_minute, _week.end_minute, _week.valid_from, _week.valid_until)
).where(_week.schedule_id == _row.id)
_OVERRIDES = select(json_rows(_day.day, _day.windows)).where(_day.schedule_id == _row.id)


@cache
def _serving(count: int) -> Prepared:
    """The members of so many experts."""
    return Prepared(
        select(_member.c.expert_id, _member.c.role, *_COLUMNS, _WEEKLY.scalar_subquery(), _OVERRIDES.scalar_subquery())
        .join_from(_member, ScheduleRow.__table__, _row.user_id == _member.c.user_id)
        .join(_user, _user.c.id == _member.c.user_id)
        .where(among(_member.c.expert_id, "experts", count), _user.c.active)
        .order_by(_member.c.id)
    )


def serving(db: Session, expert_ids: Iterable[int]) -> Mapping[int, list[Hours]]:
    """The hours of the members of experts who have an account in use and hours of their own, the owner first."""
    members: dict[int, list[Hours]] = defaultdict(list)
    ids = sorted(set(expert_ids))
    if not ids:
        return members
    count = room_for(ids)
    for expert_id, role, *values, weekly, overrides in _serving(count).all(db, spread("experts", ids, count)):
        rules = tuple(
            WeeklyRule(weekday, start, end, _date(first), _date(last)) for weekday, start, end, first, last in weekly
        )
        dates = tuple(
            DayOverride(date.fromisoformat(day), tuple((first, last) for first, last in windows))
            for day, windows in overrides
        )
        of_expert = members[expert_id]
        of_expert.insert(0 if role == "owner" else len(of_expert), Hours(*(*values, rules, dates)))
    return members


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
