"""Packages: what customers have paid in advance, and what is left of it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import lazyload

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages.holdings import rests
from helpouts.packages.models import Package
from helpouts.web.db import current_db
from helpouts_admin import columns
from helpouts_admin.views.base import Records


def _rest(record: Package) -> int:
    """What is in it, minor units; a list reads that of its rows before, so this asks nothing."""
    known: dict[int, int] = current_db().info.setdefault("console.rests", {})
    if record.id not in known:
        known.update({record.id: 0, **rests(current_db(), [record])})
    return known[record.id]


def _left(view: Any, context: Any, record: Package, name: str) -> str:
    return _("%(left)s of %(count)s", left=_rest(record) // record.price_minor, count=record.sessions)


def _balance(view: Any, context: Any, record: Package, name: str) -> Markup:
    text = formatting.money(_rest(record), record.currency)
    return Markup('<span class="number">{}</span>').format(text)


class PackagesView(Records):
    """Read-only: customers take back by themselves what is left."""

    shows = Package
    endpoint_name = "console_packages"
    intro = _l("Sessions that customers have paid in advance. Their money is in an account of the ledger each.")
    empty = _l("Nobody has bought a package yet.")
    column_list = ("title", "customer_id", "price_minor", "left", "balance", "bought_at")
    column_details_list = (
        "title", "customer_id", "length_minutes", "sessions", "price_minor", "left", "balance", "bought_at",
        "public_id", "account", "funding",
    )  # fmt: skip
    column_searchable_list = ("title", "public_id")
    column_sortable_list = ("price_minor", "bought_at")
    column_default_sort = ("id", True)
    column_labels = {
        "title": _l("Session"),
        "customer_id": _l("Customer"),
        "length_minutes": _l("Minutes"),
        "sessions": _l("Sessions"),
        "price_minor": _l("Each"),
        "left": _l("Sessions left"),
        "balance": _l("Still in it"),
        "bought_at": _l("Bought"),
        "public_id": _l("Public id"),
        "account": _l("Account"),
        "funding": _l("Paid from"),
    }
    column_formatters = {
        "customer_id": columns.person("customer_id"),
        "price_minor": columns.money("price_minor"),
        "left": _left,
        "balance": _balance,
        "bought_at": columns.instant,
    }
    column_formatters_detail = column_formatters

    def get_list(self, *args: Any, **kwargs: Any) -> Any:
        """With what is in each, and the names of all people on the page, in one query each."""
        count, rows = super().get_list(*args, **kwargs)
        db = current_db()
        people = select(User).where(User.id.in_({row.customer_id for row in rows})).options(lazyload(User.roles))
        db.info["console.people"] = list(db.scalars(people))
        db.info["console.rests"] = dict.fromkeys((row.id for row in rows), 0) | rests(db, rows)
        return count, rows

    def title_of(self, record: Package) -> str:
        """Its session."""
        return _("Package: %(title)s", title=record.title)
