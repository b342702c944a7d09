"""Home and garden: believable listings for the demo site."""

from __future__ import annotations

from helpouts.catalog import ExampleListing

_FRANK = {
    "en": "Master plumber with a business of my own for 19 years. A third of the visits I was called to needed a "
    "rubber ring and five minutes. Now I show people how.",
    "de": "Installateurmeister, seit 19 Jahren mit eigenem Betrieb. Bei jedem dritten Einsatz hätten ein "
    "Dichtungsring und fünf Minuten gereicht. Heute zeige ich, wie es geht.",
}
_LEILA = {
    "en": "I grow 140 kinds of house plants in a flat that faces north, and I ran the sick bay of a garden centre for "
    "six years. Most plants die of kindness.",
    "de": "In meiner Nordwohnung wachsen 140 Arten von Zimmerpflanzen, und sechs Jahre habe ich die Krankenstation "
    "eines Gartencenters geführt. Die meisten Pflanzen sterben an zu viel Liebe.",
}
_GREEN = {
    "en": "We are four gardeners from the allotment association at the old brickworks. One of us is always near the "
    "phone. We answer what your soil, your weather and your neighbour's cat throw at you.",
    "de": "Wir sind vier Gärtnerinnen und Gärtner aus dem Kleingartenverein an der alten Ziegelei. Eine oder einer "
    "von uns ist immer am Telefon. Wir wissen Rat zu Boden, Wetter und Nachbars Katze.",
}
_OWEN = {
    "en": "Painter and plasterer, trained in Leeds, at home in Bremen. I like old houses and people who want to do it "
    "themselves and do it properly.",
    "de": "Maler und Stuckateur, gelernt in Leeds, zu Hause in Bremen. Ich mag alte Häuser und Leute, die es selbst "
    "machen und richtig machen wollen.",
}
_CHIARA = {
    "en": "Interior designer with a small studio. I think that a good room is mostly a matter of light and of "
    "throwing things out, and that neither costs much.",
    "de": "Innenarchitektin mit kleinem Büro. Ein guter Raum ist vor allem eine Frage von Licht und Weglassen, und "
    "beides kostet wenig.",
}

EXAMPLES = (
    ExampleListing(
        expert="Frank Petersen",
        headline="Master plumber who looks at it through your camera",
        title={"en": "Stop the dripping tap", "de": "Den tropfenden Hahn abdichten"},
        summary={
            "en": "Kitchen, bathroom or garden tap: find the part, change it, dry again.",
            "de": "Küche, Bad oder Garten: Teil finden, tauschen, wieder dicht.",
        },
        description={
            "en": "You hold the phone, I tell you which screw. First we find the stop valve, so that nothing can "
            "happen. Then we take the tap apart, lay the pieces on a towel and see which ring or cartridge is worn. "
            "If you already have the part, we fit it at once; if not, I name it exactly and you get a second short "
            "session at no charge.",
            "de": "Sie halten das Handy, ich sage Ihnen, welche Schraube. Zuerst suchen wir das Absperrventil, damit "
            "nichts passieren kann. Dann zerlegen wir den Hahn, legen die Teile auf ein Handtuch und sehen, welcher "
            "Ring oder welche Kartusche verschlissen ist. Haben Sie das Teil schon, bauen wir es gleich ein; sonst "
            "nenne ich es Ihnen genau, und ein zweiter kurzer Termin ist kostenlos.",
        },
        subcategory="plumbing",
        pricing="fixed",
        price_minor=2900,
        length_minutes=30,
        fields={
            "places": ["kitchen", "bathroom"],
            "trade": True,
            "tools": "Adjustable spanner, flat screwdriver, towel, torch.",
        },
        bio=_FRANK,
        reviews=(
            (5, "Sabine F.", "A seal for 80 cents instead of a visit for 120 euros."),
            (5, "Emre Y.", "He saw at once that the valve was the problem, not the tap."),
            (4, "Julia N.", "Needed a second session for the part, which was free as promised."),
        ),
    ),
    ExampleListing(
        expert="Leila Haddad",
        headline="Doctor for house plants, 140 patients at home",
        title={"en": "Save my house plant", "de": "Rettet meine Zimmerpflanze"},
        summary={
            "en": "Yellow leaves, brown tips, small flies: a diagnosis and a plan.",
            "de": "Gelbe Blätter, braune Spitzen, kleine Fliegen: Diagnose und Plan.",
        },
        description={
            "en": "Show me the leaves from above and from below, and the soil with a finger in it. I tell you what "
            "your plant has and whether it is catching. We cut what must go, repot if it is needed and find the "
            "window it will like. You pay by the minute, and most patients need ten. I write you a watering plan for "
            "the next month in the chat.",
            "de": "Zeigen Sie mir die Blätter von oben und unten, und die Erde mit einem Finger darin. Ich sage "
            "Ihnen, was die Pflanze hat und ob es ansteckend ist. Wir schneiden, was weg muss, topfen um, wenn es "
            "nötig ist, und finden das richtige Fenster. Sie zahlen pro Minute, und meistens reichen zehn. Den "
            "Gießplan für den nächsten Monat schreibe ich Ihnen in den Chat.",
        },
        subcategory="plants",
        pricing="per_minute",
        price_minor=70,
        length_minutes=30,
        fields={"places": ["living", "balcony"], "plant_types": ["house"], "trade": True},
        bio=_LEILA,
        reviews=(
            (5, "Nora G.", "My monstera has three new leaves. Paid 6 euros 30."),
            (5, "Kai S.", "Thrips. I would never have looked there."),
            (4, "Beate U.", "One plant could not be saved, but now I know why."),
        ),
        languages=("de", "en", "ar"),
    ),
    ExampleListing(
        expert="Ziegelei Allotment Gardeners",
        headline="Four gardeners, one phone, since 1987",
        title={"en": "Ask a gardener: first vegetable bed", "de": "Frag den Gärtner: das erste Gemüsebeet"},
        summary={
            "en": "Free advice from volunteers on soil, seeds and what goes next to what.",
            "de": "Kostenloser Rat von Ehrenamtlichen zu Boden, Saat und guter Nachbarschaft.",
        },
        description={
            "en": "Walk through your garden with us on the phone. We look at sun and soil, say what will grow there "
            "and what will not, and draw the bed on the picture. You get a calendar for the year with sowing and "
            "harvest. It costs nothing; if you like it, plant something for the bees.",
            "de": "Gehen Sie mit uns am Handy durch Ihren Garten. Wir schauen auf Sonne und Boden, sagen, was dort "
            "wächst und was nicht, und zeichnen das Beet ins Bild. Sie bekommen einen Kalender für das Jahr mit "
            "Aussaat und Ernte. Es kostet nichts; wenn es Ihnen gefällt, pflanzen Sie etwas für die Bienen.",
        },
        subcategory="garden",
        pricing="free",
        price_minor=0,
        length_minutes=30,
        fields={"places": ["garden", "balcony"], "plant_types": ["vegetables", "fruit", "lawn"], "trade": False},
        bio=_GREEN,
        reviews=(
            (5, "Familie Özdemir", "Radishes after four weeks, the children are thrilled."),
            (5, "Jan V.", "They drew the beds right on the picture of my lawn."),
        ),
        languages=("de", "en"),
    ),
    ExampleListing(
        expert="Owen Barker",
        headline="Painter and plasterer for old houses",
        title={"en": "Plan your wall before you paint it", "de": "Erst planen, dann streichen"},
        summary={
            "en": "Stains, cracks, old wallpaper: what to do first, and how much paint you need.",
            "de": "Flecken, Risse, alte Tapete: was zuerst kommt und wie viel Farbe Sie brauchen.",
        },
        description={
            "en": "Most paint comes off because of what is below it. We look at your wall with the camera, do the "
            "tape and the sponge test together and decide between filler, primer and a new coat of plaster. You get a "
            "list of materials with amounts for your square metres. I stay until you have mixed the first bucket and "
            "rolled the first strip.",
            "de": "Farbe blättert meist wegen dem, was darunter ist. Wir sehen uns die Wand mit der Kamera an, machen "
            "gemeinsam Klebeband- und Schwammprobe und entscheiden zwischen Spachtel, Grundierung und neuem Putz. Sie "
            "bekommen eine Materialliste mit Mengen für Ihre Quadratmeter. Ich bleibe, bis der erste Eimer angerührt "
            "und die erste Bahn gerollt ist.",
        },
        subcategory="walls",
        pricing="fixed",
        price_minor=3500,
        length_minutes=45,
        fields={
            "places": ["living", "kitchen", "cellar"],
            "trade": True,
            "tools": "Adhesive tape, sponge, folding rule.",
        },
        bio=_OWEN,
        reviews=(
            (5, "Mirjam E.", "Saved me from painting over damp plaster."),
            (4, "Christoph L.", "Very thorough. The list of materials was exactly right."),
        ),
    ),
    ExampleListing(
        expert="Chiara Fontana",
        headline="Interior designer: light first, furniture last",
        title={"en": "One room, one hour, three ideas", "de": "Ein Zimmer, eine Stunde, drei Ideen"},
        summary={
            "en": "Walk me through the room and get three sketches you can carry out this weekend.",
            "de": "Führen Sie mich durchs Zimmer; Sie bekommen drei Skizzen fürs nächste Wochenende.",
        },
        description={
            "en": "You show me the room as it is, please without tidying up. I ask what you do there and at which "
            "time of day. Then I draw three arrangements on the snapshot of your room: one for no money, one for a "
            "little and one with a wish. We talk about lamps, colours and what may leave. The sketches stay in your "
            "session.",
            "de": "Sie zeigen mir das Zimmer, wie es ist, bitte ohne aufzuräumen. Ich frage, was Sie dort tun und zu "
            "welcher Tageszeit. Dann zeichne ich drei Varianten auf den Schnappschuss Ihres Zimmers: eine ohne Geld, "
            "eine mit wenig und eine mit Wunsch. Wir sprechen über Lampen, Farben und was gehen darf. Die Skizzen "
            "bleiben in Ihrer Sitzung.",
        },
        subcategory="design",
        pricing="fixed",
        price_minor=6900,
        length_minutes=60,
        fields={"places": ["living"], "trade": True},
        bio=_CHIARA,
        reviews=(
            (5, "Amelie R.", "We moved two shelves and a lamp, and it is another flat."),
            (5, "Stefan O.", "The idea for no money was the best one."),
        ),
        languages=("de", "en", "it"),
    ),
)
