"""Terms: folded, stemmed, marked with their place; nothing that is typed makes them fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpouts.finding import words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("printers", "printer"),
        ("Fahrräder", "Fahrrad"),
        ("Gerät", "Geraet"),
        ("Gerät", "gerat"),
        ("Küche", "KUECHE"),
        ("einrichten", "Einrichtung"),
        ("Straße", "STRASSE"),
        ("café", "cafe"),
        ("running", "run"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert set(words.stems(*words.split(one))) & set(words.stems(*words.split(other)))


@pytest.mark.parametrize(("one", "other"), [("printer", "pointer"), ("Schuh", "Schule"), ("garden", "guitar")])
def test_different_words_share_none(one: str, other: str) -> None:
    assert not set(words.stems(one.lower())) & set(words.stems(other.lower()))


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("ruter", "router", 1),
        ("druker", "drucker", 1),
        ("wirless", "wireless", 1),
        ("teh", "the", 1),
        ("ab", "xyzzy", 3),
    ],
)
def test_slips_are_counted(one: str, other: str, slips: int) -> None:
    assert words.distance(one, other, 2) == words.distance(other, one, 2) == slips


def test_a_term_tells_the_best_place_of_its_stem() -> None:
    terms, written = words.terms({"title": ["The router"], "description": ["Routers and Geräte"]})
    found = terms.split()
    assert {"1router", "6gerat"} <= set(found)
    assert "6router" not in found
    assert written == {"router": "router", "routers": "routers", "gerate": "geräte"}


@given(st.text(max_size=300))
def test_whatever_is_typed_becomes_terms_of_letters_and_digits(text: str) -> None:
    for word in words.asked(text):
        for stem in words.stems(word):
            term = words.term(0, stem)
            assert term.isascii()
            assert term.isalnum()


@pytest.mark.parametrize("text", ["", "   ", "the und", '"" AND OR NOT ( * :', "\x00", "🙂"])
def test_what_says_nothing_asks_for_nothing(text: str) -> None:
    assert words.asked(text) in ([], ["not"])
