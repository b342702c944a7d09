"""The order of hits with words: whatever is looked at first, and however few are wanted, it is the documented one."""

from __future__ import annotations

import random

import pytest
from shop import make_expert, make_listing
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpouts.catalog.models import Listing
from helpouts.catalog.queries import SearchRequest, search
from helpouts.finding import index, ranking, text
from helpouts.finding.models import LISTINGS as L

PLACES = ("title", "summary", "description")
SHARES = (1.0, 0.3, 0.12)


@pytest.fixture
def shelf(db: Session) -> dict[int, float]:
    """Listing with a level of its own to the score that docs/finding.md gives it."""
    chance = random.Random(7)
    expert = make_expert(db, "Ada Wrench")
    texts = {}
    for number in range(40):
        place = chance.randrange(len(PLACES))
        values = {"title": f"Lesson {number}"} | {PLACES[place]: f"A zither {number}"}
        texts[make_listing(db, expert, **values).id] = SHARES[place]
    search(db, SearchRequest())  # which brings the index up to date
    worth = ranking.points(ranking.weights(db))[0]
    scores = {}
    for number, share in texts.items():
        level = chance.randrange(ranking.LEVELS)
        moved = update(L).where(L.c.listing_id == number)
        db.execute(moved.values(position=ranking.position(level, number)))
        scores[number] = round(worth * share) + level
    return scores


@pytest.mark.parametrize(
    ("expected", "rows", "walked"),
    [(1, 40, 4), (100, 100_000, 4), (100, 40, 4), (3, 40, 0)],
    ids=["all-gathered", "best-tier-first", "walked", "walked-in-vain"],
)
def test_the_pages_are_the_whole_order(
    db: Session, shelf: dict[int, float], monkeypatch: pytest.MonkeyPatch, expected: int, rows: int, walked: int
) -> None:
    monkeypatch.setattr(text, "_expected", lambda _db, _groups: ([expected] * len(text.TIERS), rows))
    monkeypatch.setattr(text, "WALKED", walked)
    levels = {number: ranking.level_of(place) for number, place in db.execute(select(L.c.listing_id, L.c.position))}
    wanted = sorted(shelf, key=lambda number: (-shelf[number], -levels[number], number))
    for size in (1, 3, 7):
        pages = [
            search(db, SearchRequest(q="zither", per_page=size, page=page)) for page in range(1, -(-40 // size) + 1)
        ]
        assert [card.id for page in pages for card in page.items] == wanted


def test_a_worse_place_wins_where_its_level_makes_up_for_it_and_then_wins_a_tie(db: Session) -> None:
    expert = make_expert(db, "Ada Wrench")
    title = make_listing(db, expert, "Zither")
    summary = make_listing(db, expert, "Lesson", summary="Zither")
    search(db, SearchRequest())
    points = ranking.points(ranking.weights(db))
    gap = points[0] - points[4]
    for ahead, first in ((-1, title), (0, summary), (1, summary)):
        for listing, level in ((title, 20), (summary, 20 + gap + ahead)):
            moved = update(L).where(L.c.listing_id == listing.id)
            db.execute(moved.values(position=ranking.position(level, listing.id)))
        assert search(db, SearchRequest(q="zither", per_page=1)).items[0].id == first.id, ahead


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_after_a_rebuild_postgresql_expects_as_many_hits_as_there_are(db: Session, shelf: dict[int, float]) -> None:
    assert index.rebuild(db) == 40
    expected, rows = text._expected(db, (frozenset({"zither"}),))
    titles = sum(1 for (title,) in db.execute(select(Listing.title)) if "zither" in title)
    assert (expected[0], rows) == (titles, 40)
