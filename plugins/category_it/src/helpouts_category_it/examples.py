"""Information technology: believable listings for the demo site."""

from __future__ import annotations

from helpouts.catalog import ExampleListing

_JONAS = {
    "en": "I spent eleven years in the support team of a regional internet provider and have set up more home "
    "networks than I can count. I explain without jargon and leave you with a short list of what we did.",
    "de": "Elf Jahre war ich im Support eines regionalen Internetanbieters und habe unzählige Heimnetze eingerichtet. "
    "Ich erkläre ohne Fachchinesisch, und am Ende haben Sie eine kurze Liste, was wir gemacht haben.",
}
_PRIYA = {
    "en": "By day I look after 240 laptops and 31 printers of a hospital. Nothing a printer does surprises me any "
    "more. I have a soft spot for people who were told to just buy a new one.",
    "de": "Tagsüber betreue ich 240 Laptops und 31 Drucker eines Krankenhauses. Mich überrascht kein Drucker mehr. "
    "Besonders gern helfe ich Menschen, denen man geraten hat, einfach einen neuen zu kaufen.",
}
_MARTA = {
    "en": "I write Python for a living and teach it because I enjoy the moment when it clicks. Before that I was a "
    "biologist, so I know what it is like to start late.",
    "de": "Ich programmiere beruflich in Python und unterrichte, weil ich den Moment mag, in dem es klick macht. "
    "Vorher war ich Biologin und weiß, wie es ist, spät anzufangen.",
}
_HENRY = {
    "en": "Retired systems administrator, grandfather of five, volunteer at the computer club of our library. I have "
    "time, and I like questions that others find too simple.",
    "de": "Systemverwalter im Ruhestand, fünffacher Großvater, ehrenamtlich im Computerclub unserer Bücherei. Ich "
    "habe Zeit und mag Fragen, die anderen zu einfach sind.",
}
_SOFIA = {
    "en": "I help freelancers and small practices to keep their data theirs: backups, passwords, second factors. "
    "Certified information security officer since 2017.",
    "de": "Ich helfe Selbstständigen und kleinen Praxen, Herr ihrer Daten zu bleiben: Sicherungen, Passwörter, "
    "zweiter Faktor. Zertifizierte Beauftragte für Informationssicherheit seit 2017.",
}

EXAMPLES = (
    ExampleListing(
        expert="Jonas Weber",
        headline="Home networks that simply work, for eleven years",
        title={"en": "Set up your wireless router", "de": "WLAN-Router einrichten"},
        summary={
            "en": "From the box to a safe network in every room, in half an hour.",
            "de": "Vom Karton zum sicheren WLAN in jedem Zimmer, in einer halben Stunde.",
        },
        description={
            "en": "You have a new router, or an old one that never worked properly. We plug it in together while you "
            "show me the lights and cables with your phone, enter the data of your provider, and give the network a "
            "good password. Then we walk through your rooms and find the best place for the router. At the end your "
            "laptop, phone and television are online and you know how to add the next device yourself. Please have "
            "the letter of your internet provider at hand.",
            "de": "Sie haben einen neuen Router oder einen alten, der nie richtig lief. Wir schließen ihn gemeinsam "
            "an, während Sie mir Lämpchen und Kabel mit dem Handy zeigen, tragen die Daten Ihres Anbieters ein und "
            "geben dem Netz ein gutes Passwort. Danach gehen wir durch die Zimmer und finden den besten Platz. Am "
            "Ende sind Laptop, Handy und Fernseher online, und das nächste Gerät verbinden Sie selbst. Bitte halten "
            "Sie den Brief Ihres Internetanbieters bereit.",
        },
        subcategory="networks",
        pricing="fixed",
        price_minor=2500,
        length_minutes=30,
        fields={
            "systems": ["windows", "macos", "linux", "android", "ios"],
            "devices": ["router", "tv"],
            "screen_needed": False,
            "brands": "AVM, TP-Link, Asus, Speedport",
        },
        bio=_JONAS,
        reviews=(
            (
                5,
                "Ruth K.",
                "I am 71 and was afraid of that box. After 25 minutes everything worked, even the television.",
            ),
            (5, "Deniz A.", "Found out that my old power-line adapter was the culprit. Worth every cent."),
            (4, "Paul M.", "Quick and friendly. We ran out of time for the printer, but the Wi-Fi is great."),
        ),
    ),
    ExampleListing(
        expert="Priya Raman",
        headline="Printers, scanners and the laptops that refuse to talk to them",
        title={"en": "Connect your laptop to a printer", "de": "Laptop mit dem Drucker verbinden"},
        summary={
            "en": "Wireless, cable or “it worked yesterday”: we print a page before we hang up.",
            "de": "WLAN, Kabel oder „gestern ging es noch“: Wir legen erst auf, wenn eine Seite gedruckt ist.",
        },
        description={
            "en": "Share your screen and show me the printer with your phone: that is all I need. We bring the "
            "printer into your network, install the right driver and remove the four wrong ones. Scanning to your "
            "laptop is part of it if your device can scan. You do not leave before a test page lies in the tray. If "
            "your printer turns out to be broken, I tell you honestly and give the session back.",
            "de": "Teilen Sie den Bildschirm und zeigen Sie mir den Drucker mit dem Handy: Mehr brauche ich nicht. "
            "Wir bringen den Drucker ins Netz, installieren den richtigen Treiber und entfernen die vier falschen. "
            "Wenn das Gerät scannen kann, richten wir auch das ein. Fertig sind wir, wenn eine Testseite im Fach "
            "liegt. Ist der Drucker kaputt, sage ich es ehrlich und Sie bekommen Ihr Geld zurück.",
        },
        subcategory="printers",
        pricing="fixed",
        price_minor=2000,
        length_minutes=30,
        fields={
            "systems": ["windows", "macos", "linux", "chromeos"],
            "devices": ["printer", "laptop"],
            "screen_needed": True,
            "brands": "HP, Brother, Canon, Epson",
        },
        bio=_PRIYA,
        reviews=(
            (5, "Anja S.", "Three evenings on my own, fourteen minutes with Priya."),
            (5, "Tom R.", "Clear, patient, funny. Scanning works now too."),
            (3, "Ines W.", "Solved in the end, but my connection dropped twice."),
        ),
        languages=("en", "de"),
    ),
    ExampleListing(
        expert="Marta Nowak",
        headline="Python, spelled out, for people who start late",
        title={"en": "Get unstuck with your Python program", "de": "Weiterkommen mit dem eigenen Python-Programm"},
        summary={
            "en": "Bring the error message. You pay only for the minutes it takes.",
            "de": "Bringen Sie die Fehlermeldung mit. Sie zahlen nur die Minuten, die es dauert.",
        },
        description={
            "en": "Your script fails, the loop never ends, or the package does not install? We look at it on your "
            "screen and find out why, instead of guessing. I ask questions until you see the mistake yourself, since "
            "that is how it stays. Good for homework you want to understand, for data from the lab and for the first "
            "small web application. I do not write your exam for you.",
            "de": "Das Skript bricht ab, die Schleife endet nie, oder das Paket lässt sich nicht installieren? Wir "
            "sehen es uns auf Ihrem Bildschirm an und finden heraus, warum, statt zu raten. Ich frage so lange, bis "
            "Sie den Fehler selbst sehen, denn nur so bleibt es hängen. Gut für Aufgaben, die Sie verstehen wollen, "
            "für Labordaten und für die erste kleine Webanwendung. Prüfungen schreibe ich nicht für Sie.",
        },
        subcategory="coding",
        pricing="per_minute",
        price_minor=90,
        length_minutes=60,
        fields={"systems": ["linux", "macos", "windows"], "devices": ["laptop", "desktop"], "screen_needed": True},
        bio=_MARTA,
        reviews=(
            (5, "Lukas B.", "She found the off-by-one in four minutes and then made sure that I understood it."),
            (5, "Hannah P.", "Best teacher I have had. Paid for 22 minutes."),
        ),
        languages=("en", "de", "pl"),
    ),
    ExampleListing(
        expert="Henry Albrecht",
        headline="Retired administrator with time for simple questions",
        title={"en": "First steps with your new phone", "de": "Erste Schritte mit dem neuen Handy"},
        summary={
            "en": "Free and unhurried help for people who did not grow up with it.",
            "de": "Kostenlose Hilfe mit Zeit, für alle, die nicht damit aufgewachsen sind.",
        },
        description={
            "en": "A grandchild gave you a phone and went home again? We set the letters to a size you can read, put "
            "your family's pictures where you find them and make the first video call. I do this for free, because "
            "the library taught me a lot. There are no stupid questions, and we can repeat everything as often as you "
            "like. Have a pen and paper ready.",
            "de": "Das Enkelkind hat Ihnen ein Handy geschenkt und ist wieder abgereist? Wir stellen die Schrift so "
            "groß, dass Sie sie lesen können, legen die Fotos der Familie dorthin, wo Sie sie finden, und führen das "
            "erste Videogespräch. Ich mache das umsonst, weil die Bücherei mir viel gegeben hat. Dumme Fragen gibt es "
            "nicht, und wir wiederholen alles so oft Sie mögen. Legen Sie Stift und Papier bereit.",
        },
        subcategory="phones",
        pricing="free",
        price_minor=0,
        length_minutes=45,
        fields={"systems": ["android", "ios"], "devices": ["phone", "tablet"], "screen_needed": False},
        bio=_HENRY,
        reviews=(
            (5, "Gerda L.", "A gentleman. I have called my sister in Canada every day since."),
            (5, "Winfried H.", "Patient, clear and with a good sense of humour."),
            (4, "Marianne T.", "Very kind. I shall come back for the photographs."),
        ),
    ),
    ExampleListing(
        expert="Sofia Lindqvist",
        headline="Security officer for people without a security officer",
        title={
            "en": "Check-up: passwords, backups, second factor",
            "de": "Sicherheits-Check: Passwörter, Backup, Zweitfaktor",
        },
        summary={
            "en": "One hour, one list, and your data survives a lost laptop.",
            "de": "Eine Stunde, eine Liste, und Ihre Daten überstehen einen verlorenen Laptop.",
        },
        description={
            "en": "We go through your accounts in the order in which losing them would hurt. You get a password "
            "manager that runs on all your devices, a second factor for your mail and a backup that we test by "
            "restoring a file. I never see a password: you type, I look away. A week later you may ask me one "
            "question by message at no charge.",
            "de": "Wir gehen Ihre Konten in der Reihenfolge durch, in der ihr Verlust weh täte. Sie bekommen einen "
            "Passwortmanager auf allen Geräten, einen zweiten Faktor für Ihre Mail und eine Datensicherung, die wir "
            "prüfen, indem wir eine Datei zurückholen. Ein Passwort sehe ich nie: Sie tippen, ich schaue weg. Eine "
            "Woche später dürfen Sie mir kostenlos noch eine Frage schreiben.",
        },
        subcategory="security",
        pricing="fixed",
        price_minor=6500,
        length_minutes=60,
        fields={
            "systems": ["windows", "macos", "android", "ios"],
            "devices": ["laptop", "desktop", "phone", "nas"],
            "screen_needed": True,
        },
        bio=_SOFIA,
        reviews=(
            (
                5,
                "Practice Dr. Berger",
                "We had put it off for years. Now there is a plan, and a backup that really restores.",
            ),
            (4, "Oliver D.", "Dense but good. Take notes."),
        ),
        languages=("en", "de", "sv"),
    ),
)
