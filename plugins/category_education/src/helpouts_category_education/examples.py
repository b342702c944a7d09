"""Education: believable listings for the demo site."""

from __future__ import annotations

from helpouts.catalog import ExampleListing

_ANNA = {
    "en": "I taught mathematics and physics at a grammar school for 14 years. I collect explanations: for fractions "
    "alone I have nine, and one of them will be yours.",
    "de": "Vierzehn Jahre habe ich am Gymnasium Mathematik und Physik unterrichtet. Ich sammle Erklärungen: Allein "
    "für Brüche habe ich neun, und eine davon ist Ihre.",
}
_MATEO = {
    "en": "Born in Salamanca, teaching in Leipzig. I speak slowly for you and fast for the cinema, and I correct only "
    "what stands in the way.",
    "de": "Geboren in Salamanca, Lehrer in Leipzig. Für Sie spreche ich langsam, fürs Kino schnell, und ich "
    "verbessere nur, was im Weg steht.",
}
_GRACE = {
    "en": "Pianist and accompanist of two choirs. I teach adults who always wanted to and children who practise too "
    "little, and I have forgiveness for both.",
    "de": "Pianistin und Begleiterin zweier Chöre. Ich unterrichte Erwachsene, die es immer wollten, und Kinder, die "
    "zu wenig üben, und habe für beide Verständnis.",
}
_STUDENTS = {
    "en": "We are doctoral students in statistics and answer what the lecture left open. Run by the students' union "
    "of a small university.",
    "de": "Wir promovieren in Statistik und beantworten, was die Vorlesung offen ließ. Ein Angebot der Fachschaft "
    "einer kleinen Universität.",
}
_RUTH = {
    "en": "Editor of scientific books for twenty years. I have read some 300 theses, and about as many first pages "
    "that began too far away.",
    "de": "Zwanzig Jahre Lektorin für Sachbücher. Ich habe rund 300 Abschlussarbeiten gelesen und ebenso viele erste "
    "Seiten, die zu weit weg begannen.",
}

EXAMPLES = (
    ExampleListing(
        expert="Anna Schreiber",
        headline="Mathematics with nine explanations for fractions",
        title={"en": "Maths homework, understood", "de": "Mathe-Hausaufgaben, verstanden"},
        summary={
            "en": "Fractions, equations, functions: until you can do the next one alone.",
            "de": "Brüche, Gleichungen, Funktionen: bis die nächste Aufgabe allein gelingt.",
        },
        description={
            "en": "Hold the exercise to the camera and tell me what you think it wants. We find the point where it "
            "goes wrong, which is usually two years further back than you believe, and repair it there. Then you do "
            "the next exercise aloud and I keep quiet. Parents may listen. You keep our notes.",
            "de": "Halte die Aufgabe vor die Kamera und sag mir, was sie deiner Meinung nach will. Wir suchen die "
            "Stelle, an der es schiefgeht; sie liegt meist zwei Jahre weiter zurück, als man denkt, und dort "
            "reparieren wir sie. Dann rechnest du die nächste Aufgabe laut, und ich bin still. Eltern dürfen zuhören. "
            "Unsere Notizen behältst du.",
        },
        subcategory="maths",
        pricing="fixed",
        price_minor=2400,
        length_minutes=45,
        fields={
            "subjects": ["maths", "physics"],
            "levels": ["secondary", "upper"],
            "teacher": True,
            "material": "Your own school book.",
        },
        bio=_ANNA,
        reviews=(
            (5, "Susanne B.", "From a five to a three, and no more tears at the kitchen table."),
            (5, "Zoe", "She waits until I get it."),
            (4, "Farid L.", "Very good. We should have booked an hour."),
        ),
    ),
    ExampleListing(
        expert="Mateo García",
        headline="Spanish conversation, corrected gently",
        title={"en": "Talk Spanish with me", "de": "Sprich Spanisch mit mir"},
        summary={
            "en": "Conversation by the minute, before a journey or just because.",
            "de": "Gespräche pro Minute, vor einer Reise oder einfach so.",
        },
        description={
            "en": "No book, no grammar tables. You talk, I ask, and at the end you get the five sentences that you "
            "will say better next time. Beginners prepare a short scene, such as the hotel, the market or the doctor, "
            "and we play it until it runs. Stop whenever you like, because you pay by the minute.",
            "de": "Kein Buch, keine Tabellen. Sie reden, ich frage, und am Ende bekommen Sie die fünf Sätze, die Sie "
            "beim nächsten Mal besser sagen. Wer anfängt, bereitet eine kleine Szene vor, etwa Hotel, Markt oder "
            "Arzt, und wir spielen sie, bis sie läuft. Hören Sie auf, wann Sie mögen, denn Sie zahlen pro Minute.",
        },
        subcategory="languages",
        pricing="per_minute",
        price_minor=60,
        length_minutes=60,
        fields={"subjects": ["spanish"], "levels": ["adult", "upper"], "teacher": True},
        bio=_MATEO,
        reviews=(
            (5, "Verena S.", "Two sessions before Seville, and I ordered everything myself."),
            (5, "Nils J.", "Funny, patient, and he really remembers what I said last week."),
        ),
        languages=("es", "de", "en"),
    ),
    ExampleListing(
        expert="Grace Abernathy",
        headline="Pianist with forgiveness",
        title={"en": "Piano: get over the difficult bar", "de": "Klavier: über die schwierige Stelle"},
        summary={
            "en": "Half an hour for the four bars you always stumble over.",
            "de": "Eine halbe Stunde für die vier Takte, an denen Sie immer hängen.",
        },
        description={
            "en": "Put the phone where I can see your hands, and play. We find out whether it is the fingering, the "
            "rhythm or the left hand that is in a hurry, and practise it slowly in three different ways. The room's "
            "music mode lets me hear what your piano really sounds like. You leave with a practice plan for one week, "
            "ten minutes a day.",
            "de": "Stellen Sie das Handy so, dass ich Ihre Hände sehe, und spielen Sie. Wir finden heraus, ob es am "
            "Fingersatz, am Rhythmus oder an der eiligen linken Hand liegt, und üben es langsam auf drei Arten. Im "
            "Musikmodus höre ich, wie Ihr Klavier wirklich klingt. Sie gehen mit einem Übeplan für eine Woche, zehn "
            "Minuten am Tag.",
        },
        subcategory="music",
        pricing="fixed",
        price_minor=2200,
        length_minutes=30,
        fields={
            "subjects": ["piano"],
            "levels": ["primary", "secondary", "adult"],
            "teacher": True,
            "material": "The piece you are working on.",
        },
        bio=_GRACE,
        reviews=(
            (5, "Dorothea K.", "At 63 I finally play the whole nocturne."),
            (4, "Ben R.", "Good ear, even over my old upright."),
        ),
    ),
    ExampleListing(
        expert="Fachschaft Statistik",
        headline="Doctoral students who answer what the lecture left open",
        title={"en": "Statistics clinic for theses", "de": "Statistik-Sprechstunde für Abschlussarbeiten"},
        summary={
            "en": "Free: which test, which sample, and what the p-value does not say.",
            "de": "Kostenlos: welcher Test, welche Stichprobe, und was der p-Wert nicht sagt.",
        },
        description={
            "en": "Bring your question, your table and your fear. We look at what you measured and help you to choose "
            "a method that fits, with R or with what you know. We tell you when your sample is too small before your "
            "examiner does. Free for everybody who writes a thesis; we explain and do not calculate for you.",
            "de": "Bringen Sie Frage, Tabelle und Bauchweh mit. Wir sehen uns an, was Sie gemessen haben, und helfen "
            "bei der Wahl einer passenden Methode, mit R oder mit dem, was Sie kennen. Wir sagen Ihnen, wenn die "
            "Stichprobe zu klein ist, bevor es die Prüferin tut. Kostenlos für alle, die eine Arbeit schreiben; wir "
            "erklären und rechnen nicht für Sie.",
        },
        subcategory="exams",
        pricing="free",
        price_minor=0,
        length_minutes=30,
        fields={"subjects": ["statistics", "maths"], "levels": ["university"], "teacher": False},
        bio=_STUDENTS,
        reviews=(
            (5, "Katharina M.", "Saved my chapter four."),
            (5, "Ömer T.", "Explained confidence intervals with a bag of sweets."),
        ),
    ),
    ExampleListing(
        expert="Ruth Feldmann",
        headline="Editor, 300 theses later",
        title={"en": "The first page of your thesis", "de": "Die erste Seite Ihrer Abschlussarbeit"},
        summary={
            "en": "We read it aloud, cut it in half, and it says twice as much.",
            "de": "Wir lesen sie laut, kürzen auf die Hälfte, und sie sagt doppelt so viel.",
        },
        description={
            "en": "Send me one page in the chat and share your document. We read it aloud and stop wherever you run "
            "out of breath. I show you where the text begins, which is seldom at the top, and how a paragraph carries "
            "one thought. You do the rewriting, so it remains your work. Good for German and English texts.",
            "de": "Schicken Sie mir eine Seite im Chat und teilen Sie Ihr Dokument. Wir lesen laut und halten an, wo "
            "Ihnen die Luft ausgeht. Ich zeige Ihnen, wo der Text beginnt, nämlich selten oben, und wie ein Absatz "
            "einen Gedanken trägt. Umschreiben werden Sie selbst, so bleibt es Ihre Arbeit. Für deutsche und "
            "englische Texte.",
        },
        subcategory="writing",
        pricing="fixed",
        price_minor=4800,
        length_minutes=60,
        fields={"subjects": ["german", "english"], "levels": ["university"], "teacher": False},
        bio=_RUTH,
        reviews=(
            (5, "Tobias E.", "Painful and wonderful."),
            (5, "Mai L.", "My supervisor asked what had happened to my writing."),
        ),
    ),
)
