"""What a listing may say: every value checked, with a message beside the field that is wrong.

Nothing that a form, the API or a plugin sends reaches a listing without passing through :func:`clean`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from babel import Locale
from sqlalchemy.orm import Session

from helpouts.catalog.category import Category, CategoryField
from helpouts.catalog.models import Expert
from helpouts.errors import HelpoutsError
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.runtime import runtime_of

TITLE_LENGTH = (8, 80)
SUMMARY_LENGTH = (0, 200)
DESCRIPTION_LENGTH = (40, 6000)
REQUIREMENTS_LENGTH = (0, 2000)
#: Minutes of a session: least, most, step.
LENGTH_MINUTES = (10, 240, 5)
#: Lengths of a session besides its main one.
MOST_MORE_LENGTHS = 4
PRICINGS = ("free", "fixed", "per_minute")
#: Least and greatest price in minor units, whatever the currency: per session, per minute.
PRICE_BOUNDS = {"fixed": (100, 1_000_000), "per_minute": (5, 50_000)}
POLICIES = ("flexible", "moderate", "strict")
MOST_LANGUAGES = 12
#: Longest answers to a category's fields that declare no maximum, in characters.
FIELD_LENGTH = {"text": 200, "long_text": 2000}

#: What an edit may change; the category of a listing stays what it was vetted for.
EDITABLE = (
    "subcategory",
    "title",
    "summary",
    "description",
    "requirements",
    "languages",
    "fields",
    "pricing",
    "price_minor",
    "currency",
    "length_minutes",
    "more_lengths",
    "cancellation_policy",
)


def clean(db: Session, expert: Expert, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a listing, checked and tidied: ``category`` and everything in :data:`EDITABLE`.

    Prices are minor units of ``currency``, per session or per minute, and 0 exactly for free listings.
    ``more_lengths`` is (minutes, price) pairs; the price is kept only where it is one per session, else it is None.

    :raises HelpoutsError: for the first value that does not fit; ``field`` names it,
        ``field_KEY`` one of the category's.
    """
    category = held_category(db, expert, values.get("category"))
    pricing = _choice(values.get("pricing"), PRICINGS, "pricing", _l("Choose how the session is paid."))
    currency = _choice(
        values.get("currency") or runtime_of(db).config.currency,
        currencies(db),
        "currency",
        _l("Sessions cannot be paid in this currency here: choose one from the list."),
    )
    length = _length(values.get("length_minutes"))
    return {
        "category": category.slug,
        "subcategory": _subcategory(category, values.get("subcategory")),
        "title": _line(values.get("title"), "title", TITLE_LENGTH),
        "summary": _line(values.get("summary"), "summary", SUMMARY_LENGTH),
        "description": _paragraphs(values.get("description"), "description", DESCRIPTION_LENGTH),
        "requirements": _paragraphs(values.get("requirements"), "requirements", REQUIREMENTS_LENGTH),
        "languages": _languages(values.get("languages")),
        "fields": clean_fields(category.listing_fields, values.get("fields") or {}),
        "pricing": pricing,
        "price_minor": _price(pricing, values.get("price_minor")),
        "currency": currency,
        "length_minutes": length,
        "more_lengths": _more_lengths(values.get("more_lengths"), pricing, length),
        "cancellation_policy": _choice(
            values.get("cancellation_policy") or category.cancellation_policies[0],
            tuple(policy for policy in POLICIES if policy in category.cancellation_policies),
            "cancellation_policy",
            _l("This cancellation policy is not offered in this field: choose one from the list."),
        ),
    }


def held_category(db: Session, expert: Expert, slug: object) -> Category:
    """The category, if it is enabled and an invitation opened it for the expert.

    :raises HelpoutsError: with the field "category" when it is not.
    """
    enabled = runtime_of(db).registry.categories(db)
    if not isinstance(slug, str) or slug not in {held.category for held in expert.categories}:
        raise HelpoutsError(
            _l("You are not invited to this field yet: apply for it, then you can offer sessions in it."),
            field="category",
        )
    if slug not in enabled:
        raise HelpoutsError(
            _l("This field is switched off at the moment; nothing can be offered in it."), field="category"
        )
    return enabled[slug]


def currencies(db: Session) -> tuple[str, ...]:
    """Codes of the currencies that listings can be priced in: the site's own first, then what the backends take."""
    runtime = runtime_of(db)
    own = runtime.config.currency
    taken = {
        code for backend in runtime.registry.payment_backends(db).values() for code in backend.capabilities.currencies
    }
    return (own, *sorted(taken - {own}))


def clean_fields(fields: Sequence[CategoryField], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers to a category's declared fields (of its listings, or of its intake form).

    Unanswered optional fields are left out; an answer to a field that is not declared is refused.

    :raises HelpoutsError: with ``field_KEY`` as the field.
    """
    declared = {field.key: field for field in fields}
    for key in answers:
        if key not in declared:
            raise HelpoutsError(_l("There is no such question in this field: reload the page."), field=f"field_{key}")
    cleaned = {}
    for key, field in declared.items():
        answer = _answer(field, answers.get(key))
        if answer is None or answer == "" or answer == []:
            if field.required:
                raise HelpoutsError(
                    _l("Please answer “%(label)s”.", label=in_language(field.label)), field=f"field_{key}"
                )
            continue
        cleaned[key] = answer
    return cleaned


def _answer(field: CategoryField, answer: Any) -> Any:
    where = f"field_{field.key}"
    if answer is None or answer == "":
        return None
    if field.type == "boolean":
        if not isinstance(answer, bool):
            raise HelpoutsError(_l("Answer with yes or no."), field=where)
        return answer
    if field.type == "integer":
        most = field.maximum if field.maximum is not None else 1_000_000
        if type(answer) is not int or not 0 <= answer <= most:
            raise HelpoutsError(_l("Enter a whole number from 0 to %(most)s.", most=most), field=where)
        return answer
    if field.type in ("choice", "choices"):
        known = [choice.value for choice in field.choices]
        chosen = answer if field.type == "choices" else [answer]
        if not isinstance(chosen, (list, tuple)) or any(value not in known for value in chosen):
            raise HelpoutsError(_l("Choose from the list."), field=where)
        return [value for value in known if value in chosen] if field.type == "choices" else answer
    tidy = _paragraphs if field.type == "long_text" else _line
    return tidy(answer, where, (0, field.maximum or FIELD_LENGTH[field.type]))


@lru_cache(maxsize=1)
def known_languages() -> frozenset[str]:
    """Codes of the languages that people may choose (CLDR's list, two and three letters)."""
    return frozenset(code for code in map(str, Locale("en").languages) if code.isalpha() and 2 <= len(code) <= 3)


def _choice(value: object, known: Sequence[str], field: str, message: object) -> str:
    if not isinstance(value, str) or value not in known:
        raise HelpoutsError(message, field=field)
    return value


def _subcategory(category: Category, value: object) -> str:
    if not value and not category.subcategories:
        return ""
    if not isinstance(value, str) or category.subcategory(value) is None:
        raise HelpoutsError(_l("Choose what it is about from the list."), field="subcategory")
    return value


def _line(value: object, field: str, bounds: tuple[int, int]) -> str:
    return _text(" ".join(value.split()) if isinstance(value, str) else value, field, bounds)


def _paragraphs(value: object, field: str, bounds: tuple[int, int]) -> str:
    if isinstance(value, str):
        lines = [line.rstrip() for line in value.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        value = "\n".join(lines).strip()
    return _text(value, field, bounds)


def _text(value: object, field: str, bounds: tuple[int, int]) -> str:
    least, most = bounds
    value = "" if value is None else value
    if not isinstance(value, str) or any(
        unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in value
    ):
        raise HelpoutsError(_l("Enter plain text."), field=field)
    if len(value) < least:
        raise HelpoutsError(_l("Write at least %(least)s characters.", least=least), field=field)
    if len(value) > most:
        raise HelpoutsError(
            _l("This is too long: %(most)s characters fit, you have %(count)s.", most=most, count=len(value)),
            field=field,
        )
    return value


def _languages(value: object) -> list[str]:
    if not isinstance(value, (list, tuple)) or not value or any(not isinstance(code, str) for code in value):
        raise HelpoutsError(_l("Choose at least one language that you help in."), field="languages")
    chosen = list(dict.fromkeys(value))
    if len(chosen) > MOST_LANGUAGES or any(code not in known_languages() for code in chosen):
        raise HelpoutsError(
            _l("Choose languages from the list, at most %(most)s.", most=MOST_LANGUAGES), field="languages"
        )
    return chosen


def _price(pricing: str, value: object) -> int:
    if pricing == "free":
        return 0
    least, most = PRICE_BOUNDS[pricing]
    if type(value) is not int or value <= 0:
        raise HelpoutsError(_l("Enter a price, or make the session free."), field="price_minor")
    if not least <= value <= most:
        raise HelpoutsError(_l("This price is too low or too high for a session here."), field="price_minor")
    return value


def _length(value: object) -> int:
    least, most, step = LENGTH_MINUTES
    if type(value) is not int or not least <= value <= most or value % step:
        raise HelpoutsError(
            _l(
                "A session lasts %(least)s to %(most)s minutes, in steps of %(step)s.",
                least=least,
                most=most,
                step=step,
            ),
            field="length_minutes",
        )
    return value


def _more_lengths(value: object, pricing: str, main: int) -> list[list[int | None]]:
    where = "more_lengths"
    if value is None or value == "":
        return []
    if not isinstance(value, (list, tuple)) or any(
        not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in value
    ):
        raise HelpoutsError(_l("Choose from the list."), field=where)
    if len(value) > MOST_MORE_LENGTHS:
        raise HelpoutsError(_l("At most %(most)s further lengths fit.", most=MOST_MORE_LENGTHS), field=where)
    found: dict[int, int | None] = {}
    try:
        for minutes, price in value:
            length = _length(minutes)
            if length == main or length in found:
                raise HelpoutsError(_l("Each length can be offered only once."))
            found[length] = _price(pricing, price) if pricing == "fixed" else None
    except HelpoutsError as error:
        error.field = where
        raise
    return [[length, found[length]] for length in sorted(found)]


def clean_profile(headline: object, bio: object, languages: object) -> dict[str, Any]:
    """What an expert's page says, checked and tidied.

    :raises HelpoutsError: for the first value that does not fit; ``field`` names it.
    """
    return {
        "headline": _line(headline, "headline", (8, 160)),
        "bio": _paragraphs(bio, "bio", (0, 4000)),
        "languages": _languages(languages),
    }
