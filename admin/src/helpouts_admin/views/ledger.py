"""The ledger: journals with their postings, the accounts with their balances, and the check."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.models import Journal, LedgerAccount, Posting
from helpouts.payments.verify import verify
from helpouts.web.db import current_db
from helpouts_admin import columns, ledger_words
from helpouts_admin.filters import Choice, Options
from helpouts_admin.views.base import Answer, Records, expose

ACCOUNTS_PAGE = 50


def _kinds() -> Options:
    return [
        (kind, ledger_words.kind(kind))
        for kind in current_db().scalars(select(Journal.kind).distinct().order_by(Journal.kind))
    ]


def _named(code: str) -> Markup:
    """An account by its name and code."""
    return columns.coded(ledger_words.account(code), code)


def _number(view: Any, context: Any, record: Journal, name: str) -> str:
    return f"{record.id}"


def _kind(view: Any, context: Any, record: Journal, name: str) -> Markup:
    return columns.coded(ledger_words.kind(record.kind), record.kind)


def _concerns(view: Any, context: Any, record: Journal, name: str) -> Markup:
    return columns.coded(ledger_words.concerned(record.ref), record.ref)


class LedgerView(Records):
    """Read-only: journals can be reversed by another journal, never changed."""

    shows = Journal
    endpoint_name = "console_ledger"
    intro = _l("Every movement of money, double entry. Nothing here can be changed: what was wrong is reversed.")
    tabs = False
    column_list = ("id", "kind", "ref", "lines", "created_at")
    column_details_list = ("id", "kind", "ref", "idem_key", "lines", "reverses_id", "created_at")
    column_searchable_list = ("ref", "idem_key")
    column_default_sort = ("id", True)
    column_filters = (Choice(Journal.kind, _l("Kind"), _kinds),)
    column_labels = {
        "id": _l("Number"),
        "kind": _l("Kind"),
        "ref": _l("Concerns"),
        "lines": _l("Lines"),
        "created_at": _l("When"),
        "idem_key": _l("Key"),
        "reverses_id": _l("Reverses"),
    }
    column_formatters = {
        "id": _number,
        "kind": _kind,
        "ref": _concerns,
        "created_at": columns.instant,
    }
    column_formatters_detail = column_formatters
    list_template = "console/ledger.html"
    details_template = "console/journal.html"

    def title_of(self, record: Journal) -> str:
        """Its number."""
        return _("Journal %(id)s", id=record.id)

    def context(self, db: Session, record: Journal) -> dict[str, Any]:
        """The postings."""
        debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
        rows = (
            select(Posting.amount, Posting.currency, debit.code, credit.code)
            .join(debit, debit.id == Posting.debit_id)
            .join(credit, credit.id == Posting.credit_id)
            .where(Posting.journal_id == record.id)
            .order_by(Posting.seq)
        )
        return {"postings": db.execute(rows).all(), "named": _named}

    @expose("/accounts/")
    def accounts(self) -> Answer:
        """The accounts with their balances."""
        page = max(request.args.get("page", 0, type=int), 0)
        search = request.args.get("search", "").strip()
        rows = select(LedgerAccount).order_by(LedgerAccount.code, LedgerAccount.currency)
        if search:
            rows = rows.where(LedgerAccount.code.contains(search, autoescape=True))
        found = list(current_db().scalars(rows.limit(ACCOUNTS_PAGE + 1).offset(page * ACCOUNTS_PAGE)))
        return self.render(
            "console/accounts.html",
            accounts=found[:ACCOUNTS_PAGE],
            more=len(found) > ACCOUNTS_PAGE,
            page=page,
            search=search,
            named=_named,
        )

    @expose("/verify/", methods=("POST",))
    def verify(self) -> Answer:
        """Run every rule, now."""
        findings = verify(current_db())
        broken = [finding for finding in findings if finding.violations]
        for finding in broken:
            flash(
                _(
                    "%(key)s does not hold: %(rule)s (%(count)s)",
                    key=finding.key,
                    rule=finding.says,
                    count=finding.violations,
                ),
                "error",
            )
        if not broken:
            flash(_("All %(count)s rules hold.", count=len(findings)), "success")
        return redirect(url_for(".index_view"), 303)
