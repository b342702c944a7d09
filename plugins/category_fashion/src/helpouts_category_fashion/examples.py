"""Fashion: believable listings for the demo site."""

from __future__ import annotations

from helpouts.catalog import ExampleListing

_ESTHER = {
    "en": "I dressed newsreaders for nine years and now dress people with better stories. I start with what you own "
    "and send nobody shopping who does not need to.",
    "de": "Neun Jahre habe ich Nachrichtensprecher eingekleidet, heute Menschen mit besseren Geschichten. Ich beginne "
    "mit dem, was Sie haben, und schicke niemanden unnötig einkaufen.",
}
_TAREK = {
    "en": "Third-generation tailor. My grandfather said that a good alteration is one that nobody sees, and I still "
    "work by that.",
    "de": "Schneider in dritter Generation. Mein Großvater sagte, eine gute Änderung sei eine, die niemand sieht, und "
    "daran halte ich mich.",
}
_YUKI = {
    "en": "Make-up artist for theatre and television, trained in Osaka and Vienna. In daylight I prefer faces that "
    "look like themselves.",
    "de": "Maskenbildnerin für Theater und Fernsehen, ausgebildet in Osaka und Wien. Bei Tageslicht mag ich "
    "Gesichter, die nach sich selbst aussehen.",
}
_WOOL = {
    "en": "We meet every Tuesday above the bakery and have dropped every stitch there is. Come as you are, tangled "
    "yarn included.",
    "de": "Wir treffen uns jeden Dienstag über der Bäckerei und haben schon jede Masche fallen lassen. Kommen Sie, "
    "wie Sie sind, auch mit verknotetem Garn.",
}

EXAMPLES = (
    ExampleListing(
        expert="Esther Okafor",
        headline="Stylist who shops in your own wardrobe first",
        title={"en": "What to wear to the interview", "de": "Was ziehe ich zum Vorstellungsgespräch an?"},
        summary={
            "en": "Two outfits from your own wardrobe that look like you on a good day.",
            "de": "Zwei Outfits aus dem eigenen Schrank, in denen Sie aussehen wie an einem guten Tag.",
        },
        description={
            "en": "Tell me where you apply and show me what hangs there. We try four combinations in front of the "
            "camera, standing, sitting and in the light of a video call. You keep two of them, one for the first "
            "round and one for the second, down to socks and bag. If something is missing, I name it with a price "
            "limit and a second-hand alternative.",
            "de": "Erzählen Sie, wo Sie sich bewerben, und zeigen Sie, was im Schrank hängt. Wir probieren vier "
            "Kombinationen vor der Kamera: stehend, sitzend und im Licht eines Videogesprächs. Zwei bleiben, eine für "
            "die erste und eine für die zweite Runde, bis hin zu Socken und Tasche. Fehlt etwas, nenne ich es mit "
            "Preisgrenze und einer Alternative aus zweiter Hand.",
        },
        subcategory="styling",
        pricing="fixed",
        price_minor=4500,
        length_minutes=45,
        fields={
            "wear": ["any"],
            "occasions": ["work"],
            "styles": ["classic", "second_hand"],
            "bring": "Everything you would consider, and the shoes.",
        },
        bio=_ESTHER,
        reviews=(
            (5, "Miriam Z.", "Got the job. The jacket is nine years old."),
            (5, "Philipp A.", "I dislike shopping; I did not have to."),
            (4, "Carla D.", "Honest in a kind way. Good light helps, so sit by a window."),
        ),
    ),
    ExampleListing(
        expert="Tarek Mansour",
        headline="Tailor, third generation",
        title={"en": "Shorten trousers with an invisible hem", "de": "Hosen kürzen mit unsichtbarem Saum"},
        summary={
            "en": "Measure, fold, stitch: by hand, in under an hour, for good.",
            "de": "Messen, falten, nähen: von Hand, in weniger als einer Stunde, für immer.",
        },
        description={
            "en": "All you need is a needle, matching thread and an iron. I show you how to find the right length "
            "with your shoes on, and why the back is a little longer. We sew the first leg together, stitch by "
            "stitch, with the camera close to the fabric. The second leg you sew alone while I watch and have my tea.",
            "de": "Sie brauchen nur Nadel, passendes Garn und ein Bügeleisen. Ich zeige, wie man die richtige Länge "
            "mit Schuhen findet und warum hinten etwas länger bleibt. Das erste Bein nähen wir gemeinsam, Stich für "
            "Stich, mit der Kamera nah am Stoff. Das zweite nähen Sie allein, während ich zuschaue und Tee trinke.",
        },
        subcategory="sewing",
        pricing="fixed",
        price_minor=2800,
        length_minutes=60,
        fields={
            "wear": ["men", "women"],
            "occasions": ["everyday", "wedding"],
            "styles": ["tailored"],
            "bring": "Trousers, shoes, needle, thread, pins, iron.",
        },
        bio=_TAREK,
        reviews=(
            (5, "Johanna B.", "I have since done four pairs. You cannot see it."),
            (5, "Felix W.", "Endless patience with my ten thumbs."),
        ),
        languages=("de", "en", "ar"),
    ),
    ExampleListing(
        expert="Yuki Tanaka",
        headline="Make-up artist from the theatre",
        title={"en": "Eyeliner and daylight make-up", "de": "Lidstrich und Tages-Make-up"},
        summary={
            "en": "With the products you already own, until both sides match.",
            "de": "Mit den Produkten, die Sie schon haben, bis beide Seiten gleich sind.",
        },
        description={
            "en": "Put your products on the table and yourself next to the window. I sort out what suits your skin "
            "and what is too old, and then we do one side together and you the other. You see my hand close up and I "
            "see yours. Billed by the minute: some need eight, some stay for forty because it is fun.",
            "de": "Legen Sie Ihre Produkte auf den Tisch und setzen Sie sich ans Fenster. Ich sortiere, was zu Ihrer "
            "Haut passt und was zu alt ist; dann machen wir eine Seite gemeinsam und Sie die andere allein. Sie sehen "
            "meine Hand von Nahem und ich Ihre. Abgerechnet wird pro Minute: Manche brauchen acht, manche bleiben "
            "vierzig, weil es Spaß macht.",
        },
        subcategory="makeup",
        pricing="per_minute",
        price_minor=110,
        length_minutes=45,
        fields={
            "wear": ["any"],
            "occasions": ["everyday", "work", "stage"],
            "styles": ["classic"],
            "bring": "Your products, a mirror, cotton buds.",
        },
        bio=_YUKI,
        reviews=(
            (5, "Sina M.", "Fifteen years of crooked lines, gone in twelve minutes."),
            (4, "Aylin K.", "Great hints on old mascara. The sound was a little low."),
        ),
        languages=("en", "de", "ja"),
    ),
    ExampleListing(
        expert="Tuesday Wool Circle",
        headline="Eleven knitters above a bakery",
        title={"en": "Rescue my knitting", "de": "Rettet mein Strickzeug"},
        summary={
            "en": "Dropped stitch, wrong count, lost row: free first aid for wool.",
            "de": "Masche gefallen, verzählt, Reihe verloren: kostenlose Erste Hilfe für Wolle.",
        },
        description={
            "en": "Hold your work to the camera and do not pull. One of us will see where the stitch went and catch "
            "it with a crochet hook, by your hands. We also read patterns that make no sense and tell you whether it "
            "is you or the pattern. It is free, because somebody once did it for us.",
            "de": "Halten Sie das Strickzeug vor die Kamera und ziehen Sie nicht. Eine von uns sieht, wohin die "
            "Masche gelaufen ist, und fängt sie mit der Häkelnadel, durch Ihre Hände. Wir lesen auch Anleitungen, die "
            "keinen Sinn ergeben, und sagen Ihnen, ob es an Ihnen liegt oder an der Anleitung. Es kostet nichts, denn "
            "für uns hat das auch einmal jemand getan.",
        },
        subcategory="knitting",
        pricing="free",
        price_minor=0,
        length_minutes=30,
        fields={
            "wear": ["any", "children"],
            "occasions": ["everyday"],
            "bring": "Your work, the pattern, a crochet hook.",
        },
        bio=_WOOL,
        reviews=(
            (5, "Lea H.", "They found the mistake 22 rows down and I did not have to unravel."),
            (5, "Renate P.", "A cheerful bunch. I have joined the circle."),
            (5, "Simon G.", "First sock finished."),
        ),
    ),
)
