"""The week page's own arithmetic, and changes of hours made by pointing at them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError
from helpouts.scheduling import service, week
from helpouts.scheduling.axis import Axis, change_on
from helpouts.scheduling.engine import working_windows
from helpouts.scheduling.rules import DayOverride, Schedule, WeeklyRule
from helpouts.scheduling.zones import from_minute, to_minute

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)
NEXT_TUESDAY = date(2026, 12, 1)
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ada(db: Session) -> User:
    """Works 09:00 to 12:00 from Monday to Friday in Berlin."""
    clock.set(NOW)
    user = User(email="ada@example.org", name="Ada", zone="Europe/Berlin")
    db.add(user)
    db.flush()
    service.save_schedule(db, user.id, "Europe/Berlin", [WeeklyRule(day, 540, 720) for day in range(5)])
    return user


def change(**values: object) -> week.Change:
    made = week.Change(version=1, day=TUESDAY, old=(540, 720), new_day=TUESDAY, new=(540, 720), every_week=True)
    return replace(made, **values)  # type: ignore[arg-type]  # the fields of Change


def hours(db: Session, user: User, day: date) -> list[tuple[int, int]]:
    return list(service.to_schedule(service.schedule_of(db, user.id)).windows_on(day.toordinal()))


def test_hours_of_every_week_change_on_that_weekday_alone(db: Session, ada: User) -> None:
    week.change_hours(db, ada.id, change(new=(600, 780)))
    assert hours(db, ada, TUESDAY) == hours(db, ada, NEXT_TUESDAY) == [(600, 780)]
    assert hours(db, ada, WEDNESDAY) == [(540, 720)]


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("made", "first", "second", "later"),
    [
        ({"new": (600, 780), "every_week": False}, [(600, 780)], [(540, 720)], [(540, 720)]),
        ({"old": None, "new": (840, 900), "every_week": False}, [(540, 720), (840, 900)], [(540, 720)], [(540, 720)]),
        ({"old": None, "new": (720, 780)}, [(540, 780)], [(540, 720)], [(540, 780)]),  # what touches is joined
        ({"new": None}, [], [(540, 720)], []),
        ({"new": None, "every_week": False}, [], [(540, 720)], [(540, 720)]),
        ({"new_day": WEDNESDAY, "new": (900, 960), "every_week": False}, [], [(540, 720), (900, 960)], [(540, 720)]),
        ({"new_day": WEDNESDAY, "new": (900, 960)}, [], [(540, 720), (900, 960)], []),
    ],
)
def test_what_a_change_means_for_that_day_the_next_and_the_next_week(
    db: Session, ada: User, made: dict[str, object], first: object, second: object, later: object
) -> None:
    week.change_hours(db, ada.id, change(**made))
    assert (hours(db, ada, TUESDAY), hours(db, ada, WEDNESDAY), hours(db, ada, NEXT_TUESDAY)) == (first, second, later)


def test_two_windows_never_overwrite_each_other_unseen(db: Session, ada: User) -> None:
    week.change_hours(db, ada.id, change(new=(600, 720)))
    with pytest.raises(Conflict, match="another window"):
        week.change_hours(db, ada.id, change(new=(480, 720)))
    assert hours(db, ada, TUESDAY) == [(600, 720)]


@ONLY_SQLITE
@pytest.mark.parametrize(
    "made",
    [
        {"day": date(2026, 11, 22), "old": None, "new_day": date(2026, 11, 22)},  # yesterday
        {"new_day": date(2026, 11, 20)},  # into the past
        {"old": (541, 720)},  # hours that are not there
        {"old": (541, 720), "every_week": False},
        {"new": (540, 542)},  # too short
        {"new": (700, 600)},
        {"new": (-30, 600)},
        {"new": (1400, 1500)},
    ],
)
def test_a_change_that_makes_no_sense_is_refused(db: Session, ada: User, made: dict[str, object]) -> None:
    with pytest.raises(HelpoutsError):
        week.change_hours(db, ada.id, change(**made))


@ONLY_SQLITE
def test_hours_of_a_season_stay_its_hours(db: Session, ada: User) -> None:
    summer = WeeklyRule(1, 540, 720, date(2026, 11, 1), date(2026, 11, 30))
    service.save_schedule(db, ada.id, "Europe/Berlin", [summer])
    week.change_hours(db, ada.id, change(version=2, new=(600, 780)))
    assert hours(db, ada, TUESDAY) == [(600, 780)]
    assert hours(db, ada, NEXT_TUESDAY) == []


@ONLY_SQLITE
def test_a_date_follows_the_week_again_and_a_change_can_be_taken_back(db: Session, ada: User) -> None:
    _row, before = week.change_hours(db, ada.id, change(new=(600, 780), every_week=False))
    week.usual_hours(db, ada.id, 2, TUESDAY)
    assert hours(db, ada, TUESDAY) == [(540, 720)]
    week.change_hours(db, ada.id, change(version=3, new=None))
    week.go_back(db, ada.id, 4, before)
    assert hours(db, ada, TUESDAY) == [(540, 720)]


BACK, FORWARD = date(2027, 10, 31), date(2027, 3, 28)


def days_of(day: date) -> list[date]:
    return [day - timedelta(days=6 - n) for n in range(7)]


def test_a_week_with_a_repeated_hour_is_an_hour_longer_on_that_day_alone() -> None:
    axis = Axis.of("Europe/Berlin", days_of(BACK))
    assert axis.length == 1500
    assert (axis.place(150), axis.place(150, 1), axis.place(180)) == (150, 210, 240)
    assert axis.nothing(BACK - timedelta(days=1)) == [(180, 240)]
    assert axis.nothing(BACK) == []
    change = change_on("Europe/Berlin", BACK)
    assert change is not None
    assert change.names == ("CEST", "CET")


def test_the_hour_left_out_is_empty_on_that_day_alone() -> None:
    axis = Axis.of("Europe/Berlin", days_of(FORWARD))
    assert axis.length == 1440
    assert axis.nothing(FORWARD) == [(120, 180)]
    assert axis.nothing(FORWARD - timedelta(days=1)) == []
    assert axis.window(FORWARD, (130, 170)) is None
    assert axis.window(FORWARD, (130, 300)) == (180, 300)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"])
@pytest.mark.parametrize("window", [(0, 1440), (60, 120), (60, 150), (120, 180), (90, 200), (540, 1020), (1380, 1440)])
def test_hours_are_drawn_where_the_engine_has_them(zone: str, window: tuple[int, int]) -> None:
    """Over a year: what is drawn of a window is exactly what the instants of the engine's window are drawn as."""
    for week_number in range(53):
        days = [date(2027, 1, 1) + timedelta(days=7 * week_number + n) for n in range(7)]
        axis = Axis.of(zone, days)
        if not axis.changes:
            continue
        for day in days:
            start = datetime.combine(day, datetime.min.time(), UTC) - timedelta(hours=24)
            schedule = Schedule(zone, (), (DayOverride(day, (window,)),))
            worked = working_windows(schedule, to_minute(start), to_minute(start) + 4320)
            drawn = axis.window(day, window)
            expected = axis.span(day, from_minute(worked[0][0]), from_minute(worked[0][1])) if worked else None
            assert drawn == expected, day
