"""Slots as the viewer reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from helpouts.i18n import use_locale
from helpouts.scheduling.display import group_by_day, long_day_label
from helpouts.scheduling.zones import to_minute


def minutes(*instants: str) -> list[int]:
    return [to_minute(datetime.fromisoformat(instant).replace(tzinfo=UTC)) for instant in instants]


def test_slots_are_grouped_by_the_date_of_the_viewer() -> None:
    with use_locale("de"):
        days = group_by_day(minutes("2026-11-24T14:30", "2026-11-24T15:30"), "Asia/Tokyo")
    assert [(day.date, [slot.label for slot in day.slots]) for day in days] == [
        (date(2026, 11, 24), ["23:30"]),
        (date(2026, 11, 25), ["00:30"]),
    ]
    assert days[1].slots[0].value == "2026-11-24T15:30:00Z"


@pytest.mark.parametrize(
    ("locale", "label", "full"),
    [
        ("en", "Tuesday, November 24", "Tuesday, November 24, 2026"),
        ("de", "Dienstag, 24. November", "Dienstag, 24. November 2026"),
    ],
)
def test_dates_are_written_in_the_language_in_force(locale: str, label: str, full: str) -> None:
    with use_locale(locale):
        assert group_by_day(minutes("2026-11-24T09:00"), "UTC")[0].label == label
        assert long_day_label(date(2026, 11, 24)) == full


def test_the_hour_that_comes_twice_is_told_apart_and_only_that_one() -> None:
    asked = minutes("2027-10-30T23:30", "2027-10-31T00:30", "2027-10-31T01:30", "2027-10-31T02:00")
    with use_locale("de"):
        (day,) = group_by_day(asked, "Europe/Berlin")
    assert [slot.label for slot in day.slots] == ["01:30", "02:30 CEST", "02:30 CET", "03:00"]


def test_zones_without_names_show_their_offset() -> None:
    with use_locale("de"):
        (day,) = group_by_day(minutes("2027-04-03T14:45", "2027-04-03T15:15"), "Australia/Lord_Howe")
    assert [slot.label for slot in day.slots] == ["01:45 UTC+11", "01:45 UTC+10:30"]


def test_no_time_is_marked_on_the_day_an_hour_is_left_out() -> None:
    with use_locale("de"):
        (day,) = group_by_day(minutes("2027-03-28T00:30", "2027-03-28T01:00"), "Europe/Berlin")
    assert [slot.label for slot in day.slots] == ["01:30", "03:00"]


def test_taken_slots_are_shown_but_cannot_be_chosen() -> None:
    first, second = minutes("2026-11-24T09:00", "2026-11-24T10:00")
    (day,) = group_by_day([first, second], "UTC", taken={second})
    assert [slot.disabled for slot in day.slots] == [False, True]


def test_the_zone_of_the_request_is_the_default() -> None:
    with use_locale("de", "Asia/Kolkata"):
        (day,) = group_by_day(minutes("2026-11-24T09:00"))
    assert day.slots[0].label == "14:30"
