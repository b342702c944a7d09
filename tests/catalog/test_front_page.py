"""What the front page chooses from all that is on sale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from shop import make_expert, make_listing
from sqlalchemy.orm import Session

from helpouts.catalog import queries
from helpouts.clock import clock
from helpouts.finding.search import soonest
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule

#: A Monday.
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def monday() -> None:
    clock.set(NOW)


def offer(db: Session, title: str, weekday: int, hour: int, stars: int = 0) -> None:
    """Something that is given on one day of the week, from an hour on."""
    expert = make_expert(db, f"Expert of {title}")
    save_schedule(db, expert.owner.id, "UTC", [WeeklyRule(weekday, hour * 60, hour * 60 + 120)])
    make_listing(db, expert, title, rating_sum=stars * 20, rating_count=20 if stars else 0)


def test_the_best_of_those_who_are_free_within_a_day_come_by_their_time(db: Session) -> None:
    offer(db, "Poor, but at once", 0, 8, stars=1)
    offer(db, "Good, in the evening", 0, 20, stars=5)
    offer(db, "Good, at noon", 0, 12, stars=5)
    offer(db, "Best, on Friday", 4, 8, stars=5)
    assert [card.title for card in soonest(db, 2)] == ["Good, at noon", "Good, in the evening"]
    assert [card.title for card in soonest(db, 3)] == ["Poor, but at once", "Good, at noon", "Good, in the evening"]


def test_later_ones_fill_up_and_those_without_time_are_left_out(db: Session) -> None:
    offer(db, "On Friday", 4, 8)
    offer(db, "Today", 0, 20)
    make_listing(db, make_expert(db, "Nobody's hours"), "Never")
    cards = soonest(db, 6)
    assert [card.title for card in cards] == ["Today", "On Friday"]
    assert [card.next_free_at for card in cards] == [NOW + timedelta(hours=13), NOW + timedelta(days=4, hours=1)]


def test_nobody_counts_for_long(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        offer(db, f"Number {number}", 0, 8)
    monkeypatch.setattr(queries, "MOST_COUNTED", 3)
    assert [(tile.listing_count, tile.many) for tile in queries.category_tiles(db) if tile.slug == "repair"] == [
        (3, False)
    ]
    monkeypatch.setattr(queries, "MOST_COUNTED", 2)
    assert [(tile.listing_count, tile.many) for tile in queries.category_tiles(db) if tile.slug == "repair"] == [
        (2, True)
    ]
