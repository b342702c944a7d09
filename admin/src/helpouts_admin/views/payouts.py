"""Payouts: what experts have asked for, and what became of it at the bank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import payouts
from helpouts.payments.models import Payout
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import NoForm
from helpouts_admin.views.base import Records


def _pay(db: Session, payout: Payout, form: Any, actor: Actor) -> None:
    payouts.finish_payout(db, payout, actor)


def _fail(db: Session, payout: Payout, form: Any, actor: Actor) -> None:
    payouts.fail_payout(db, payout, form.reason.data, actor)


def _open(payout: Payout) -> bool:
    return bool(payout.state == "requested")


ACTIONS = (
    Action(
        "pay",
        _l("The bank has sent it"),
        _pay,
        NoForm,
        _open,
        _l("Only when the transfer has left the account: this cannot be taken back."),
        _l("Noted as paid."),
        primary=True,
    ),
    Action(
        "fail",
        _l("The bank refused"),
        _fail,
        when=_open,
        explain=_l("The money is the expert's to pay out again."),
        done=_l("Noted as failed."),
        danger=True,
    ),
)


class PayoutsView(Records):
    """The list to work through with the bank."""

    shows = Payout
    endpoint_name = "console_payouts"
    can_export = True
    intro = _l("Earnings that experts have asked for. Transfer them, then say so here.")
    column_list = ("id", "user_id", "amount_minor", "state", "created_at", "closed_at")
    column_details_list = ("user_id", "amount_minor", "created_at", "closed_at")
    column_export_list = ("id", "user_id", "state", "amount_minor", "currency", "created_at", "closed_at")
    column_sortable_list = ("amount_minor", "created_at")
    column_default_sort = ("id", True)
    column_filters = (Choice(Payout.state, _l("State"), lambda: words.options("requested", "paid", "failed")),)
    column_labels = {
        "id": _l("Number"),
        "user_id": _l("To"),
        "amount_minor": _l("Amount"),
        "state": _l("State"),
        "created_at": _l("Asked"),
        "closed_at": _l("Closed"),
        "currency": _l("Currency"),
    }
    column_formatters = {
        "user_id": columns.person("user_id"),
        "amount_minor": columns.money("amount_minor"),
        "state": columns.state,
        "created_at": columns.instant,
        "closed_at": columns.instant,
    }
    column_formatters_detail = column_formatters

    def get_list(self, *args: Any, **kwargs: Any) -> Any:
        """With the names of all people on the page, in one query."""
        count, rows = super().get_list(*args, **kwargs)
        people = select(User).where(User.id.in_({row.user_id for row in rows})).options(lazyload(User.roles))
        self.session.session.info["console.people"] = list(self.session.session.scalars(people))
        return count, rows

    def title_of(self, record: Payout) -> str:
        """Number and amount."""
        amount = formatting.money(record.amount_minor, record.currency)
        return _("Payout %(id)s: %(amount)s", id=record.id, amount=amount)

    def actions(self, record: Payout) -> Sequence[Action]:
        """An open payout is paid or fails."""
        return ACTIONS

    def context(self, db: Session, record: Payout) -> dict[str, Any]:
        """What happened."""
        return {"history": history.transitions(db, "payout", record.id)}
