"""What a search asks for, in words."""

from __future__ import annotations

from helpouts.catalog.records import SearchRequest
from helpouts.i18n import use_locale
from helpouts.wishes.chips import name_of


def test_words_and_prices_of_a_search_are_said_in_the_visitors_language() -> None:
    with use_locale("de"):
        assert name_of(SearchRequest(q="router", price="paid"), {}, "EUR", 80) == "„router“ · Kostenpflichtig"
