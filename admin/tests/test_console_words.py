"""Figures and stored words as the operator's language has them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import helpouts
import helpouts_admin
from helpouts.i18n import add_catalogues, use_locale
from helpouts.payments import ledger
from helpouts.payments.wallets import LABELS
from helpouts.sessions.states import SUPPORT
from helpouts_admin import audit_words, ledger_words, words
from helpouts_admin.views.audit import AuditView
from helpouts_admin.views.experts import ExpertsView
from helpouts_admin.views.ledger import LedgerView

add_catalogues("helpouts_admin")  # as at the start of a process that has the console


def shown(view: Any, name: str, **record: Any) -> str:
    return str(cast("Any", view).column_formatters[name](None, None, SimpleNamespace(**record), name))


def test_an_expert_is_described_in_the_operators_language() -> None:
    with use_locale("de"):
        assert shown(ExpertsView, "rating_count", rating_sum=9, rating_count=2) == "4,5 (2)"
        assert shown(ExpertsView, "languages", languages=["en", "de"]) == "Englisch, Deutsch"
        assert [words.word(role) for role in ("owner", "manager", "member")] == ["Inhaber", "Verwaltung", "Mitglied"]


def test_journals_have_names_above_their_codes_and_an_unknown_kind_is_shown_as_it_is() -> None:
    with use_locale("de"):
        assert shown(LedgerView, "kind", kind="top_up") == 'Aufladung<br><code class="small">top_up</code>'
        assert shown(LedgerView, "ref", ref="payout:7") == 'Auszahlung<br><code class="small">payout:7</code>'
    assert shown(LedgerView, "kind", kind="odd") == '<code class="small">odd</code>'


def test_every_account_of_the_ledger_has_a_name() -> None:
    assert set(ledger_words.ACCOUNTS) == set(ledger.KINDS)


def test_every_kind_of_journal_that_is_posted_has_a_name() -> None:
    posted = {
        call.args[2].value
        for call in calls("post")
        if len(call.args) == 5 and isinstance(call.args[2], ast.Constant)  # not a route's
    }
    assert {"hold", "settle", "payout_paid"} <= posted <= set(LABELS)


def test_every_action_and_detail_that_is_audited_has_a_name() -> None:
    audited = [*calls("record"), *calls("audit")]
    actions = {
        value.value
        for call in audited
        for value in ast.walk(ast.Tuple(call.args[2:3]))
        if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(value.value))
    }
    assert "booking.place" in actions
    assert actions <= set(audit_words.ACTIONS)
    assert {f"support.{row.event}" for row in SUPPORT.changes} <= set(audit_words.ACTIONS)
    assert {key.arg for call in audited for key in call.keywords if key.arg} <= set(audit_words.DETAILS)
    assert {code.partition(".")[0] for code in audit_words.ACTIONS} <= set(audit_words.THINGS)


def test_an_audited_action_is_told_in_words_and_details_line_by_line() -> None:
    with use_locale("de"):
        shown_action = shown(AuditView, "action", action="booking.place")
        assert shown_action == 'Für jemanden gebucht<br><code class="small">booking.place</code>'
        moved = {"before": "2026-11-24T14:00:00+00:00", "waived": ["notice", "hours"], "email": "<b>@x.example"}
        told = lines(action="booking.move", detail=moved)
        assert told[0].startswith("Davor: Di., 24. Nov., 1")
        assert told[1:] == [
            "Außer Acht gelassene Regeln: Vorlauf, Arbeitszeiten",
            "E-Mail-Adresse: &lt;b&gt;@x.example",
        ]
        assert lines(action="refund.decide", detail={"granted": True, "waived": []}) == ["Gewährt: Ja"]
        changed = lines(action="site.set", detail={"key": "fee_bp", "before": 1500})
        assert changed == ["Einstellung: Gebühr in Prozent", "Davor: 15\xa0%"]


def lines(**record: Any) -> list[str]:
    """The details of an entry as they are read."""
    told = shown(AuditView, "detail", **record)
    return [re.sub(r"</?span[^>]*>", "", line) for line in told.split("<br>")]


def calls(name: str) -> list[ast.Call]:
    """Calls of functions of that name in the sources of the product."""
    folders = [Path(cast("str", package.__file__)).parent for package in (helpouts, helpouts_admin)]
    folders += sorted(folders[0].parent.glob("plugins/*/src"))
    files = [path for folder in folders for path in folder.rglob("*.py")]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text())))
    found = (node for node in nodes if isinstance(node, ast.Call))
    return [call for call in found if name in (getattr(call.func, "id", ""), getattr(call.func, "attr", ""))]
