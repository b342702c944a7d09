"""Public holidays, from a library that we did not write, as schedules and pages use them."""

from __future__ import annotations

from datetime import date

import pytest

from helpouts.scheduling import holidays

CHRISTMAS = date(2026, 12, 25)


def names(country: str, part: str, language: str, first: date = CHRISTMAS, last: date = CHRISTMAS) -> list[str]:
    return [holiday.name for holiday in holidays.between(country, part, first, last, language)]


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("de", "Erster Weihnachtstag"),
        ("en", "Christmas Day"),
        ("fr", "Christmas Day"),  # the library has no French for Germany
        ("", "Christmas Day"),
    ],
)
def test_a_holiday_is_named_in_the_readers_language_where_the_library_has_it(language: str, name: str) -> None:
    assert names("DE", "", language) == [name]


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    may = (date(2027, 5, 20), date(2027, 5, 31))
    assert names("DE", "BY", "de", *may) == ["Fronleichnam"]
    assert names("DE", "BE", "de", *may) == []


def test_dates_run_over_the_turn_of_the_year_in_order() -> None:
    found = holidays.between("DE", "", date(2026, 12, 20), date(2027, 1, 5), "en")
    assert [holiday.day for holiday in found] == [date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)]


def test_a_choice_holds_for_the_day_on_which_a_holiday_is_observed() -> None:
    fourth = holidays.Closed("US", "", ("Independence Day",))
    plain = holidays.Closed("US")
    for day in (date(2026, 7, 3), date(2026, 7, 4)):  # the 4th is a Saturday: observed on Friday
        assert day.toordinal() in plain
        assert day.toordinal() not in fourth


def test_two_holidays_on_one_date_are_worked_only_when_both_are() -> None:
    day = date(2008, 5, 1)  # Labour Day and Ascension
    first, second = holidays.between("DE", "", day, day, "de")[0].keys
    assert day.toordinal() in holidays.Closed("DE", "", (first,))
    assert day.toordinal() not in holidays.Closed("DE", "", (first, second))


def test_each_holiday_of_the_coming_year_is_there_to_choose_from_once() -> None:
    coming = holidays.coming("DE", "BY", date(2026, 11, 24), "de")
    assert len({holiday.keys for holiday in coming}) == len(coming)
    assert [holiday.day for holiday in coming] == sorted(holiday.day for holiday in coming)
    assert coming[0].name == "Erster Weihnachtstag"


@pytest.mark.parametrize(("country", "part"), [("ZZ", ""), ("DE", "CA"), ("", "")])
def test_what_the_library_does_not_know_is_no_holiday(country: str, part: str) -> None:
    assert names(country, part, "en") == []
    assert CHRISTMAS.toordinal() not in holidays.Closed(country, part)


def test_countries_and_their_parts_have_names() -> None:
    assert ("DE", "Deutschland") in holidays.countries("de")
    assert ("BY", "Bayern") in holidays.subdivisions("DE")
    assert holidays.subdivisions("ZZ") == []


def test_nothing_depends_on_the_language_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    holidays._year.cache_clear()
    monkeypatch.setenv("LANGUAGE", "th")
    monkeypatch.setenv("LANG", "th_TH.UTF-8")
    assert holidays.between("DE", "", CHRISTMAS, CHRISTMAS, "")[0].keys == ("Erster Weihnachtstag",)
    holidays._year.cache_clear()
