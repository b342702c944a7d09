"""The contract of a category: the plugin family that says which fields of help a site covers.

A category is data.  Enabling its plugin makes it appear everywhere at once: browse, search, forms, console.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

#: A text in several languages, by language code; "en" must be there.
Names = Mapping[str, str]
FieldType = Literal["text", "long_text", "choice", "choices", "boolean", "integer"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice field."""

    value: str
    label: Names


@dataclass(frozen=True, slots=True)
class CategoryField:
    """A field that a category adds to a listing (and, as ``facet``, to search) or to the intake form.

    :param required: the form refuses an empty answer.
    :param maximum: longest text in characters, or greatest integer.
    """

    key: str
    type: FieldType
    label: Names
    help: Names = field(default_factory=dict)
    choices: Sequence[Choice] = ()
    required: bool = False
    facet: bool = False
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Subcategory:
    """The second level: "Networks and Wi-Fi" below information technology."""

    slug: str
    label: Names


@dataclass(frozen=True, slots=True)
class PriceGuidance:
    """What sessions of the category usually cost, minor units of ``currency`` per session; shown to experts."""

    low: int
    high: int
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class RoomTools:
    """What the room opens with.  ``first`` is offered before anything else."""

    first: Literal["camera", "rear_camera", "screen"] = "camera"
    drawing: bool = True
    music_mode: bool = False


@dataclass(frozen=True, slots=True)
class ExampleListing:
    """A believable listing for the demo site, with its expert."""

    expert: str
    headline: str
    title: Names
    summary: Names
    description: Names
    subcategory: str
    pricing: Literal["free", "fixed", "per_minute"]
    #: minor units of EUR, per session or per minute
    price_minor: int
    length_minutes: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    bio: Names = field(default_factory=dict)
    reviews: Sequence[tuple[int, str, str]] = ()
    languages: Sequence[str] = ("en", "de")


@dataclass(frozen=True, slots=True)
class Category:
    """The record a plugin returns from ``helpouts_categories``.

    :param slug: lower case, unique, in URLs; the stored name of the category.
    :param icon: name of an icon of the sprite, see docs/design.md.
    :param listing_fields: asked when a listing is written; those with ``facet`` are search filters.
    :param intake: asked when a customer books.
    :param cancellation_policies: what experts may choose from ("flexible", "moderate", "strict").
    :param recording: "allowed", "forbidden" or "asked".
    :param fee_bp: the platform's fee in basis points, or None for the site's own.
    :param minimum_age: years a customer must have; 13 unless the category is health-like (18).
    :param vetting_rules: names of the vetting rules that its applications and listings must pass.
    """

    slug: str
    name: Names
    tagline: Names
    icon: str
    subcategories: Sequence[Subcategory]
    description: Names = field(default_factory=dict)
    listing_fields: Sequence[CategoryField] = ()
    intake: Sequence[CategoryField] = ()
    price_guidance: PriceGuidance | None = None
    cancellation_policies: Sequence[str] = ("flexible", "moderate", "strict")
    recording: Literal["allowed", "forbidden", "asked"] = "asked"
    fee_bp: int | None = None
    minimum_age: int = 13
    vetting_rules: Sequence[str] = ("profile",)
    room: RoomTools = field(default_factory=RoomTools)
    disclaimer: Names = field(default_factory=dict)
    examples: Sequence[ExampleListing] = ()

    def subcategory(self, slug: str) -> Subcategory | None:
        """The sub-category of that slug, or None."""
        return next((sub for sub in self.subcategories if sub.slug == slug), None)


def standin_category(slug: str) -> Category:
    """What a stored slug resolves to when its plugin is gone: enough to show history, nothing to book."""
    return Category(slug=slug, name={"en": slug}, tagline={"en": ""}, icon="info", subcategories=())
