"""Information technology: what the category is made of."""

from __future__ import annotations

from helpouts.catalog import Category, CategoryField, Choice, PriceGuidance, RoomTools, Subcategory
from helpouts_category_it.examples import EXAMPLES

SUBCATEGORIES = (
    Subcategory("networks", {"en": "Networks and Wi-Fi", "de": "Netzwerk und WLAN"}),
    Subcategory("printers", {"en": "Printers and devices", "de": "Drucker und Geräte"}),
    Subcategory("computers", {"en": "Computers and operating systems", "de": "Computer und Betriebssysteme"}),
    Subcategory("phones", {"en": "Phones and tablets", "de": "Smartphones und Tablets"}),
    Subcategory("security", {"en": "Security and backups", "de": "Sicherheit und Datensicherung"}),
    Subcategory("software", {"en": "Software and office", "de": "Programme und Büro"}),
    Subcategory("coding", {"en": "Programming and websites", "de": "Programmieren und Webseiten"}),
)

SYSTEMS = (
    Choice("windows", {"en": "Windows", "de": "Windows"}),
    Choice("macos", {"en": "macOS", "de": "macOS"}),
    Choice("linux", {"en": "Linux", "de": "Linux"}),
    Choice("android", {"en": "Android", "de": "Android"}),
    Choice("ios", {"en": "iPhone and iPad", "de": "iPhone und iPad"}),
    Choice("chromeos", {"en": "ChromeOS", "de": "ChromeOS"}),
)

DEVICES = (
    Choice("router", {"en": "Router", "de": "Router"}),
    Choice("printer", {"en": "Printer or scanner", "de": "Drucker oder Scanner"}),
    Choice("laptop", {"en": "Laptop", "de": "Laptop"}),
    Choice("desktop", {"en": "Desktop computer", "de": "Stand-PC"}),
    Choice("phone", {"en": "Phone", "de": "Smartphone"}),
    Choice("tablet", {"en": "Tablet", "de": "Tablet"}),
    Choice("tv", {"en": "Television", "de": "Fernseher"}),
    Choice("nas", {"en": "Network storage", "de": "Netzwerkspeicher"}),
)

LEVELS = (
    Choice("beginner", {"en": "I would like it explained step by step", "de": "Bitte Schritt für Schritt erklären"}),
    Choice("some", {"en": "I know my way around a little", "de": "Ich kenne mich ein wenig aus"}),
    Choice("expert", {"en": "I am at home with technology", "de": "Ich kenne mich gut aus"}),
)

LISTING_FIELDS = (
    CategoryField(
        "systems",
        "choices",
        {"en": "Operating systems", "de": "Betriebssysteme"},
        help={"en": "The systems you can help with.", "de": "Die Systeme, bei denen Sie helfen können."},
        choices=SYSTEMS,
        required=True,
        facet=True,
    ),
    CategoryField(
        "devices",
        "choices",
        {"en": "Devices", "de": "Geräte"},
        help={"en": "What people may bring to the session.", "de": "Womit man zu Ihnen kommen kann."},
        choices=DEVICES,
        facet=True,
    ),
    CategoryField(
        "screen_needed",
        "boolean",
        {"en": "The customer shares the screen", "de": "Der Bildschirm wird geteilt"},
        help={
            "en": "Tick this if you need to see the screen.",
            "de": "Ankreuzen, wenn Sie den Bildschirm sehen müssen.",
        },
    ),
    CategoryField(
        "brands",
        "text",
        {"en": "Familiar brands", "de": "Vertraute Marken"},
        help={"en": "For example AVM, TP-Link, HP, Brother.", "de": "Zum Beispiel AVM, TP-Link, HP, Brother."},
        maximum=200,
    ),
)

INTAKE = (
    CategoryField(
        "model",
        "text",
        {"en": "Which device is it?", "de": "Um welches Gerät geht es?"},
        help={
            "en": "The model is printed on the label below or behind: which router, printer or laptop?",
            "de": "Das Modell steht auf dem Aufkleber unten oder hinten: welcher Router, Drucker oder Laptop?",
        },
        required=True,
        maximum=200,
    ),
    CategoryField(
        "system",
        "choice",
        {"en": "Which operating system do you use?", "de": "Welches Betriebssystem nutzen Sie?"},
        choices=(*SYSTEMS, Choice("unknown", {"en": "I do not know", "de": "Das weiß ich nicht"})),
    ),
    CategoryField(
        "problem",
        "long_text",
        {"en": "What should work at the end?", "de": "Was soll am Ende funktionieren?"},
        help={
            "en": "Say what happens now, and the exact words of any error message.",
            "de": "Was passiert jetzt, und wie lautet die Fehlermeldung genau?",
        },
        required=True,
        maximum=2000,
    ),
    CategoryField(
        "level", "choice", {"en": "How should it be explained?", "de": "Wie soll erklärt werden?"}, choices=LEVELS
    ),
)

CATEGORY = Category(
    slug="it",
    name={"en": "Information technology", "de": "Computer und Technik"},
    tagline={
        "en": "Routers, printers, laptops, phones: somebody who knows looks at it with you.",
        "de": "Router, Drucker, Laptop, Handy: jemand, der sich auskennt, schaut mit Ihnen drauf.",
    },
    description={
        "en": "From the first wireless router to the first program of your own. Share your screen or point your "
        "phone's camera at the blinking light, and an expert walks you through.",
        "de": "Vom ersten WLAN-Router bis zum ersten eigenen Programm. Teilen Sie den Bildschirm oder halten Sie die "
        "Kamera auf das blinkende Lämpchen: Eine Fachkraft führt Sie durch.",
    },
    icon="laptop",
    subcategories=SUBCATEGORIES,
    listing_fields=LISTING_FIELDS,
    intake=INTAKE,
    price_guidance=PriceGuidance(low=1500, high=6000),
    cancellation_policies=("flexible", "moderate", "strict"),
    recording="asked",
    minimum_age=13,
    vetting_rules=("profile",),
    room=RoomTools(first="screen"),
    disclaimer={
        "en": "Make a backup before you change anything, and never tell anybody your passwords: type them yourself "
        "while the screen is not shared.",
        "de": "Sichern Sie Ihre Daten, bevor Sie etwas ändern, und verraten Sie niemandem Ihre Passwörter: Tippen Sie "
        "sie selbst ein, während der Bildschirm nicht geteilt wird.",
    },
    examples=EXAMPLES,
)
