"""Figures and stored words as the operator's language has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from helpouts.i18n import use_locale
from helpouts_admin import words
from helpouts_admin.views.experts import ExpertsView
from helpouts_admin.views.ledger import LedgerView


def shown(view: Any, name: str, **record: Any) -> str:
    return str(cast("Any", view).column_formatters[name](None, None, SimpleNamespace(**record), name))


def test_an_expert_is_described_in_the_operators_language() -> None:
    with use_locale("de"):
        assert shown(ExpertsView, "rating_count", rating_sum=9, rating_count=2) == "4,5 (2)"
        assert shown(ExpertsView, "languages", languages=["en", "de"]) == "Englisch, Deutsch"
        assert [words.word(role) for role in ("owner", "manager", "member")] == ["Inhaber", "Verwaltung", "Mitglied"]


def test_journals_have_names_and_an_unknown_kind_is_shown_as_it_is() -> None:
    with use_locale("de"):
        assert shown(LedgerView, "kind", kind="top_up") == "Aufladung"
    assert shown(LedgerView, "kind", kind="odd") == "odd"
