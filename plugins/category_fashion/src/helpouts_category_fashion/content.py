"""Fashion: what the category is made of."""

from __future__ import annotations

from helpouts.catalog import Category, CategoryField, Choice, PriceGuidance, RoomTools, Subcategory
from helpouts_category_fashion.examples import EXAMPLES

SUBCATEGORIES = (
    Subcategory("styling", {"en": "Styling and outfits", "de": "Stil und Outfits"}),
    Subcategory("wardrobe", {"en": "Wardrobe and colours", "de": "Kleiderschrank und Farben"}),
    Subcategory("sewing", {"en": "Sewing and alterations", "de": "Nähen und Ändern"}),
    Subcategory("makeup", {"en": "Make-up and skin", "de": "Make-up und Haut"}),
    Subcategory("hair", {"en": "Hair and beard", "de": "Haar und Bart"}),
    Subcategory("knitting", {"en": "Knitting and crochet", "de": "Stricken und Häkeln"}),
)

OCCASIONS = (
    Choice("everyday", {"en": "Everyday", "de": "Alltag"}),
    Choice("work", {"en": "Work and interviews", "de": "Beruf und Bewerbung"}),
    Choice("wedding", {"en": "Weddings and parties", "de": "Hochzeit und Feste"}),
    Choice("outdoor", {"en": "Outdoors and sports", "de": "Draußen und Sport"}),
    Choice("stage", {"en": "Stage and camera", "de": "Bühne und Kamera"}),
)

STYLES = (
    Choice("classic", {"en": "Classic", "de": "Klassisch"}),
    Choice("casual", {"en": "Casual", "de": "Lässig"}),
    Choice("second_hand", {"en": "Second hand and sustainable", "de": "Secondhand und nachhaltig"}),
    Choice("tailored", {"en": "Tailored", "de": "Maßgeschneidert"}),
    Choice("modest", {"en": "Modest", "de": "Dezent bedeckt"}),
    Choice("plus", {"en": "Plus sizes", "de": "Große Größen"}),
)

WEAR = (
    Choice("women", {"en": "Women's wear", "de": "Damenmode"}),
    Choice("men", {"en": "Men's wear", "de": "Herrenmode"}),
    Choice("any", {"en": "All wear", "de": "Alles"}),
    Choice("children", {"en": "Children's wear", "de": "Kindermode"}),
)

LISTING_FIELDS = (
    CategoryField("wear", "choices", {"en": "Clothes for", "de": "Mode für"}, choices=WEAR, required=True, facet=True),
    CategoryField("occasions", "choices", {"en": "Occasions", "de": "Anlässe"}, choices=OCCASIONS, facet=True),
    CategoryField("styles", "choices", {"en": "Styles", "de": "Stile"}, choices=STYLES, facet=True),
    CategoryField(
        "bring",
        "text",
        {"en": "What to lay out beforehand", "de": "Was bereitliegen soll"},
        help={"en": "For example the shoes you will wear.", "de": "Zum Beispiel die Schuhe, die Sie tragen werden."},
        maximum=240,
    ),
)

INTAKE = (
    CategoryField(
        "goal",
        "long_text",
        {"en": "What is it for?", "de": "Worum geht es?"},
        help={
            "en": "The occasion, the day and the place; for sewing, the fabric and the pattern.",
            "de": "Anlass, Tag und Ort; beim Nähen Stoff und Schnitt.",
        },
        required=True,
        maximum=2000,
    ),
    CategoryField("occasion", "choice", {"en": "Occasion", "de": "Anlass"}, choices=OCCASIONS),
    CategoryField(
        "budget",
        "integer",
        {"en": "Budget in euros, if you want to buy something", "de": "Budget in Euro, falls Sie etwas kaufen möchten"},
        maximum=100_000,
    ),
    CategoryField(
        "limits",
        "text",
        {
            "en": "Anything you never wear, or are allergic to?",
            "de": "Was tragen Sie nie, wogegen sind Sie allergisch?",
        },
        maximum=300,
    ),
)

CATEGORY = Category(
    slug="fashion",
    name={"en": "Fashion", "de": "Mode"},
    tagline={
        "en": "Stylists, tailors and make-up artists, in front of your own mirror.",
        "de": "Stil, Schneiderei und Make-up, vor dem eigenen Spiegel.",
    },
    description={
        "en": "Somebody with a trained eye looks at your wardrobe, your hem or your eyeliner while you stand at home. "
        "Bring what you own; buying comes last.",
        "de": "Ein geübtes Auge schaut auf Ihren Kleiderschrank, Ihren Saum oder Ihren Lidstrich, während Sie zu "
        "Hause stehen. Bringen Sie mit, was Sie haben; gekauft wird zuletzt.",
    },
    icon="shirt",
    subcategories=SUBCATEGORIES,
    listing_fields=LISTING_FIELDS,
    intake=INTAKE,
    price_guidance=PriceGuidance(low=2000, high=9000),
    cancellation_policies=("flexible", "moderate", "strict"),
    recording="forbidden",
    minimum_age=16,
    vetting_rules=("profile",),
    room=RoomTools(first="camera"),
    disclaimer={
        "en": "Stay dressed as you would in a shop. Sessions in this category are never recorded.",
        "de": "Bleiben Sie bekleidet wie in einem Geschäft. Sitzungen in dieser Kategorie werden nie aufgezeichnet.",
    },
    examples=EXAMPLES,
)
