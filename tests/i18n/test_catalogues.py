"""Every text of the core, the console and the plugins is there in every language, whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from helpouts import i18n
from helpouts.testing import translations

PACKAGES = {package.name: package for package in translations.packages()}


def test_every_language_that_the_site_offers_is_held_complete() -> None:
    assert {"en", *translations.LOCALES} == set(i18n.LANGUAGES)
    assert {"helpouts", "helpouts_admin", "helpouts_payments_wallet"} <= set(PACKAGES)


@pytest.mark.parametrize("locale", translations.LOCALES)
@pytest.mark.parametrize("name", PACKAGES)
def test_the_catalogue_is_complete_and_fits_the_sources(name: str, locale: str) -> None:
    found = list(translations.problems(PACKAGES[name], locale))
    assert found == [], "run `make translations`, then translate:\n" + "\n".join(found)


@pytest.mark.parametrize("locale", translations.LOCALES)
def test_no_catalogue_contradicts_another(locale: str) -> None:
    """At run time they become one: the same text must mean the same everywhere."""
    said: dict[object, dict[object, str]] = {}
    for name, package in PACKAGES.items():
        for message in translations.read(package, locale):
            if message.id:
                said.setdefault(_hashable(message.id), {})[_hashable(message.string)] = name
    assert {text: ways for text, ways in said.items() if len(ways) > 1} == {}


@pytest.mark.parametrize("locale", translations.LOCALES)
@pytest.mark.parametrize("name", PACKAGES)
def test_two_forms_of_the_plural(name: str, locale: str) -> None:
    path = translations.catalogue_of(PACKAGES[name], locale)
    if path.is_file():
        with path.open("rb") as handle:
            catalogue = read_po(handle)
        assert (catalogue.num_plurals, catalogue.plural_expr) == (2, "(n != 1)")
        assert str(catalogue.locale) == locale


SOURCE = """
from helpouts.i18n import gettext as _, ngettext
_("Good morning")
_("Hello %(name)s")
ngettext("one day", "%(n)s days", 3)
"""
HEAD = (
    'msgid ""\nmsgstr ""\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
)
MORNING = 'msgid "Good morning"\nmsgstr "Guten Morgen"\n\n'
HELLO = 'msgid "Hello %(name)s"\nmsgstr "Hallo %(name)s"\n\n'
DAYS = 'msgid "one day"\nmsgid_plural "%(n)s days"\nmsgstr[0] "ein Tag"\nmsgstr[1] "%(n)s Tage"\n\n'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "__init__.py").write_text(SOURCE)
    return folder


def _write(package: Path, *parts: str) -> None:
    path = translations.catalogue_of(package, "de")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "".join(parts))


@pytest.mark.parametrize(
    ("parts", "complaints"),
    [
        ((MORNING, HELLO, DAYS), []),
        ((HELLO, DAYS), ["missing: 'Good morning'"]),
        ((MORNING.replace("Guten Morgen", ""), HELLO, DAYS), ["untranslated: 'Good morning'"]),
        (("#, fuzzy\n" + MORNING, HELLO, DAYS), ["fuzzy: 'Good morning'"]),
        ((MORNING, HELLO.replace("Hallo %(name)s", "Hallo %(Name)s"), DAYS), ["placeholders differ"]),
        ((MORNING, HELLO.replace("Hallo %(name)s", "Hallo"), DAYS), ["placeholders differ"]),
        ((MORNING, HELLO, DAYS.replace("%(n)s Tage", "viele Tage")), ["placeholders differ"]),
        ((MORNING, HELLO, DAYS.replace("%(n)s Tage", "")), ["untranslated"]),
        ((MORNING, HELLO, DAYS, 'msgid "Bye"\nmsgstr "Tschüs"\n'), ["not used any more: 'Bye'"]),
    ],
)
def test_each_fault_of_a_catalogue_is_named(package: Path, parts: tuple[str, ...], complaints: list[str]) -> None:
    _write(package, *parts)
    found = list(translations.problems(package, "de"))
    assert len(found) == len(complaints)
    assert all(line.startswith(start) for line, start in zip(found, complaints, strict=True))


def test_updating_adds_what_is_new_drops_what_is_gone_and_keeps_the_rest(package: Path) -> None:
    _write(package, MORNING, 'msgid "Bye"\nmsgstr "Tschüs"\n')
    assert translations.update(package, "de") == 2
    catalogue = translations.read(package, "de")
    assert catalogue["Good morning"].string == "Guten Morgen"
    assert "Bye" not in catalogue
    assert "Hello %(name)s" in catalogue
    first = translations.catalogue_of(package, "de").read_bytes()
    translations.update(package, "de")
    assert translations.catalogue_of(package, "de").read_bytes() == first, "a second run changes nothing"


def test_a_package_without_texts_gets_no_catalogue(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text('"""Nothing to say."""\n')
    assert translations.update(tmp_path, "de") == 0
    assert not (tmp_path / "translations").exists()


def _hashable(text: object) -> object:
    return tuple(text) if isinstance(text, list) else text


@pytest.mark.parametrize("name", PACKAGES)
def test_german_speaks_politely(name: str) -> None:
    familiar = re.compile(r"\b(du|dich|dir|dein(e[mnrs]?)?)\b", re.IGNORECASE)
    texts = [str(message.string) for message in translations.read(PACKAGES[name], "de")]
    assert [text for text in texts if familiar.search(text)] == []
