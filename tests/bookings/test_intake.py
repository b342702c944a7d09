"""Answers to a category's questions: what fits is kept in words, what does not is refused at its field."""

from __future__ import annotations

import pytest

from helpouts.bookings.intake import check_answers
from helpouts.catalog import CategoryField, Choice
from helpouts.errors import HelpoutsError

NAMES = {"en": "?"}
CHOICES = (Choice("a", {"en": "First"}), Choice("b", {"en": "Second"}))
QUESTIONS = (
    CategoryField("model", "text", NAMES, required=True),
    CategoryField("story", "long_text", NAMES),
    CategoryField("one", "choice", NAMES, choices=CHOICES),
    CategoryField("many", "choices", NAMES, choices=CHOICES),
    CategoryField("sure", "boolean", NAMES),
    CategoryField("count", "integer", NAMES, maximum=10),
)


def test_good_answers_are_kept_in_the_order_of_the_questions():
    given = {"count": "3", "model": "  AVM 7590 ", "one": "a", "many": ["b"], "sure": "on", "story": ""}
    kept = [(item["key"], item["answer"]) for item in check_answers(QUESTIONS, given)]
    assert kept == [("model", "AVM 7590"), ("one", "a"), ("many", ["b"]), ("sure", True), ("count", 3)]


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("model", ""),
        ("model", "   "),
        ("model", "x" * 201),
        ("story", "x" * 2001),
        ("one", "c"),
        ("one", "<script>"),
        ("many", ["a", "c"]),
        ("count", "-1"),
        ("count", "11"),
        ("count", "three"),
    ],
)
def test_a_bad_answer_is_refused_at_its_field(key, answer):
    with pytest.raises(HelpoutsError) as refused:
        check_answers(QUESTIONS, {"model": "AVM", key: answer})
    assert refused.value.field == f"intake_{key}"
