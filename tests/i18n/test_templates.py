"""What pages and mails say goes through translation, and comes out of it."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Undefined

from helpouts.i18n import use_locale
from helpouts.mail.service import environment
from helpouts.testing import translations

TEMPLATES = {
    str(path.relative_to(package.parent)): path
    for package in translations.packages()
    for path in package.glob("**/templates/**/*.*")
    if path.suffix in {".html", ".txt"}
}
MAILS = [name.removesuffix(".txt") for name in environment().list_templates()]
WORDS = re.compile(r"[A-Za-z]{2}")
#: Names of languages in themselves, and the ends of addresses.
SAME_EVERYWHERE = re.compile(r"^(English|Deutsch|/[\w/?=&.§-]*)$")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_holds_no_text_outside_of_translation(name: str) -> None:
    source = TEMPLATES[name].read_text(encoding="utf-8")
    for hidden in (
        r"\{#.*?#\}",
        r"<(script|style)\b.*?</\1>",
        r"\{%-?\s*trans\b.*?endtrans\s*-?%\}",
        r"\{%-?\s*block \w*class\w*\s*-?%\}.*?\{%-?\s*endblock",
    ):
        source = re.sub(hidden, "", source, flags=re.DOTALL)
    shown = re.findall(r"""\b(?:aria-label|title|placeholder|alt)="([^"{}]*)\"""", source)
    plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "\0", source, flags=re.DOTALL)
    shown += re.sub(r"<[^>]*>", "\0", plain, flags=re.DOTALL).split("\0")
    assert [t.strip() for t in shown if WORDS.search(t) and not SAME_EVERYWHERE.match(t.strip())] == []


class Anything(Undefined):
    """Stands for whatever a mail is told: its attributes are like it, and it shows as a sign without letters."""

    truth = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self)()

    def __str__(self) -> str:
        return "§"

    def __bool__(self) -> bool:
        return self.truth

    def __iter__(self) -> Any:
        return iter((type(self)(), type(self)()))  # also a pair


class Nothing(Anything):
    """The same, but not there."""

    truth = False


def _lines(mail: str, locale: str, kind: type[Anything], what: str) -> list[str]:
    stand_ins = environment().overlay(undefined=kind)
    stand_ins.filters = dict.fromkeys(stand_ins.filters, lambda value, *_: "§") | {"join": lambda *_: "§"}
    with use_locale(locale):
        text = stand_ins.from_string(
            TEMPLATES[f"helpouts/mail/templates/{mail}.txt"].read_text(encoding="utf-8")
        ).render(public_url="", what=what)
    return [
        line.strip() for line in text.splitlines() if WORDS.search(line) and not SAME_EVERYWHERE.match(line.strip())
    ]


WHATS = ("approved", "edit_approved", "declined", "edit_declined", "suspended", "retired", "reinstated")


@pytest.mark.parametrize("mail", MAILS)
def test_every_mail_speaks_german_in_each_of_its_forms(mail: str) -> None:
    for kind, what in product((Anything, Nothing), WHATS):
        english, german = (_lines(mail, locale, kind, what) for locale in ("en", "de"))
        assert len(english) >= 2, "a subject and a text"
        assert len(german) == len(english)
        assert set(german) & set(english) == set()


def test_a_catalogue_of_every_package_is_shipped() -> None:
    """Where there is a catalogue, the wheel has it."""
    for package in translations.packages():
        if not translations.catalogue_of(package, "de").is_file():
            continue
        project = next(p for p in Path(package).parents if (p / "pyproject.toml").is_file())
        declared = "".join(
            (project / f).read_text() for f in ("setup.cfg", "pyproject.toml") if (project / f).is_file()
        )
        assert ".po" in declared, package.name
