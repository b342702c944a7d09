"""What an expert may say about their time, rule by rule, on days without surprises."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from helpouts.errors import HelpoutsError
from helpouts.scheduling.engine import free_slots, free_windows, with_buffers
from helpouts.scheduling.rules import DayOverride, Schedule, SlotPolicy, WeeklyRule
from helpouts.scheduling.zones import to_minute

#: Tuesday; the schedule below is in UTC, so that the minutes can be read
TUESDAY = to_minute(datetime(2026, 11, 24, tzinfo=UTC))
MORNINGS = tuple(WeeklyRule(weekday, 9 * 60, 12 * 60) for weekday in range(7))
SCHEDULE = Schedule("UTC", MORNINGS)


def times(
    policy: SlotPolicy,
    busy: list[tuple[int, int]] | None = None,
    schedule: Schedule = SCHEDULE,
    now: int = -1440,
    days: int = 1,
) -> list[str]:
    """Starts from Tuesday on, as "09:00" with "+1" for each day later; busy and now in minutes from Tuesday 00:00."""
    taken = [(TUESDAY + start, TUESDAY + end) for start, end in busy or []]
    found = free_slots(schedule, policy, taken, TUESDAY, TUESDAY + days * 1440, TUESDAY + now)
    marks = [minute - TUESDAY for minute in found]
    return [f"{m % 1440 // 60:02}:{m % 60:02}" + (f"+{m // 1440}" if m >= 1440 else "") for m in marks]


def test_the_last_session_ends_when_the_work_does() -> None:
    assert times(SlotPolicy(60, 30)) == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_a_session_longer_than_the_window_does_not_fit() -> None:
    assert times(SlotPolicy(181)) == []
    assert times(SlotPolicy(180)) == ["09:00"]


def test_starts_keep_to_the_clock_even_if_the_work_begins_at_an_odd_minute() -> None:
    odd = Schedule("UTC", (WeeklyRule(1, 9 * 60 + 10, 10 * 60 + 10),))
    assert times(SlotPolicy(30, 15), schedule=odd) == ["09:15", "09:30"]


def test_a_booking_takes_exactly_its_time() -> None:
    busy = [(10 * 60, 10 * 60 + 30)]
    assert times(SlotPolicy(30, 15), busy) == [
        "09:00", "09:15", "09:30", "10:30", "10:45", "11:00", "11:15", "11:30",
    ]  # fmt: skip


def test_a_booking_at_an_odd_second_still_keeps_its_minutes() -> None:
    assert times(SlotPolicy(30, 30), [(9 * 60 + 30, 9 * 60 + 31)]) == ["09:00", "10:00", "10:30", "11:00", "11:30"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0, 0, ["09:00", "09:30", "10:30", "11:00", "11:30"]),
        (15, 0, ["09:00", "09:30", "11:00", "11:30"]),
        (0, 15, ["09:00", "10:30", "11:00", "11:30"]),
        (30, 30, ["09:00", "11:00", "11:30"]),
        (31, 31, ["11:30"]),
    ],
)
def test_buffers_keep_other_commitments_away_but_not_the_edges_of_the_day(
    before: int, after: int, expected: list[str]
) -> None:
    assert times(SlotPolicy(30, 30, buffer_before=before, buffer_after=after), [(600, 630)]) == expected


def test_a_commitment_of_no_length_takes_no_time_and_has_no_buffers() -> None:
    assert times(SlotPolicy(60, 60, buffer_before=30, buffer_after=30), [(600, 600)]) == ["09:00", "10:00", "11:00"]


def test_buffers_of_earlier_bookings_are_added_by_the_caller() -> None:
    busy = with_buffers([(600, 630)], before=0, after=30)
    assert times(SlotPolicy(30, 30), busy) == ["09:00", "09:30", "11:00", "11:30"]


def test_busy_time_may_overlap_repeat_and_come_in_any_order() -> None:
    busy = [(660, 720), (500, 570), (500, 600), (520, 530), (600, 600), (660, 720)]
    assert times(SlotPolicy(30, 30), busy) == ["10:00", "10:30"]


def test_notice_counts_from_now_to_the_minute() -> None:
    policy = SlotPolicy(30, 30, minimum_notice_minutes=60)
    assert times(policy, now=9 * 60)[0] == "10:00"
    assert times(policy, now=9 * 60 + 1)[0] == "10:30"


def test_the_horizon_counts_from_now_to_the_minute() -> None:
    policy = SlotPolicy(60, 60, horizon_days=1)
    assert times(policy, now=10 * 60, days=5) == ["10:00", "11:00", "09:00+1", "10:00+1"]


def test_nothing_is_offered_beyond_the_horizon_or_backwards() -> None:
    assert times(SlotPolicy(30, horizon_days=1), now=-3 * 1440) == []
    assert free_slots(SCHEDULE, SlotPolicy(30), [], TUESDAY + 10, TUESDAY, TUESDAY) == []
    assert free_windows(SCHEDULE, [], TUESDAY, TUESDAY) == []


def test_an_override_replaces_the_day() -> None:
    changed = Schedule("UTC", MORNINGS, (DayOverride(date(2026, 11, 24), ((1080, 1140), (840, 900))),))
    assert times(SlotPolicy(60, 60), schedule=changed, days=2) == ["14:00", "18:00", "09:00+1", "10:00+1", "11:00+1"]


def test_an_override_without_windows_is_a_day_off() -> None:
    off = Schedule("UTC", MORNINGS, (DayOverride(date(2026, 11, 24)),))
    assert times(SlotPolicy(60, 60), schedule=off) == []


def test_seasons_hold_from_the_first_to_the_last_day() -> None:
    season = Schedule(
        "UTC",
        tuple(WeeklyRule(day, 540, 600, date(2026, 11, 25), date(2026, 11, 26)) for day in range(7))
        + tuple(WeeklyRule(day, 600, 660, valid_until=date(2026, 11, 24)) for day in range(7)),
    )
    assert times(SlotPolicy(60, 60), schedule=season, days=4) == ["10:00", "09:00+1", "09:00+2"]


def test_work_over_midnight_is_one_stretch() -> None:
    night = Schedule("UTC", (WeeklyRule(1, 1380, 1440), WeeklyRule(2, 0, 60)))
    assert times(SlotPolicy(90, 30), schedule=night, days=1) == ["23:00", "23:30"]


def test_overlapping_rules_are_one_stretch() -> None:
    twice = Schedule("UTC", (WeeklyRule(1, 540, 660), WeeklyRule(1, 600, 720), WeeklyRule(1, 560, 570)))
    assert free_windows(twice, [], TUESDAY, TUESDAY + 1440) == [(TUESDAY + 540, TUESDAY + 720)]


def test_windows_are_clipped_to_what_was_asked() -> None:
    assert free_windows(SCHEDULE, [(TUESDAY + 600, TUESDAY + 610)], TUESDAY + 570, TUESDAY + 650) == [
        (TUESDAY + 570, TUESDAY + 600),
        (TUESDAY + 610, TUESDAY + 650),
    ]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: WeeklyRule(7, 0, 60), "weekday"),
        (lambda: WeeklyRule(0, 60, 60), "end_minute"),
        (lambda: WeeklyRule(0, -1, 60), "end_minute"),
        (lambda: WeeklyRule(0, 0, 1441), "end_minute"),
        (lambda: WeeklyRule(0, 0, 60, date(2027, 1, 2), date(2027, 1, 1)), "valid_until"),
        (lambda: DayOverride(date(2027, 1, 1), ((60, 30),)), "end_minute"),
        (lambda: Schedule("Europe/Nowhere"), "zone"),
        (lambda: Schedule("../etc/passwd"), "zone"),
        (lambda: Schedule(""), "zone"),
        (lambda: Schedule("Europe"), "zone"),
        (lambda: Schedule("UTC", (), (DayOverride(date(2027, 1, 1)), DayOverride(date(2027, 1, 1)))), "day"),
        (lambda: SlotPolicy(0), "length_minutes"),
        (lambda: SlotPolicy(30, 0), "step_minutes"),
        (lambda: SlotPolicy(30, 50), "step_minutes"),
        (lambda: SlotPolicy(30, buffer_before=-1), "buffer_before"),
        (lambda: SlotPolicy(30, buffer_after=-1), "buffer_after"),
        (lambda: SlotPolicy(30, minimum_notice_minutes=-1), "minimum_notice_minutes"),
        (lambda: SlotPolicy(30, horizon_days=0), "horizon_days"),
    ],
)
def test_nonsense_is_refused_with_the_field_that_holds_it(make: object, field: str) -> None:
    with pytest.raises(HelpoutsError) as refused:
        make()  # type: ignore[operator]
    assert refused.value.field == field
