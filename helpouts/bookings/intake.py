"""Answers to a category's questions, checked against the category's declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpouts.catalog.category import CategoryField
from helpouts.errors import HelpoutsError
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l

#: Longest answers, in characters, where the category sets no limit.
LIMITS = {"text": 200, "long_text": 2000}


def check_answers(fields: Sequence[CategoryField], answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers as a booking keeps them: ``[{"key", "label", "answer"}]``, in the order of the questions.

    :param answers: by key; text, a list of values for "choices", "on" or "" for "boolean".
    :raises HelpoutsError: with the field ``intake_{key}``.
    """
    kept = []
    for question in fields:
        answer = _clean(question, answers.get(question.key, ""))
        if answer not in ("", [], None):
            kept.append({"key": question.key, "label": dict(question.label), "answer": answer})
        elif question.required:
            raise HelpoutsError(_l("Please answer this question."), field=f"intake_{question.key}")
    return kept


def shown_answer(field: CategoryField | None, answer: Any) -> str:
    """A kept answer for people."""
    choices = field.choices if field is not None else ()
    labels: dict[str, str] = {choice.value: in_language(choice.label) for choice in choices}
    if isinstance(answer, list):
        return ", ".join(str(labels.get(value, value)) for value in answer)
    if isinstance(answer, bool):
        return "✓" if answer else "–"
    return labels.get(str(answer), str(answer))


def in_words(fields: Sequence[CategoryField], kept: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(question, answer) pairs of a booking in the language in force; ``fields`` are the category's questions now."""
    known = {field.key: field for field in fields}
    return [(in_language(item["label"]), shown_answer(known.get(item["key"]), item["answer"])) for item in kept]


def _clean(question: CategoryField, raw: Any) -> Any:
    name = f"intake_{question.key}"
    if question.type == "boolean":
        return raw in (True, "on", "1", "y", "true")
    known = {choice.value for choice in question.choices}
    if question.type == "choices":
        values = [raw] if isinstance(raw, str) and raw else list(raw or [])
        if not set(values) <= known:
            raise HelpoutsError(_l("Choose from the list."), field=name)
        return values
    text = str(raw or "").strip()
    if not text:
        return ""
    if question.type == "choice":
        if text not in known:
            raise HelpoutsError(_l("Choose from the list."), field=name)
        return text
    if question.type == "integer":
        if not text.isdecimal() or int(text) > (question.maximum or 1_000_000):
            raise HelpoutsError(_l("Enter a whole number."), field=name)
        return int(text)
    limit = question.maximum or LIMITS[question.type]
    if len(text) > limit:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=limit), field=name)
    return text
