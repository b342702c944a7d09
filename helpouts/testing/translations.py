"""Keep translations complete: extract the texts of a package, update its catalogues, say what is wrong with them.

``python -m helpouts.testing.translations [PACKAGE_FOLDER ...]`` updates the catalogues of the named packages; without a
name those of the core, the console and every plugin of this repository.  Each package has its own
``translations/LANG/LC_MESSAGES/messages.po``; a package without texts needs none.  No ``.mo`` files: see
:mod:`helpouts.i18n`.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
#: Languages that every package of this repository speaks besides English, the language of the sources.
LOCALES = ("de",)
_TEMPLATES = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "silent": "false"}
#: What only tests see is not translated.
METHODS = [
    ("testing/**.py", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
OPTIONS = {pattern: _TEMPLATES for pattern, method in METHODS if method == "jinja2"}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "plural": (1, 2),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)([#0\- +]*[\d.]*[a-zA-Z])|%(?![%(])(\w)")
_HEADER = """# {language} translations of {name}.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {locale}\\n"
"Plural-Forms: nplurals={plurals}; plural={plural_rule};\\n"

"""


def packages(root: Path = ROOT) -> list[Path]:
    """The folders of the core, the console and the plugins of this repository that hold a Python package."""
    candidates = [root / "helpouts", *root.glob("admin/src/*"), *sorted(root.glob("plugins/*/src/*"))]
    return [folder for folder in candidates if (folder / "__init__.py").is_file()]


def catalogue_of(package: Path, locale: str) -> Path:
    """Where the catalogue of this package for this locale is, or would be."""
    return package / "translations" / locale / "LC_MESSAGES" / "messages.po"


def extract(package: Path) -> Catalog:
    """Every text in the sources and templates of the package, untranslated; places without line numbers."""
    found = Catalog(project=package.name)
    for name, line, message, comments, context in extract_from_dir(package, METHODS, OPTIONS, KEYWORDS):
        found.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return found


def read(package: Path, locale: str) -> Catalog:
    """The package's catalogue; an empty one if there is no file yet."""
    path = catalogue_of(package, locale)
    if not path.is_file():
        return Catalog(locale=locale)
    with path.open("rb") as handle:
        return read_po(handle, locale=locale, abort_invalid=True)


def update(package: Path, locale: str) -> int:
    """Bring the catalogue in line with the sources; what is gone is dropped.

    :returns: how many texts wait for their translation.
    """
    wanted, catalogue = extract(package), read(package, locale)
    if not len(wanted):
        return 0
    catalogue.update(wanted, no_fuzzy_matching=True)
    store(package, locale, catalogue)
    return sum(1 for message in catalogue if message.id and not _complete(message))


def store(package: Path, locale: str, catalogue: Catalog) -> None:
    """Write the catalogue, sorted and without dates, so that versions differ only where texts do."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, omit_header=True, sort_output=True, ignore_obsolete=True, include_lineno=False)
    header = _HEADER.format(
        language=catalogue.locale.english_name if catalogue.locale else locale,
        name=package.name,
        locale=locale,
        plurals=catalogue.num_plurals,
        plural_rule=catalogue.plural_expr,
    )
    path = catalogue_of(package, locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + buffer.getvalue().decode().strip() + "\n", encoding="utf-8")


def problems(package: Path, locale: str) -> Iterator[str]:
    """What is missing, untranslated, unsure (fuzzy), no longer used or differs in its placeholders, one line each."""
    wanted, catalogue = extract(package), read(package, locale)
    for message in wanted:
        if not message.id:
            continue
        translated = catalogue.get(message.id, message.context)
        if translated is None:
            yield f"missing: {message.id!r}"
        elif not _complete(translated):
            yield f"untranslated: {message.id!r}"
        elif translated.fuzzy:
            yield f"fuzzy: {message.id!r}"
        else:
            yield from _differing(translated)
    for message in catalogue:
        if message.id and wanted.get(message.id, message.context) is None:
            yield f"not used any more: {message.id!r}"


def placeholders(text: str) -> set[str]:
    """The ``%(name)s`` parts of a text, each with its conversion."""
    return {match.group(0) for match in _PLACEHOLDER.finditer(text)}


def _complete(message: Message) -> bool:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    forms = 2 if message.pluralizable else 1
    return len(texts) >= forms and all(texts)


def _differing(message: Message) -> Iterator[str]:
    """The singular may leave out the number ("one review"); nothing else may be left out, nothing made up."""
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    known: set[str] = set().union(*map(placeholders, ids))
    for form, (original, text) in enumerate(zip(ids, texts, strict=True)):
        used = placeholders(text or "")
        optional = {"%(n)s", "%(num)s"} if message.pluralizable and form == 0 else set()
        if used - known or placeholders(original) - used - optional:
            yield f"placeholders differ: {original!r} and {text!r}"


def main(folders: list[str]) -> int:
    """Update the catalogues and say how much is left to translate."""
    left = 0
    for package in [Path(folder) for folder in folders] or packages():
        for locale in LOCALES:
            missing = update(package, locale)
            left += missing
            print(f"{package.name} {locale}: {missing} to translate")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
