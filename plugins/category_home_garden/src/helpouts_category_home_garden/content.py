"""Home and garden: what the category is made of."""

from __future__ import annotations

from helpouts.catalog import Category, CategoryField, Choice, PriceGuidance, RoomTools, Subcategory
from helpouts_category_home_garden.examples import EXAMPLES

SUBCATEGORIES = (
    Subcategory("plumbing", {"en": "Water and plumbing", "de": "Wasser und Sanitär"}),
    Subcategory("repairs", {"en": "Repairs and assembly", "de": "Reparieren und Aufbauen"}),
    Subcategory("walls", {"en": "Walls, floors and paint", "de": "Wände, Böden und Farbe"}),
    Subcategory("heating", {"en": "Heating and energy", "de": "Heizung und Energie"}),
    Subcategory("plants", {"en": "House plants and balcony", "de": "Zimmerpflanzen und Balkon"}),
    Subcategory("garden", {"en": "Garden and lawn", "de": "Garten und Rasen"}),
    Subcategory("design", {"en": "Interior design", "de": "Einrichten und Gestalten"}),
)

PLANTS = (
    Choice("house", {"en": "House plants", "de": "Zimmerpflanzen"}),
    Choice("vegetables", {"en": "Vegetables and herbs", "de": "Gemüse und Kräuter"}),
    Choice("fruit", {"en": "Fruit trees and berries", "de": "Obstbäume und Beeren"}),
    Choice("roses", {"en": "Roses and perennials", "de": "Rosen und Stauden"}),
    Choice("lawn", {"en": "Lawn", "de": "Rasen"}),
    Choice("hedges", {"en": "Hedges and shrubs", "de": "Hecken und Sträucher"}),
)

PLACES = (
    Choice("kitchen", {"en": "Kitchen", "de": "Küche"}),
    Choice("bathroom", {"en": "Bathroom", "de": "Bad"}),
    Choice("living", {"en": "Living rooms", "de": "Wohnräume"}),
    Choice("cellar", {"en": "Cellar and utility room", "de": "Keller und Technikraum"}),
    Choice("balcony", {"en": "Balcony and terrace", "de": "Balkon und Terrasse"}),
    Choice("garden", {"en": "Garden", "de": "Garten"}),
)

SKILLS = (
    Choice("none", {"en": "I have never held a drill", "de": "Ich hatte noch nie eine Bohrmaschine in der Hand"}),
    Choice("some", {"en": "I manage small jobs", "de": "Kleinigkeiten bekomme ich hin"}),
    Choice("handy", {"en": "I am handy", "de": "Ich bin geschickt"}),
)

LISTING_FIELDS = (
    CategoryField(
        "places", "choices", {"en": "Where in the home", "de": "Wo im Haus"}, choices=PLACES, required=True, facet=True
    ),
    CategoryField(
        "plant_types",
        "choices",
        {"en": "Plant type", "de": "Pflanzenart"},
        help={"en": "For plants and gardens only.", "de": "Nur für Pflanzen und Gärten."},
        choices=PLANTS,
        facet=True,
    ),
    CategoryField(
        "trade",
        "boolean",
        {"en": "I have learned the trade", "de": "Gelernte Fachkraft"},
        help={"en": "A certificate may be asked for.", "de": "Ein Nachweis kann verlangt werden."},
        facet=True,
    ),
    CategoryField(
        "tools",
        "long_text",
        {"en": "Tools and material to have ready", "de": "Werkzeug und Material, das bereitliegen soll"},
        maximum=500,
    ),
)

INTAKE = (
    CategoryField(
        "what",
        "long_text",
        {"en": "What should be mended, built or saved?", "de": "Was soll repariert, gebaut oder gerettet werden?"},
        help={"en": "Since when, and what have you tried?", "de": "Seit wann, und was haben Sie schon versucht?"},
        required=True,
        maximum=2000,
    ),
    CategoryField("place", "choice", {"en": "Where is it?", "de": "Wo ist es?"}, choices=PLACES),
    CategoryField(
        "age",
        "integer",
        {
            "en": "About how many years old is the building or the plant?",
            "de": "Wie alt ist Haus oder Pflanze, in Jahren?",
        },
        maximum=1000,
    ),
    CategoryField("skill", "choice", {"en": "How handy are you?", "de": "Wie geschickt sind Sie?"}, choices=SKILLS),
    CategoryField(
        "tenant",
        "boolean",
        {"en": "I rent the place", "de": "Ich wohne zur Miete"},
        help={"en": "Some work needs the landlord's consent.", "de": "Manches braucht die Zustimmung der Vermieterin."},
    ),
)

CATEGORY = Category(
    slug="home_garden",
    name={"en": "Home and garden", "de": "Haus und Garten"},
    tagline={
        "en": "Show the leaking tap or the yellow leaf; a tradesperson or gardener sees what you see.",
        "de": "Zeigen Sie den tropfenden Hahn oder das gelbe Blatt; Fachleute sehen, was Sie sehen.",
    },
    description={
        "en": "Hold your phone's camera at it and keep your hands free for the work. Plumbers, painters, gardeners "
        "and interior designers tell you what to do, which part to buy, and when to leave it to a tradesperson on "
        "site.",
        "de": "Halten Sie die Kamera des Handys darauf und behalten Sie die Hände frei. Fachleute für Sanitär, Farbe, "
        "Garten und Einrichtung sagen, was zu tun ist, welches Teil Sie brauchen und wann jemand kommen muss.",
    },
    icon="leaf",
    subcategories=SUBCATEGORIES,
    listing_fields=LISTING_FIELDS,
    intake=INTAKE,
    price_guidance=PriceGuidance(low=1500, high=7000),
    cancellation_policies=("flexible", "moderate"),
    recording="allowed",
    minimum_age=13,
    vetting_rules=("profile",),
    room=RoomTools(first="rear_camera"),
    disclaimer={
        "en": "Mains electricity, gas and load-bearing walls are work for licensed tradespeople on site. Turn off "
        "water and power before you open anything.",
        "de": "Arbeiten an Strom, Gas und tragenden Wänden gehören in die Hände von Fachbetrieben vor Ort. Stellen "
        "Sie Wasser und Strom ab, bevor Sie etwas öffnen.",
    },
    examples=EXAMPLES,
)
