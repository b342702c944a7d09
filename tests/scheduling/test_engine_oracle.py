"""Random weeks in many zones, minute by minute against :mod:`oracle`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import oracle
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpouts.scheduling.engine import free_slots, free_windows
from helpouts.scheduling.rules import Caps, DayOverride, Schedule, SlotPolicy, TimeOff, WeeklyRule
from helpouts.scheduling.zones import to_minute

#: zone and a date near which its clocks change (or did); the last ones never change
ZONES = {
    "Europe/Berlin": "2027-10-31",
    "Europe/London": "2027-03-28",
    "Europe/Dublin": "2027-10-31",
    "America/New_York": "2027-03-14",
    "America/St_Johns": "2027-11-07",
    "America/Havana": "2027-11-07",
    "America/Santiago": "2027-04-03",
    "America/Sao_Paulo": "2019-02-17",
    "Atlantic/Azores": "2027-10-31",
    "Africa/Cairo": "2027-04-30",
    "Africa/Casablanca": "2027-02-07",
    "Asia/Beirut": "2027-03-28",
    "Asia/Jerusalem": "2027-10-31",
    "Australia/Lord_Howe": "2027-04-04",
    "Australia/Adelaide": "2027-10-03",
    "Pacific/Chatham": "2027-04-04",
    "Pacific/Apia": "2011-12-30",
    "Antarctica/Troll": "2027-03-28",
    "Asia/Kolkata": "2026-11-24",
    "Asia/Kathmandu": "2026-11-24",
}


Span = tuple[int, int]


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int]:
    """Mostly round hours, sometimes odd minutes, often near midnight or the night hours in which clocks change."""
    grid = draw(st.sampled_from([1, 5, 15, 30, 60]))
    start = draw(st.integers(0, 1439 // grid)) * grid
    end = draw(st.integers(start // grid + 1, 1440 // grid)) * grid
    return start, end


@st.composite
def weeks(draw: st.DrawFn, zone: str) -> tuple[Schedule, SlotPolicy, list[Span], int, int, int, list[Span]]:
    change = date.fromisoformat(ZONES[zone])
    few = st.integers(0, 2)
    near = st.integers(-4, 4).map(lambda days: change + timedelta(days))
    rule = st.builds(
        lambda weekday, window, since, days: WeeklyRule(
            weekday, *window, since, since + timedelta(days) if since and days is not None else None
        ),
        st.integers(0, 6),
        windows(),
        st.none() | near,
        st.none() | st.integers(0, 5),
    )
    override = st.builds(DayOverride, near, st.lists(windows(), max_size=2).map(tuple))
    schedule = Schedule(
        zone,
        tuple(draw(st.lists(rule, min_size=3, max_size=14))),
        tuple(draw(st.lists(override, max_size=2, unique_by=lambda changed: changed.day))),
        tuple(
            draw(
                st.lists(st.builds(lambda first, days: TimeOff(first, first + timedelta(days)), near, few), max_size=1)
            )
        ),
        frozenset(day.toordinal() for day in draw(st.lists(near, max_size=2))),
    )
    noon = to_minute(datetime(change.year, change.month, change.day, 12, tzinfo=ZoneInfo(zone)))
    start = noon + draw(st.integers(-3 * 1440, 0))
    end = start + draw(st.integers(1, 4 * 1440))
    busy = draw(
        st.lists(
            st.tuples(st.integers(start - 600, end + 600), st.integers(0, 300)).map(lambda b: (b[0], b[0] + b[1])),
            max_size=12,
        )
    )
    policy = SlotPolicy(
        length_minutes=draw(st.sampled_from([1, 15, 20, 30, 45, 60, 90, 150])),
        step_minutes=draw(st.sampled_from([1, 5, 15, 20, 30, 45, 60, 240])),
        buffer_before=draw(st.sampled_from([0, 0, 5, 30])),
        buffer_after=draw(st.sampled_from([0, 0, 10, 45])),
        minimum_notice_minutes=draw(st.sampled_from([0, 0, 60, 1440])),
        horizon_days=draw(st.sampled_from([1, 2, 60])),
        caps=Caps(
            draw(st.sampled_from([None, None, 1, 2])),
            draw(st.sampled_from([None, None, 2, 4])),
            draw(st.sampled_from([None, None, 60, 200])),
            draw(st.sampled_from([None, None, 300, 600])),
        ),
    )
    session = st.tuples(st.integers(start - 6 * 1440, end + 6 * 1440), st.sampled_from([15, 30, 60]))
    given = draw(st.lists(session.map(lambda b: (b[0], b[0] + b[1])), max_size=8))
    return schedule, policy, busy, start, end, start + draw(st.integers(-1500, 1500)), given


@pytest.mark.parametrize("zone", ZONES)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking with so slow an oracle takes minutes
)
@given(data=st.data())
def test_the_engine_agrees_with_every_minute_on_the_wall(zone: str, data: st.DataObject) -> None:
    schedule, policy, busy, start, end, now, given = data.draw(weeks(zone))
    found = free_slots(schedule, policy, busy, start, end, now, given)
    assert found == oracle.slots(schedule, policy, busy, start, end, now, given)

    taken = {minute for since, until in busy for minute in range(since, until)}
    free = free_windows(schedule, busy, start, end)
    minutes = [minute for since, until in free for minute in range(since, until)]
    assert minutes == sorted(oracle.working_minutes(schedule, start, end) - taken)
    assert all(before[1] < after[0] for before, after in pairwise(free)), "merged"


def test_the_oracle_itself_knows_a_plain_day() -> None:
    schedule = Schedule("Europe/Berlin", (WeeklyRule(1, 540, 600),))
    day = to_minute(datetime(2026, 11, 24, tzinfo=UTC))
    assert oracle.slots(schedule, SlotPolicy(30, 15), [], day, day + 1440, day) == [day + 480, day + 495, day + 510]
