"""Seasonal hours in the hours form."""

from __future__ import annotations

from datetime import date

import pytest
from people import MORNINGS, NOW, person
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.scheduling import forms, seasons, service
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.seasons import Season

TODAY = date(2026, 11, 23)
SUMMER = WeeklyRule(1, 18 * 60, 20 * 60, date(2027, 6, 1), date(2027, 8, 31))


@pytest.fixture(autouse=True)
def monday() -> None:
    clock.set(NOW)


def test_a_season_is_shown_as_it_would_be_typed_and_read_back_the_same(db: Session) -> None:
    ada = person(db, "ada")
    over = WeeklyRule(2, 0, 60, None, date(2026, 11, 22))
    opening = WeeklyRule(0, 480, 1440, date(2026, 12, 1))
    row = service.save_schedule(db, ada.id, "Europe/Berlin", [*MORNINGS, SUMMER, over, opening])
    rows = seasons.shown(row, TODAY)
    assert rows == [
        Season("0", "08:00", "00:00", "2026-12-01", ""),
        Season("1", "18:00", "20:00", "2027-06-01", "2027-08-31"),
    ]
    assert seasons.over(row, TODAY) == [over]
    errors: dict[str, str] = {}
    assert seasons.parse(rows, errors) == [opening, SUMMER]
    assert not errors


def test_empty_rows_are_no_seasons() -> None:
    sent = MultiDict(
        [("season-day", "0"), ("season-from", ""), ("season-to", " "), ("season-first", ""), ("season-last", "")]
    )
    assert seasons.sent(sent) == []


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([Season("1", "18:00", "20:00", "2027-08-31", "2027-06-01")], "season0-dates"),
        ([Season("1", "18:00", "20:00")], "season0-dates"),
        ([Season("1", "18:00", "20:00", "2027-02-30")], "season0-dates"),
        ([Season("1", "18:00", "", "2027-06-01")], "season0-times"),
        ([Season("1", "20:00", "18:00", "2027-06-01")], "season0-times"),
        ([Season("7", "18:00", "20:00", "2027-06-01")], "season0-day"),
        (
            [
                Season("1", "18:00", "20:00", "2027-06-01", "2027-08-31"),
                Season("1", "19:00", "21:00", "2027-08-31", "2027-09-30"),
            ],
            "season1-times",
        ),
        (
            [Season("1", "18:00", "20:00", "", "2027-06-01"), Season("1", "19:59", "21:00", "2027-01-01")],
            "season1-times",
        ),
    ],
)
def test_what_makes_no_sense_is_said_at_its_row(rows: list[Season], name: str) -> None:
    form = forms.HoursForm(seasons=rows, policy={key: str(value) for key, value in service.DEFAULTS.items()})
    with pytest.raises(HelpoutsError):
        forms.parse(form)
    assert list(form.errors) == [name]


@pytest.mark.parametrize(
    "other",
    [
        Season("1", "20:00", "21:00", "2027-06-01", "2027-08-31"),
        Season("2", "18:00", "20:00", "2027-06-01", "2027-08-31"),
        Season("1", "18:00", "20:00", "2027-09-01"),
    ],
)
def test_other_times_days_or_dates_do_not_overlap(other: Season) -> None:
    errors: dict[str, str] = {}
    assert len(seasons.parse([Season("1", "18:00", "20:00", "2027-06-01", "2027-08-31"), other], errors)) == 2
    assert not errors
