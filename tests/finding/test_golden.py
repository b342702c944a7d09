"""Queries and what they must find, the same on both databases."""

from __future__ import annotations

import pytest
from shop import make_expert, make_listing
from sqlalchemy.orm import Session

from helpouts.catalog.queries import SearchRequest, search


@pytest.fixture
def shelf(db: Session) -> None:
    ada = make_expert(db, "Ada Wrench", headline="Calm and patient")
    bo = make_expert(db, "Bo Gear", headline="Quick")
    for expert, title, values in (
        (ada, "Set up your wireless router", {"summary": "From the box to a safe network"}),
        (ada, "Drucker einrichten", {"description": "Wir bringen Ihr Gerät zum Laufen."}),
        (bo, "Mend a laser printer", {"description": "Paper jams and streaks"}),
        (bo, "Laserdrucker reinigen", {}),
        (bo, "Fahrrad reparieren", {"subcategory": "bikes"}),
        (bo, "Sew a curtain", {"description": "Needs a router table? No."}),
        (ada, "Learn the piano", {"category": "music", "subcategory": "piano"}),
        (bo, "हिन्दी बातचीत", {"category": "music", "subcategory": "piano"}),
    ):
        values = {"subcategory": "clocks"} | values
        make_listing(db, expert, title, slug=title.lower().replace(" ", "-")[:30] + str(len(title)), **values)


@pytest.mark.parametrize(
    ("query", "first", "others"),
    [
        ("router", "Set up your wireless router", {"Sew a curtain"}),
        ("wirless ruter", "Set up your wireless router", set()),
        ("routers wireless", "Set up your wireless router", set()),
        ("printers", "Mend a laser printer", set()),
        ("the printer of the", "Mend a laser printer", set()),
        ("druker einrichten", "Drucker einrichten", set()),
        ("Drucker", "Drucker einrichten", {"Laserdrucker reinigen"}),
        ("drucker einricht", "Drucker einrichten", set()),
        ("einrichtung", "Drucker einrichten", set()),
        ("geraet", "Drucker einrichten", set()),
        ("GERAT", "Drucker einrichten", set()),
        ("Fahrradreparatur", "Fahrrad reparieren", set()),
        ("wirel", "Set up your wireless router", set()),
        ("curt", "Sew a curtain", set()),
        ("paino", "Learn the piano", None),
        ("klavier piano", None, None),
        ("हिन्दी", "हिन्दी बातचीत", set()),
        ("zeppelin", None, None),
    ],
)
def test_a_query_finds_what_it_means(
    db: Session, shelf: None, query: str, first: str | None, others: set[str] | None
) -> None:
    found = [card.title for card in search(db, SearchRequest(q=query)).items]
    assert found[:1] == ([first] if first else [])
    if others is not None:
        assert set(found[1:]) == others


def test_a_slip_is_mended_and_said(db: Session, shelf: None) -> None:
    page = search(db, SearchRequest(q="wirless ruter"))
    assert (page.total, page.suggestion) == (1, "wireless router")
    assert search(db, SearchRequest(q="wireless router")).suggestion == ""
    assert search(db, SearchRequest(q="zeppelin")).suggestion == ""


@pytest.mark.parametrize(
    "query",
    ['"', "'", "a'b", '"router', "router*", "(router", "NEAR(router)", "AND", "title:router", "^router", "router & !",
     "\x00router", "r" * 10_000, "wort " * 2_000, "%_%", "🙂", "{", "\\", "1 << 2", "<->", "-router", "\ud7ff\uffff"],
)  # fmt: skip
def test_no_query_raises(db: Session, shelf: None, query: str) -> None:
    page = search(db, SearchRequest(q=query, sort="relevance"))
    assert page.total >= len(page.items) >= 0


def test_places_count_in_their_order(db: Session) -> None:
    texts = {
        "title": {"title": "Zither for you"},
        "expert": {},
        "summary": {"summary": "With a zither"},
        "description": {"description": "And the zither, too"},
    }
    for place, values in texts.items():
        expert = make_expert(db, f"Person {place}", headline="Zither" if place == "expert" else "Nothing")
        make_listing(db, expert, **({"title": f"Lesson {place}"} | values))
    found = [card.title for card in search(db, SearchRequest(q="zither")).items]
    assert found == ["Zither for you", "Lesson expert", "Lesson summary", "Lesson description"]


def test_what_comes_nearest_says_what_was_let_go(db: Session, shelf: None) -> None:
    page = search(db, SearchRequest(q="router", price_min=99_900))
    assert (page.total, page.relaxed) == (0, ("price_min",))
    assert page.nearest[0].title == "Set up your wireless router"
    page = search(db, SearchRequest(q="router", language="fr", rating_min=4))
    assert page.relaxed == ("language", "rating_min")
    page = search(db, SearchRequest(q="router piano"))
    assert page.relaxed == ("q",)
    assert {"Set up your wireless router", "Learn the piano"} <= {card.title for card in page.nearest}
    assert page.relaxed_label
