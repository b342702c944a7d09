"""What a listing may say."""

from __future__ import annotations

from typing import Any

import pytest
from shop import good_values, make_expert
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.catalog.models import Expert
from helpouts.catalog.service import create_listing
from helpouts.errors import HelpoutsError
from helpouts.plugins.service import set_enabled


def test_a_good_listing_is_kept_as_a_draft(db: Session, expert: Expert, author: Actor) -> None:
    listing = create_listing(db, expert, good_values(), author)
    assert (listing.state, listing.price_minor, listing.languages) == ("draft", 2500, ["en", "de"])
    assert listing.slug == "fix-your-bicycle-brakes"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "Short"}, "title"),
        ({"title": "   a   b   "}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": None}, "title"),
        ({"title": 7}, "title"),
        ({"title": "A title with \x00 in it"}, "title"),
        ({"title": "A title with \ud800 in it"}, "title"),
        ({"summary": "s" * 201}, "summary"),
        ({"description": "too short"}, "description"),
        ({"description": "d" * 6001}, "description"),
        ({"requirements": "r" * 2001}, "requirements"),
        ({"category": ""}, "category"),
        ({"category": "unheard-of"}, "category"),
        ({"category": "music"}, "category"),
        ({"category": ["repair"]}, "category"),
        ({"subcategory": ""}, "subcategory"),
        ({"subcategory": "piano"}, "subcategory"),
        ({"languages": []}, "languages"),
        ({"languages": "en"}, "languages"),
        ({"languages": ["xx-klingon"]}, "languages"),
        ({"languages": [["en"]]}, "languages"),
        ({"pricing": "auction"}, "pricing"),
        ({"price_minor": 0}, "price_minor"),
        ({"price_minor": -100}, "price_minor"),
        ({"price_minor": 99}, "price_minor"),
        ({"price_minor": 1_000_001}, "price_minor"),
        ({"price_minor": 25.5}, "price_minor"),
        ({"price_minor": "2500"}, "price_minor"),
        ({"price_minor": True}, "price_minor"),
        ({"pricing": "per_minute", "price_minor": 50_001}, "price_minor"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"length_minutes": 5}, "length_minutes"),
        ({"length_minutes": 245}, "length_minutes"),
        ({"length_minutes": 31}, "length_minutes"),
        ({"length_minutes": None}, "length_minutes"),
        ({"length_minutes": 30, "more_lengths": [[30, 1000]]}, "more_lengths"),  # the main one again
        ({"more_lengths": [[60, 1000], [60, 2000]]}, "more_lengths"),
        ({"more_lengths": [[61, 1000]]}, "more_lengths"),
        ({"more_lengths": [[60, 1]]}, "more_lengths"),
        ({"more_lengths": [[60, None]]}, "more_lengths"),
        ({"more_lengths": [[60]]}, "more_lengths"),
        ({"more_lengths": "60"}, "more_lengths"),
        ({"more_lengths": [[40 + 5 * n, 1000] for n in range(5)]}, "more_lengths"),
        ({"cancellation_policy": "flexible"}, "cancellation_policy"),
        ({"cancellation_policy": "none"}, "cancellation_policy"),
        ({"fields": {}}, "field_level"),
        ({"fields": {"level": "impossible"}}, "field_level"),
        ({"fields": {"level": ["easy"]}}, "field_level"),
        ({"fields": {"level": "easy", "tools": ["hammer"]}}, "field_tools"),
        ({"fields": {"level": "easy", "tools": "saw"}}, "field_tools"),
        ({"fields": {"level": "easy", "years": 61}}, "field_years"),
        ({"fields": {"level": "easy", "years": "9"}}, "field_years"),
        ({"fields": {"level": "easy", "remote": "yes"}}, "field_remote"),
        ({"fields": {"level": "easy", "notes": "n" * 101}}, "field_notes"),
        ({"fields": {"level": "easy", "made_up": "x"}}, "field_made_up"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    db: Session, expert: Expert, author: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(HelpoutsError) as refusal:
        create_listing(db, expert, good_values(**changes), author)
    assert refusal.value.field == field
    assert str(refusal.value)


def test_free_sessions_have_no_price_whatever_was_typed(db: Session, expert: Expert, author: Actor) -> None:
    assert create_listing(db, expert, good_values(pricing="free", price_minor=900), author).price_minor == 0


def test_answers_are_kept_in_the_order_of_the_declaration(db: Session, expert: Expert, author: Actor) -> None:
    fields = {"level": "hard", "tools": ["saw", "spanner"], "years": 0, "remote": False, "notes": ""}
    listing = create_listing(db, expert, good_values(fields=fields), author)
    assert listing.fields == {"tools": ["spanner", "saw"], "level": "hard", "years": 0, "remote": False}


def test_nothing_can_be_offered_in_a_category_that_is_switched_off(
    db: Session, expert: Expert, author: Actor, curator: Actor
) -> None:
    set_enabled(db, "category_repair", False, curator)
    with pytest.raises(HelpoutsError) as refusal:
        create_listing(db, expert, good_values(), author)
    assert refusal.value.field == "category"


def test_the_same_title_twice_is_caught(db: Session, expert: Expert, author: Actor) -> None:
    create_listing(db, expert, good_values(), author)
    with pytest.raises(HelpoutsError) as refusal:
        create_listing(db, expert, good_values(title="FIX your bicycle  BRAKES"), author)
    assert refusal.value.field == "title"


def test_two_experts_with_one_title_get_two_addresses(db: Session, expert: Expert, author: Actor) -> None:
    other = make_expert(db, "Bo Gear")
    create_listing(db, expert, good_values(title="Räder & Bremsen prüfen"), author)
    second = create_listing(
        db, other, good_values(title="Räder & Bremsen prüfen"), Actor("expert", other.owner.id, "bo")
    )
    assert second.slug == "raeder-bremsen-pruefen-2"


@pytest.mark.parametrize("title", ["時計を一緒に直しましょう", "!!!!!!!!!!"])
def test_a_title_without_latin_letters_still_has_an_address(
    db: Session, expert: Expert, author: Actor, title: str
) -> None:
    assert create_listing(db, expert, good_values(title=title), author).slug == "session"
