"""The first page: what needs attention now, and how the business goes."""

from __future__ import annotations

from typing import Any

from flask import url_for

from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import permitted
from helpouts_admin import figures
from helpouts_admin.permissions import may_open
from helpouts_admin.views.base import Page, expose

#: Page, the filter that shows what waits, what it is called.
ATTENTION: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("console_calls", {"flt0_0": "open"}, _l("Calls for an operator")),
    ("console_applications", {"flt0_0": "waiting"}, _l("Applications to answer")),
    ("console_listings", {"flt0_0": "review"}, _l("Listings to review")),
    ("console_refunds", {"flt0_0": "escalated"}, _l("Disputes to decide")),
    ("console_payouts", {"flt0_0": "requested"}, _l("Payouts to make")),
    ("console_jobs", {"flt0_0": "dead"}, _l("Jobs given up")),
    ("console_plugins", {}, _l("Failures of plugins")),
)


class OverviewView(Page):
    """``/console/``."""

    def __init__(self) -> None:
        super().__init__(_l("Overview"), endpoint="console", url="/console")

    @expose("/")
    def index(self) -> str:
        """What waits, for the pages that this person may open."""
        db = current_db()
        waiting = figures.attention(db)
        todo = [
            (url_for(f"{endpoint}.{self._first(endpoint)}", **query), waiting[endpoint], text, endpoint)
            for endpoint, query, text in ATTENTION
            if permitted(may_open(endpoint))
        ]
        broken = [plugin for plugin in current_runtime().registry.plugins.values() if plugin.error]
        return self.render(
            "console/overview.html",
            todo=todo,
            overdue=figures.overdue(db),
            business=figures.business(db),
            broken=broken,
            may_money=permitted(may_open("console_ledger")),
            ledger=figures.ledger_problems(db) if permitted(may_open("console_ledger")) else None,
            latest=figures.latest(db) if permitted(may_open("console_audit")) else [],
        )

    @staticmethod
    def _first(endpoint: str) -> str:
        return "index" if endpoint == "console_plugins" else "index_view"
