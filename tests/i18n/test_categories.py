"""The category plugins carry their texts themselves, in every language of the site."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from helpouts.i18n import LANGUAGES
from helpouts.testing import translations

PLUGINS = [package.name for package in translations.packages() if package.name.startswith("helpouts_category_")]


def _texts(value: Any, where: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every ``{language: text}`` in a record, with the way to it."""
    if isinstance(value, Mapping):
        if set(value) & set(LANGUAGES):
            yield where, value
        else:
            for key, inner in value.items():
                yield from _texts(inner, f"{where}.{key}")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _texts(getattr(value, field.name), f"{where}.{field.name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{where}[{number}]")


@pytest.mark.parametrize("name", PLUGINS)
def test_a_category_says_everything_in_every_language(name: str) -> None:
    (category,) = importlib.import_module(name).helpouts_categories()
    texts = list(_texts(category, category.slug))
    assert len(texts) > 20
    assert [where for where, text in texts if set(text) != set(LANGUAGES) or not all(text.values())] == []
    long = [(where, text) for where, text in texts if len(text["en"].split()) > 2]
    assert [where for where, text in long if text["en"] == text["de"]] == []


@pytest.mark.parametrize("name", PLUGINS)
def test_labels_of_a_listing_fit_both_its_form_and_its_page(name: str) -> None:
    """Customers read them, too: they speak of the session and not to the expert."""
    (category,) = importlib.import_module(name).helpouts_categories()
    labels = [field.label for field in category.listing_fields]
    assert labels
    assert [label for label in labels if {"you", "your"} & set(label["en"].lower().split())] == []
