"""Music lessons: a category for Helpouts."""

from __future__ import annotations

from helpouts.catalog import Category, CategoryField, Choice, PriceGuidance, RoomTools, Subcategory
from helpouts.hookspecs import hookimpl

MUSIC = Category(
    slug="music",
    name={"en": "Music", "de": "Musik"},
    tagline={"en": "Somebody who hears what you play", "de": "Jemand, der hört, was du spielst"},
    icon="heart",
    subcategories=(
        Subcategory("guitar", {"en": "Guitar", "de": "Gitarre"}),
        Subcategory("piano", {"en": "Piano", "de": "Klavier"}),
    ),
    listing_fields=(
        CategoryField(
            "styles",
            "choices",
            {"en": "Styles", "de": "Stile"},
            choices=(
                Choice("classical", {"en": "Classical", "de": "Klassik"}),
                Choice("jazz", {"en": "Jazz", "de": "Jazz"}),
            ),
            required=True,
            facet=True,
        ),
    ),
    intake=(CategoryField("piece", "text", {"en": "What do you play?", "de": "Was spielst du?"}, maximum=200),),
    price_guidance=PriceGuidance(low=1500, high=5000),
    room=RoomTools(music_mode=True),
)


@hookimpl
def helpouts_categories() -> tuple[Category, ...]:
    """The one category of this plugin."""
    return (MUSIC,)
