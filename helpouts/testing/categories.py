# ruff: noqa: D102  # the names of the tests are sentences
"""The conformance suite of a category plugin.

Subclass :class:`CategoryContract` in the plugin's own tests and name the plugin::

    class TestCategory(CategoryContract):
        plugin = helpouts_category_it
        name = "category_it"
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata, packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, get_args

from helpouts.audit.actor import SYSTEM
from helpouts.catalog.category import Category, CategoryField, ExampleListing, FieldType
from helpouts.catalog.validation import SUMMARY_LENGTH, TITLE_LENGTH
from helpouts.i18n import LANGUAGES
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.runtime import Runtime

POLICIES = frozenset({"flexible", "moderate", "strict"})
#: What a listing may not carry: mail addresses, links, telephone numbers.
_CONTACT = re.compile(r"\w@\w|https?://|www\.|\+?\d[\d ()/-]{7,}\d")
_SLUG = re.compile(r"[a-z][a-z0-9_]{1,39}")


def _sentences(text: str) -> int:
    return len(re.findall(r"[.!?](?:\s|$)", text))


class CategoryContract:
    """What every category must keep; the attributes name the plugin under test."""

    plugin: ClassVar[ModuleType]
    name: ClassVar[str]

    def records(self) -> tuple[Category, ...]:
        """The plugin's categories."""
        return tuple(self.plugin.helpouts_categories())

    def fields(self) -> Iterator[CategoryField]:
        """All fields of all categories, of listings and intake alike."""
        for category in self.records():
            yield from category.listing_fields
            yield from category.intake

    def examples(self) -> Iterator[tuple[Category, ExampleListing]]:
        """All examples with their category."""
        for category in self.records():
            for example in category.examples:
                yield category, example

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """(where, text by language) of everything that people read."""
        for category in self.records():
            yield "name", category.name
            yield "tagline", category.tagline
            yield "description", category.description
            yield "disclaimer", category.disclaimer
            for sub in category.subcategories:
                yield f"subcategory {sub.slug}", sub.label
            for example in category.examples:
                where = f"example {example.expert}"
                for part in (example.title, example.summary, example.description, example.bio):
                    yield where, part
        for field in self.fields():
            yield f"field {field.key}", field.label
            yield f"help of {field.key}", field.help
            for choice in field.choices:
                yield f"choice {field.key}.{choice.value}", choice.label

    def test_the_plugin_offers_at_least_one_category_and_the_same_each_time(self) -> None:
        assert self.records(), "helpouts_categories returned nothing"
        assert self.records() == self.records()

    def test_slugs_are_plain_and_unique(self) -> None:
        slugs = [category.slug for category in self.records()]
        assert len(set(slugs)) == len(slugs)
        for category in self.records():
            assert _SLUG.fullmatch(category.slug), f"not a slug: {category.slug!r}"
            subs = [sub.slug for sub in category.subcategories]
            assert subs, f"{category.slug} has no sub-categories"
            assert len(set(subs)) == len(subs), f"sub-categories of {category.slug} repeat a slug"
            assert all(_SLUG.fullmatch(slug) for slug in subs), subs

    def test_every_text_is_there_in_every_language_of_the_site(self) -> None:
        for where, names in self.texts():
            if not names and where.startswith(("help", "description", "disclaimer", "example")):
                continue
            missing = [language for language in LANGUAGES if not names.get(language, "").strip()]
            assert not missing, f"{where} lacks {', '.join(missing)}: {dict(names)}"

    def test_field_keys_are_plain_and_unique_within_their_form(self) -> None:
        for category in self.records():
            for form in (category.listing_fields, category.intake):
                keys = [field.key for field in form]
                assert len(set(keys)) == len(keys), f"{category.slug} repeats a field: {keys}"
                assert all(_SLUG.fullmatch(key) for key in keys), keys

    def test_fields_can_be_shown_as_a_form(self) -> None:
        for field in self.fields():
            assert field.type in get_args(FieldType), f"{field.key}: unknown type {field.type!r}"
            chosen = field.type in ("choice", "choices")
            values = [choice.value for choice in field.choices]
            assert bool(values) == chosen, f"{field.key}: choices go with choice fields, and only with them"
            assert len(set(values)) == len(values), f"{field.key} repeats a choice"
            assert field.maximum is None or field.maximum > 0, f"{field.key}: maximum must be positive"

    def test_facets_have_a_fixed_set_of_values(self) -> None:
        for field in self.fields():
            if field.facet:
                assert field.type in ("choice", "choices", "boolean"), f"{field.key} cannot be a search filter"
        for category in self.records():
            assert not any(field.facet for field in category.intake), "intake answers are private, never facets"

    def test_the_rules_of_the_category_are_within_their_bounds(self) -> None:
        for category in self.records():
            assert category.cancellation_policies
            assert set(category.cancellation_policies) <= POLICIES
            assert category.recording in ("allowed", "forbidden", "asked")
            assert category.room.first in ("camera", "rear_camera", "screen")
            assert 13 <= category.minimum_age <= 21, "customers are at least 13"
            assert category.fee_bp is None or 0 <= category.fee_bp <= 10_000
            assert category.icon, "name an icon of the sprite"
            assert all(isinstance(rule, str) and rule for rule in category.vetting_rules)
            guidance = category.price_guidance
            if guidance is not None:
                assert 0 < guidance.low <= guidance.high
                assert re.fullmatch(r"[A-Z]{3}", guidance.currency)

    def test_examples_fit_their_category(self) -> None:
        for category, example in self.examples():
            assert category.subcategory(example.subcategory), f"{example.expert}: no {example.subcategory!r}"
            assert (example.pricing == "free") == (example.price_minor == 0), example.expert
            assert example.price_minor >= 0, example.expert
            assert 5 <= example.length_minutes <= 480, example.expert
            assert len(example.expert) <= 120, example.expert
            assert len(example.headline) <= 160, example.expert
            assert all(TITLE_LENGTH[0] <= len(text) <= TITLE_LENGTH[1] for text in example.title.values()), (
                example.expert
            )
            assert all(len(text) <= SUMMARY_LENGTH[1] for text in example.summary.values()), example.expert
            assert set(example.languages) & set(LANGUAGES), f"{example.expert} speaks no language of the site"
            for stars, author, text in example.reviews:
                assert 1 <= stars <= 5, example.expert
                assert author.strip(), example.expert
                assert text.strip(), example.expert

    def test_examples_answer_the_fields_of_the_listing(self) -> None:
        for category, example in self.examples():
            declared = {field.key: field for field in category.listing_fields}
            unknown = set(example.fields) - set(declared)
            assert not unknown, f"{example.expert} answers unknown fields: {unknown}"
            json.dumps(dict(example.fields))
            for key, field in declared.items():
                if key in example.fields:
                    _check_answer(field, example.fields[key])
                else:
                    assert not field.required, f"{example.expert} leaves out {key}"

    def test_examples_read_like_listings_and_carry_no_contact_details(self) -> None:
        for _, example in self.examples():
            for language, text in example.description.items():
                assert 3 <= _sentences(text) <= 8, f"{example.expert} ({language}): {_sentences(text)} sentences"
            for text in (*example.description.values(), *example.summary.values(), *example.bio.values()):
                assert not _CONTACT.search(text), f"{example.expert} carries contact details: {text}"

    def test_the_readme_names_every_field_and_its_answers(self) -> None:
        text = _readme(self.plugin)
        for category in self.records():
            assert f"`{category.slug}`" in text
        for field in self.fields():
            assert f"`{field.key}`" in text, f"the README does not name the field {field.key}"
            for choice in field.choices:
                assert choice.label["en"] in text, f"the README does not name {choice.label['en']!r} of {field.key}"

    def test_the_category_comes_and_goes_with_the_enabled_flag(self, runtime: Runtime) -> None:
        registry = Registry()
        plugin = registry.add(self.name, lambda: self.plugin, "under test", "0")
        assert plugin.loaded, plugin.error
        slugs = {category.slug for category in self.records()}
        with Runtime(runtime.config, runtime.database, registry).database.session(write=True) as db:
            assert slugs <= set(registry.categories(db))
            set_enabled(db, self.name, False, SYSTEM)
            assert not slugs & set(registry.categories(db))
            assert all(registry.category(slug).name["en"] for slug in slugs), "history must stay readable"
            db.rollback()


def _readme(plugin: ModuleType) -> str:
    """The README beside the sources, else the one that was built into the installed distribution."""
    for folder in Path(str(plugin.__file__)).parents[:4]:
        if (folder / "README.md").is_file():
            return (folder / "README.md").read_text("utf-8")
    for distribution in packages_distributions().get(plugin.__name__.partition(".")[0], ()):
        built_in = metadata(distribution).get_payload()  # type: ignore[attr-defined]  # it is an email.message.Message
        if str(built_in).strip():
            return str(built_in)
    raise AssertionError("a plugin has a README.md with a table of its fields")


def _check_answer(field: CategoryField, value: Any) -> None:
    """Refuse an example's answer that the listing form would refuse."""
    known = {choice.value for choice in field.choices}
    match field.type:
        case "choices":
            assert isinstance(value, list), f"{field.key}: {value!r}"
            assert set(value) <= known, f"{field.key}: {value!r}"
        case "choice":
            assert value in known, f"{field.key}: {value!r}"
        case "boolean":
            assert isinstance(value, bool), f"{field.key}: {value!r}"
        case "integer":
            assert type(value) is int, f"{field.key}: {value!r}"
            assert 0 <= value <= (field.maximum or value), f"{field.key}: {value!r}"
        case _:
            assert isinstance(value, str), f"{field.key}: {value!r}"
            assert len(value) <= (field.maximum or 10_000), f"{field.key}: {value!r}"
