"""Education: what the category is made of."""

from __future__ import annotations

from helpouts.catalog import Category, CategoryField, Choice, PriceGuidance, RoomTools, Subcategory
from helpouts_category_education.examples import EXAMPLES

SUBCATEGORIES = (
    Subcategory("maths", {"en": "Mathematics", "de": "Mathematik"}),
    Subcategory("sciences", {"en": "Natural sciences", "de": "Naturwissenschaften"}),
    Subcategory("languages", {"en": "Languages", "de": "Sprachen"}),
    Subcategory("music", {"en": "Music lessons", "de": "Musikunterricht"}),
    Subcategory("writing", {"en": "Writing and theses", "de": "Schreiben und Abschlussarbeiten"}),
    Subcategory("exams", {"en": "Exams and learning", "de": "Prüfungen und Lernen"}),
)

LEVELS = (
    Choice("primary", {"en": "Primary school", "de": "Grundschule"}),
    Choice("secondary", {"en": "Secondary school", "de": "Mittelstufe"}),
    Choice("upper", {"en": "Upper secondary", "de": "Oberstufe"}),
    Choice("university", {"en": "University", "de": "Hochschule"}),
    Choice("adult", {"en": "Adult learners", "de": "Erwachsene"}),
)

SUBJECTS = (
    Choice("maths", {"en": "Mathematics", "de": "Mathematik"}),
    Choice("physics", {"en": "Physics", "de": "Physik"}),
    Choice("chemistry", {"en": "Chemistry", "de": "Chemie"}),
    Choice("biology", {"en": "Biology", "de": "Biologie"}),
    Choice("english", {"en": "English", "de": "Englisch"}),
    Choice("german", {"en": "German", "de": "Deutsch"}),
    Choice("french", {"en": "French", "de": "Französisch"}),
    Choice("spanish", {"en": "Spanish", "de": "Spanisch"}),
    Choice("piano", {"en": "Piano", "de": "Klavier"}),
    Choice("guitar", {"en": "Guitar", "de": "Gitarre"}),
    Choice("statistics", {"en": "Statistics", "de": "Statistik"}),
)

LISTING_FIELDS = (
    CategoryField(
        "subjects", "choices", {"en": "Subjects", "de": "Fächer"}, choices=SUBJECTS, required=True, facet=True
    ),
    CategoryField("levels", "choices", {"en": "Levels", "de": "Stufen"}, choices=LEVELS, required=True, facet=True),
    CategoryField(
        "teacher",
        "boolean",
        {"en": "Trained teacher", "de": "Ausgebildete Lehrkraft"},
        help={"en": "A certificate may be asked for.", "de": "Ein Nachweis kann verlangt werden."},
        facet=True,
    ),
    CategoryField(
        "material",
        "text",
        {"en": "Books and material", "de": "Bücher und Material"},
        maximum=240,
    ),
)

INTAKE = (
    CategoryField(
        "topic",
        "long_text",
        {"en": "What do you want to understand?", "de": "Was möchten Sie verstehen?"},
        help={
            "en": "The topic, the exercise, and the point at which you are lost.",
            "de": "Thema, Aufgabe und die Stelle, an der es nicht weitergeht.",
        },
        required=True,
        maximum=2000,
    ),
    CategoryField("level", "choice", {"en": "Your level", "de": "Ihre Stufe"}, choices=LEVELS, required=True),
    CategoryField(
        "deadline",
        "text",
        {"en": "Is there an exam or a date?", "de": "Gibt es eine Prüfung oder einen Termin?"},
        maximum=120,
    ),
    CategoryField(
        "minor",
        "boolean",
        {"en": "The learner is younger than 18", "de": "Die lernende Person ist jünger als 18"},
        help={"en": "A parent is welcome in the room.", "de": "Ein Elternteil ist im Raum willkommen."},
    ),
)

CATEGORY = Category(
    slug="education",
    name={"en": "Education", "de": "Lernen"},
    tagline={
        "en": "The tutor who has time now, from fractions to the final thesis.",
        "de": "Nachhilfe, die jetzt Zeit hat, vom Bruchrechnen bis zur Abschlussarbeit.",
    },
    description={
        "en": "Hold the exercise to the camera, draw on it together, play the bar once more. Teachers, students and "
        "people who love their subject explain it a second time, differently.",
        "de": "Halten Sie die Aufgabe vor die Kamera, zeichnen Sie gemeinsam, spielen Sie den Takt noch einmal. "
        "Lehrkräfte, Studierende und Menschen, die ihr Fach lieben, erklären es ein zweites Mal, anders.",
    },
    icon="book",
    subcategories=SUBCATEGORIES,
    listing_fields=LISTING_FIELDS,
    intake=INTAKE,
    price_guidance=PriceGuidance(low=1200, high=6000),
    cancellation_policies=("flexible", "moderate", "strict"),
    recording="asked",
    minimum_age=13,
    vetting_rules=("profile",),
    room=RoomTools(first="camera", music_mode=True),
    disclaimer={
        "en": "Experts explain; they do not write graded work for you. Learners under 18 are never recorded.",
        "de": "Hier wird erklärt; benotete Arbeiten schreibt niemand für Sie. Lernende unter 18 werden nie "
        "aufgezeichnet.",
    },
    examples=EXAMPLES,
)
