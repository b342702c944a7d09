"""Finding listings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from shop import make_expert, make_listing, make_review, make_user
from sqlalchemy import event
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.catalog import queries
from helpouts.catalog.models import Expert
from helpouts.catalog.queries import SearchPage, SearchRequest, search
from helpouts.clock import clock
from helpouts.i18n import use_locale
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.scheduling import changes
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule


def titles(page: SearchPage) -> list[str]:
    return [card.title for card in page.items]


def found(db: Session, q: str = "", **values: object) -> list[str]:
    return titles(search(db, SearchRequest(q=q, **values)))  # type: ignore[arg-type]  # as the tests give them


@pytest.fixture
def stall(db: Session) -> dict[str, Expert]:
    ada = make_expert(db, "Ada Wrench", "repair", "music")
    bo = make_expert(db, "Bo Gear")
    make_listing(
        db,
        ada,
        "True a bicycle wheel",
        summary="Wobbles go away",
        pricing="fixed",
        price_minor=2000,
        languages=["en", "de"],
        fields={"level": "easy", "tools": ["spanner"]},
        rating_sum=50,
        rating_count=10,
    )
    make_listing(
        db,
        bo,
        "Wind a grandfather clock",
        subcategory="clocks",
        description="Also for a wheel that squeaks.",
        pricing="per_minute",
        price_minor=100,
        length_minutes=60,
        fields={"level": "hard", "tools": ["saw", "spanner"], "remote": True},
    )
    make_listing(db, bo, "Brakes for beginners", languages=["de"], fields={"level": "easy", "remote": False})
    make_listing(db, ada, "Play the piano", category="music", subcategory="piano", fields={})
    return {"ada": ada, "bo": bo}  # fmt: skip


def test_without_words_everything_on_sale_is_there_the_best_rated_first(db: Session, stall: object) -> None:
    page = search(db, SearchRequest())
    assert page.total == 4
    assert titles(page)[0] == "True a bicycle wheel"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("wheel", ["True a bicycle wheel", "Wind a grandfather clock"]),
        ("WHEEL", ["True a bicycle wheel", "Wind a grandfather clock"]),
        ("bicycle wheel", ["True a bicycle wheel"]),
        ("wheel  squeaks,", ["Wind a grandfather clock"]),
        ("uhren", ["Wind a grandfather clock"]),
        ("Fahrräder", ["Brakes for beginners", "True a bicycle wheel"]),
        ("ada", ["Play the piano", "True a bicycle wheel"]),
        ("piano", ["Play the piano"]),
        ("zeppelin", []),
        ("wheel' OR 1=1 --", []),
        ("\x00", ["Brakes for beginners", "Play the piano", "True a bicycle wheel", "Wind a grandfather clock"]),
        ("%", ["Brakes for beginners", "Play the piano", "True a bicycle wheel", "Wind a grandfather clock"]),
        ("_", ["Brakes for beginners", "Play the piano", "True a bicycle wheel", "Wind a grandfather clock"]),
        ('"', ["Brakes for beginners", "Play the piano", "True a bicycle wheel", "Wind a grandfather clock"]),
        ("x" * 5000, []),
        ("a " * 500, []),
    ],
)
def test_words_are_found_in_title_text_expert_and_topic(
    db: Session, stall: object, words: str, expected: list[str]
) -> None:
    hits = found(db, words)
    if words.startswith("a "):
        assert hits, "one letter is a word too, and the same word counts once"
    else:
        assert sorted(hits) == expected


def test_a_hit_in_the_title_counts_more_than_one_in_the_text(db: Session, stall: object) -> None:
    assert found(db, "wheel") == ["True a bicycle wheel", "Wind a grandfather clock"]
    assert found(db, "clock") == ["Wind a grandfather clock"]


def test_words_with_other_letters_are_found_whatever_their_case(db: Session, stall: dict[str, Expert]) -> None:
    make_listing(db, stall["bo"], "Übergabe der Räder", slug="uebergabe")
    make_listing(db, stall["bo"], "ÜBEN MIT DEM RAD", slug="ueben")
    assert found(db, "übergabe") == ["Übergabe der Räder"]
    assert found(db, "Üben") == ["ÜBEN MIT DEM RAD"]


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        ({"category": "music"}, {"Play the piano"}),
        ({"category": "repair", "subcategory": "clocks"}, {"Wind a grandfather clock"}),
        ({"price": "free"}, {"Brakes for beginners", "Play the piano"}),
        ({"price": "paid"}, {"True a bicycle wheel", "Wind a grandfather clock"}),
        ({"price_max": 2000}, {"True a bicycle wheel", "Brakes for beginners", "Play the piano"}),
        ({"language": "de"}, {"True a bicycle wheel", "Brakes for beginners"}),
        ({"language": 'de", "en'}, set()),
        ({"rating_min": 4}, {"True a bicycle wheel"}),
        ({"category": "repair", "facets": {"tools": ["saw"]}}, {"Wind a grandfather clock"}),
        ({"category": "repair", "facets": {"tools": ["saw"], "level": ["easy"]}}, set()),
        (
            {"category": "repair", "facets": {"level": ["easy", "hard"]}},
            {"True a bicycle wheel", "Wind a grandfather clock", "Brakes for beginners"},
        ),
        ({"category": "repair", "facets": {"remote": ["yes"]}}, {"Wind a grandfather clock"}),
        ({"category": "repair", "facets": {"years": ["3"]}}, None),
        ({"category": "no-such"}, set()),
        ({"category": "repair", "facets": {"level": ["%"]}}, set()),
    ],
)
def test_filters_narrow_what_is_found(
    db: Session, stall: object, narrowing: dict[str, object], expected: set[str] | None
) -> None:
    page = search(db, SearchRequest(**narrowing))  # type: ignore[arg-type]  # as the tests give them
    if expected is None:  # not a facet: ignored
        expected = {"True a bicycle wheel", "Wind a grandfather clock", "Brakes for beginners"}
    assert set(titles(page)) == expected
    assert page.total == len(expected)


def test_every_option_says_how_many_hits_it_leaves(db: Session, stall: object) -> None:
    page = search(db, SearchRequest(category="repair", facets={"level": ["easy"]}))
    facets = {facet.key: {option.value: option.count for option in facet.options} for facet in page.facets}
    assert facets == {"f_tools": {"spanner": 1}, "f_level": {"easy": 2, "hard": 1}}
    assert {option.value: option.count for option in page.topics} == {"bikes": 2}
    assert {option.value: option.count for option in page.languages} == {"en": 1, "de": 2}
    for value, count in facets["f_level"].items():
        assert search(db, SearchRequest(category="repair", facets={"level": [value]})).total == count
    with use_locale("de"):
        page = search(db, SearchRequest())
        assert [(option.label, option.count) for option in page.fields] == [("Music", 1), ("Reparatur", 3)]


@pytest.mark.parametrize("state", ["draft", "in_review", "declined", "suspended", "retired"])
def test_only_live_listings_are_found(db: Session, expert: Expert, state: str) -> None:
    make_listing(db, expert, "Nobody may see this", state=state)
    page = search(db, SearchRequest(q="nobody"))
    assert (page.total, page.nearest) == (0, ())
    assert queries.featured(db) == []


def test_listings_of_suspended_experts_are_not_found(db: Session, stall: dict[str, Expert]) -> None:
    stall["bo"].state = "suspended"
    assert set(found(db)) == {"True a bicycle wheel", "Play the piano"}


def test_a_category_that_is_switched_off_vanishes_everywhere(db: Session, stall: object, curator: Actor) -> None:
    set_enabled(db, "category_repair", False, curator)
    assert found(db) == found(db, "piano") == ["Play the piano"]
    assert found(db, category="repair") == []
    assert [card.title for card in queries.featured(db)] == ["Play the piano"]
    assert queries.category_counts(db) == {"music": 1}
    assert [tile.slug for tile in queries.category_tiles(db)] == ["music"]
    set_enabled(db, "category_repair", True, curator)
    assert queries.category_counts(db) == {"music": 1, "repair": 3}


def test_sorting_by_price_takes_what_a_session_can_cost(db: Session, stall: object) -> None:
    assert found(db, sort="price", price="paid") == ["True a bicycle wheel", "Wind a grandfather clock"]


def test_many_good_votes_count_more_than_one_perfect_vote(db: Session, expert: Expert) -> None:
    make_listing(db, expert, "One perfect vote", rating_sum=5, rating_count=1)
    make_listing(db, expert, "Many good votes", rating_sum=97, rating_count=20)
    make_listing(db, expert, "One bad vote here", rating_sum=1, rating_count=1)
    assert found(db, sort="rating") == ["Many good votes", "One perfect vote", "One bad vote here"]


def test_sorting_by_the_next_free_time(db: Session, stall: dict[str, Expert]) -> None:
    clock.set(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    save_schedule(db, stall["bo"].owner.id, "UTC", [WeeklyRule(1, 540, 720)])
    save_schedule(db, stall["ada"].owner.id, "UTC", [WeeklyRule(2, 540, 720)])
    page = search(db, SearchRequest(sort="next_free", per_page=3))
    assert set(titles(page)[:2]) == {"Brakes for beginners", "Wind a grandfather clock"}
    assert page.items[0].next_free_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    rest = search(db, SearchRequest(sort="next_free", per_page=3, page=2))
    assert len(rest.items) == 1
    assert {*titles(page), *titles(rest)} == set(found(db))


def test_pages_hold_every_hit_exactly_once(db: Session, expert: Expert) -> None:
    for number in range(23):
        make_listing(db, expert, f"Lesson number {number:02}")
    for sort in queries.SORTS:
        seen: list[str] = []
        for page in range(1, 4):
            answer = search(db, SearchRequest(sort=sort, per_page=10, page=page))
            assert (answer.total, answer.pages, answer.page) == (23, 3, page)
            seen += titles(answer)
        assert len(seen) == len(set(seen)) == 23
    assert search(db, SearchRequest(per_page=10, page=99)).page == 3
    assert search(db, SearchRequest(per_page=10, page=-4)).page == 1


def test_a_search_without_hits_shows_what_comes_nearest(db: Session, stall: object) -> None:
    page = search(db, SearchRequest(q="bicycles in space"))
    assert page.total == 0
    assert page.nearest[0].title == "True a bicycle wheel"
    assert search(db, SearchRequest(q="wheel", language="fr")).nearest, "filters are let go"


@pytest.mark.parametrize("sort", queries.SORTS)
def test_the_number_of_queries_does_not_grow_with_the_hits(db: Session, sort: str) -> None:
    request = SearchRequest(q="lesson", category="repair", sort=sort, per_page=50)
    counts = []
    for size in (2, 40):
        for number in range(size):
            expert = make_expert(db, f"Teacher {size} {number}")
            save_schedule(db, expert.owner.id, "UTC", [WeeklyRule(0, 540, 720)])
            make_listing(db, expert, f"Lesson {size} {number}")
        search(db, request)
        changes.tell(db, {})
        db.expunge_all()
        Registry.forget_flags(db)
        counts.append(_queries(db, lambda: search(db, request)))
        assert len(search(db, request).items) >= size
    assert counts[0] == counts[1] <= 6


def test_the_front_page_quotes_recent_good_reviews(db: Session, stall: dict[str, Expert]) -> None:
    listing = make_listing(db, stall["ada"], "Reviewed many times")
    for stars, text in ((5, "Splendid"), (2, "Meh"), (4, "")):
        make_review(db, listing, make_user(db, f"Maria Klein {stars}"), stars, text)
    hidden = make_review(db, listing, make_user(db, "Paul Hidden"), 5, "Hidden")
    hidden.state = "hidden"
    db.flush()
    [review] = queries.recent_reviews(db, 5)
    assert (review.text, review.author_name, review.listing_url) == ("Splendid", "Maria 5.", f"/l/{listing.slug}")
    assert {r.text for r in queries.reviews_of(db, listing_id=listing.id)} == {"Splendid", "Meh", ""}


def test_cards_say_price_and_length_in_the_visitors_language(db: Session, stall: object) -> None:
    cards = {card.title: card for card in search(db, SearchRequest()).items}
    with use_locale("de"):
        assert cards["True a bicycle wheel"].price_label == "20,00\N{NO-BREAK SPACE}€"
    assert cards["Brakes for beginners"].price_label == "Free"
    assert cards["Wind a grandfather clock"].price_label == "€1.00/min"
    assert cards["Wind a grandfather clock"].length_label == "up to 1 h"
    assert cards["Play the piano"].next_free_label == ""


def _queries(db: Session, work: Callable[[], object]) -> int:
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.get_bind(), "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.get_bind(), "before_cursor_execute", note)
    return len(statements)
