"""Names of languages in the visitor's language."""

from __future__ import annotations

from babel import Locale

from helpouts.i18n import babel_locale


def language_name(code: str) -> str:
    """The language's name in the visitor's language."""
    name = babel_locale().languages.get(code) or Locale("en").languages.get(code) or code
    return str(name[0].upper() + name[1:])
